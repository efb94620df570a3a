import type { DesiredServer, DesiredState } from '../model/desired.ts';
import { Failure, inFull } from '../model/failure.ts';
import type { Resolved } from '../model/memory.ts';
import type { Instance } from '../model/observed.ts';
import { sealSpec, type SecretRef, type Spec } from '../model/spec.ts';
import type { Blocked } from '../model/world.ts';
import { mustAskWhatIsNamed, mustChooseAgain, type Deployable } from '../plan/choice.ts';
import { memoryOf } from '../plan/view.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { blockedBy, choosing, missingSecret, resolving, type Trouble } from './blocked.ts';
import { KnownSecrets } from './known-secrets.ts';
import { Resolution, type ResolutionDeps } from './resolution.ts';

export interface SealingDeps extends ResolutionDeps {
  readonly secrets: Secrets;
  /** Something is known now that was not: look again. */
  readonly hint: () => void;
  /** Our own mistake about a server: never dropped. */
  readonly report: (error: unknown, server: string) => void;
}

/** What sealing says of all servers at this moment. */
export interface Sealed {
  readonly wanted: Readonly<Record<string, Spec>>;
  readonly blocked: Readonly<Record<string, Blocked>>;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

/**
 * Turns entries into specs: the tag becomes a digest, once per entry change, and secrets become references. What takes
 * time is done beside; a look never waits for a registry.
 */
export class Sealing {
  readonly #deps: SealingDeps;
  readonly #secrets: KnownSecrets;
  readonly #resolution: Resolution;
  readonly #specs = new Map<string, { readonly key: string; readonly spec: Spec }>();
  readonly #trouble = new Map<string, Trouble>();
  /** Server -> what was set aside of its entry when no other version was left, and when the registry is asked again. */
  readonly #nothingLeft = new Map<string, { readonly setAside: string; readonly until: number }>();
  /** Servers and entries that are being asked about: a newer entry does not wait for the answer about an older one. */
  readonly #busy = new Set<string>();

  constructor(deps: SealingDeps) {
    this.#deps = deps;
    this.#secrets = new KnownSecrets(deps);
    this.#resolution = new Resolution(deps);
  }

  /** Every entry that can be run, sealed; for the others what they wait for. Starts what is missing. */
  look(desired: DesiredState, instances: readonly Instance[]): Sealed {
    const wanted: [string, Spec][] = [];
    const blocked: [string, Blocked][] = [];
    for (const server of desired.servers.filter(isDeployable)) {
      const { spec, trouble } = this.#lookAt(server, instances);
      if (spec !== null) wanted.push([server.name, spec]);
      if (trouble !== null) blocked.push([server.name, trouble]);
    }
    return { wanted: Object.fromEntries(wanted), blocked: Object.fromEntries(blocked) };
  }

  /** The specs that are sealed by now; starts nothing. */
  known(desired: DesiredState): readonly Spec[] {
    const sealed = desired.servers.filter(isDeployable).map((server) => this.#seal(server));
    return sealed.filter((spec): spec is Spec => spec !== null && 'digest' in spec);
  }

  /** Reads all secrets anew: a rotated one is a new version. Servers whose references changed are looked at again. */
  async readSecrets(desired: DesiredState): Promise<void> {
    if (await this.#secrets.readAgain(desired.servers.filter(isDeployable))) this.#deps.hint();
  }

  /** A person says try again: forgets waits. */
  retry(server: string): void {
    this.#trouble.delete(server);
  }

  #lookAt(
    server: Deployable,
    instances: readonly Instance[],
  ): { readonly spec: Spec | null; readonly trouble: Blocked | null } {
    try {
      const sealed = this.#seal(server) ?? this.#begin(server, () => this.#resolve(server, instances));
      if (!('digest' in sealed)) return { spec: null, trouble: sealed };
      return { spec: sealed, trouble: this.#chooseAgain(server, sealed, instances) };
    } catch (error) {
      this.#note(server, this.#mistaken(server, error));
      return { spec: null, trouble: this.#waitsFor(server) };
    }
  }

  /** null: something has still to be found out. */
  #seal(server: Deployable): Spec | Blocked | null {
    const secrets = this.#secrets.of(server);
    if (secrets === null) return null;
    if (secrets.missing.length > 0) return missingSecret(server.name, secrets.missing);
    const resolved = this.#resolution.resolvedOf(server);
    return resolved === null ? null : this.#sealed(server, resolved, secrets.refs);
  }

  #sealed(server: Deployable, resolved: Resolved, refs: readonly SecretRef[]): Spec {
    const key = JSON.stringify([server.entry, resolved, refs]);
    const known = this.#specs.get(server.name);
    if (known?.key === key) return known.spec;
    const spec = sealSpec(
      { ...server.blueprint, image: resolved.image },
      {
        imageDigest: resolved.imageDigest,
        secrets: refs,
        settings: { ...server.settings, version: resolved.version },
      },
    );
    this.#specs.set(server.name, { key, spec });
    return spec;
  }

  /** Further away than it was put: the clock was set back. */
  #isPutOff({ until, failure }: Trouble): boolean {
    const left = until - this.#deps.clock.now();
    return left > 0 && left <= Math.max(LONGEST_RETRY_MS, failure.retryAfterMs ?? 0);
  }

  /** null: what is wanted stands, or of its entry nothing else is left. */
  #chooseAgain(server: Deployable, { digest }: Spec, instances: readonly Instance[]): Blocked | null {
    const memory = memoryOf(this.#deps.recorder, server.name);
    if (mustAskWhatIsNamed(server, memory))
      this.#begin(server, () => this.#resolution.askWhatIsNamed(server));
    if (!mustChooseAgain(server, memory, digest)) return null;
    const setAside = JSON.stringify([server.entry, memory.quarantined.map(({ spec }) => spec)]);
    if (this.#isNothingLeft(server, setAside)) return null;
    return this.#begin(
      server,
      async () => {
        const isChosen = await this.#resolution.chooseAgain(server, instances);
        const until = this.#deps.clock.now() + LONGEST_RETRY_MS;
        if (!isChosen) this.#nothingLeft.set(server.name, { setAside, until });
      },
      choosing,
    );
  }

  #isNothingLeft({ name }: Deployable, setAside: string): boolean {
    const known = this.#nothingLeft.get(name);
    const left = (known?.until ?? 0) - this.#deps.clock.now();
    return known?.setAside === setAside && left > 0 && left <= LONGEST_RETRY_MS;
  }

  /** Does it beside, unless it is in hand or put off. What failed before is what it waits for. */
  #begin(server: Deployable, work: () => Promise<void>, meanwhile = resolving): Blocked {
    const trouble = this.#trouble.get(server.name);
    const waits = trouble !== undefined && trouble.entry === server.entry && this.#isPutOff(trouble);
    const question = `${server.name} ${server.entry}`;
    if (!waits && !this.#busy.has(question)) {
      this.#busy.add(question);
      const done = this.#try(server, work).catch((error: unknown) => this.#deps.report(error, server.name));
      void done.then(() => {
        this.#busy.delete(question);
        this.#deps.hint();
      });
    }
    return this.#waitsFor(server) ?? meanwhile;
  }

  #waitsFor(server: Deployable): Blocked | null {
    const trouble = this.#trouble.get(server.name);
    return trouble?.entry === server.entry ? blockedBy(trouble) : null;
  }

  async #resolve(server: Deployable, instances: readonly Instance[]): Promise<void> {
    await this.#secrets.read(server);
    if (this.#resolution.resolvedOf(server) === null) await this.#resolution.resolve(server, instances);
  }

  async #try(server: Deployable, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#trouble.delete(server.name);
    } catch (error) {
      this.#note(server, error instanceof Failure ? error : this.#mistaken(server, error));
    }
  }

  /** What we do wrong about one server blocks it alone, and is tried again as any other trouble. */
  #mistaken({ name }: Deployable, error: unknown): Failure {
    this.#deps.report(error, name);
    return new Failure(
      'internal_error',
      'a mistake in mcp-orchestration itself kept its version from being chosen',
      {
        suggestedAction: 'Send us its internal_error line of events.jsonl.',
        cause: error,
      },
    );
  }

  #note(server: Deployable, failure: Failure): void {
    const count = this.#trouble.get(server.name)?.count ?? 0;
    const wait = Math.max(Math.min(FIRST_RETRY_MS * 2 ** count, LONGEST_RETRY_MS), failure.retryAfterMs ?? 0);
    const until = this.#deps.clock.now() + wait;
    this.#trouble.set(server.name, { entry: server.entry, failure, count: count + 1, until });
    this.#deps.log.warn({ server_name: server.name, code: failure.code, retry_at: until }, inFull(failure));
  }
}

const isDeployable = (server: DesiredServer): server is Deployable =>
  server.blueprint !== null && server.refusal === null && server.desiredState === 'running';
