import type { Log } from '../lib/log.ts';
import { Failure, inFull } from '../model/failure.ts';
import type { SecretRef } from '../model/spec.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Deployable } from '../plan/choice.ts';

/** Which versions of its secrets an entry names. */
export interface SecretRefs {
  readonly refs: readonly SecretRef[];
  /** Required ones that are not there. */
  readonly missing: readonly string[];
}

/** What was read of the secrets of each server last. */
export class KnownSecrets {
  readonly #secrets: Secrets;
  readonly #log: Log;
  readonly #known = new Map<string, SecretRefs & { readonly entry: string }>();
  /** By server, the message that was told. */
  readonly #unreadable = new Map<string, string>();

  constructor({ secrets, log }: { readonly secrets: Secrets; readonly log: Log }) {
    this.#secrets = secrets;
    this.#log = log;
  }

  /** null: not read since its entry changed. */
  of({ name, entry }: Deployable): SecretRefs | null {
    const known = this.#known.get(name);
    return known?.entry === entry ? known : null;
  }

  /** Rejects with the `Failure` of one that cannot be read. */
  async read({ name, entry, blueprint }: Deployable): Promise<void> {
    this.#known.set(name, { entry, ...(await this.#secrets.refs(name, blueprint.secrets)) });
  }

  /** True: something is another version now, is missing, or is there again. */
  async readAgain(servers: readonly Deployable[]): Promise<boolean> {
    const before = JSON.stringify([...this.#known]);
    for (const server of servers) await this.#readIfItCan(server);
    return JSON.stringify([...this.#known]) !== before;
  }

  /** What cannot be read is the trouble of its server alone, and what was known of it stands. Told once. */
  async #readIfItCan(server: Deployable): Promise<void> {
    try {
      await this.read(server);
      this.#unreadable.delete(server.name);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (this.#unreadable.get(server.name) === error.message) return;
      this.#unreadable.set(server.name, error.message);
      this.#log.warn({ server_name: server.name, code: error.code }, inFull(error));
    }
  }
}
