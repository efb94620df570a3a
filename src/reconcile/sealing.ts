import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { parseImage, versionOfTag } from '../manifest/image.ts';
import type { DesiredServer, DesiredState } from '../model/desired.ts';
import { Failure, inFull } from '../model/failure.ts';
import { emptyServerMemory, type Resolved, type ServerMemory } from '../model/memory.ts';
import type { Instance } from '../model/observed.ts';
import { sealSpec, type SecretRef, type Spec } from '../model/spec.ts';
import type { Blocked } from '../model/world.ts';
import { isOlder } from '../plan/versions.ts';
import type { Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { blockedBy, missingSecret, resolving, type Trouble } from './blocked.ts';
import { bestOf, follows, keepsTo, type Deployable } from './candidates.ts';
import { KnownSecrets } from './known-secrets.ts';
import { traceOf } from './perform.ts';
import type { Recorder } from './recorder.ts';

export interface SealingDeps {
  readonly registry: Registry;
  readonly runtime: Runtime;
  readonly secrets: Secrets;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  /** Something is known now that was not: look again. */
  readonly hint: () => void;
  /** Our own mistake: never dropped. */
  readonly report: (error: unknown) => void;
}

/** What sealing says of all servers at this moment. */
export interface Sealed {
  readonly wanted: Readonly<Record<string, Spec>>;
  readonly blocked: Readonly<Record<string, Blocked>>;
}

const RESOLVE_DEADLINE_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

/**
 * Turns entries into specs: the tag becomes a digest, once per entry change, and secrets become references. What takes
 * time is done beside; a look never waits for a registry.
 */
export class Sealing {
  readonly #deps: SealingDeps;
  readonly #secrets: KnownSecrets;
  readonly #specs = new Map<string, { readonly key: string; readonly spec: Spec }>();
  readonly #trouble = new Map<string, Trouble>();
  /** Servers and entries that are being asked about: a newer entry does not wait for the answer about an older one. */
  readonly #busy = new Set<string>();

  constructor(deps: SealingDeps) {
    this.#deps = deps;
    this.#secrets = new KnownSecrets(deps);
  }

  /** Every entry that can be run, sealed; for the others what they wait for. Starts what is missing. */
  look(desired: DesiredState, instances: readonly Instance[]): Sealed {
    const wanted: Record<string, Spec> = {};
    const blocked: Record<string, Blocked> = {};
    for (const server of desired.servers.filter(isDeployable)) {
      const sealed = this.#seal(server) ?? this.#begin(server, instances);
      if ('digest' in sealed) wanted[server.name] = sealed;
      else blocked[server.name] = sealed;
    }
    return { wanted, blocked };
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

  /** null: something has still to be found out. */
  #seal(server: Deployable): Spec | Blocked | null {
    const secrets = this.#secrets.of(server);
    if (secrets === null) return null;
    if (secrets.missing.length > 0) return missingSecret(server.name, secrets.missing);
    const resolved = this.#resolvedOf(server);
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

  #resolvedOf(server: Deployable): Resolved | null {
    const known = this.#deps.recorder.memory.servers[server.name]?.resolved ?? null;
    return known?.entry === server.entry ? known : digestInReference(server);
  }

  /** Further away than it was put: the clock was set back. */
  #isPutOff({ until, failure }: Trouble): boolean {
    const left = until - this.#deps.clock.now();
    return left > 0 && left <= Math.max(LONGEST_RETRY_MS, failure.retryAfterMs ?? 0);
  }

  #begin(server: Deployable, instances: readonly Instance[]): Blocked {
    const trouble = this.#trouble.get(server.name);
    const waits = trouble !== undefined && trouble.entry === server.entry && this.#isPutOff(trouble);
    const question = `${server.name} ${server.entry}`;
    if (!waits && !this.#busy.has(question)) {
      this.#busy.add(question);
      const resolved = this.#resolve(server, instances).catch(this.#deps.report);
      void resolved.then(() => {
        this.#busy.delete(question);
        this.#deps.hint();
      });
    }
    return trouble?.entry === server.entry ? blockedBy(trouble) : resolving;
  }

  async #resolve(server: Deployable, instances: readonly Instance[]): Promise<void> {
    try {
      await this.#secrets.read(server);
      if (this.#resolvedOf(server) === null) await this.#resolveImage(server, instances);
      this.#trouble.delete(server.name);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#note(server, error);
    }
  }

  /** The label is believed while it names what the entry allows: a tag that moved is not a change of the entry. */
  async #resolveImage(server: Deployable, instances: readonly Instance[]): Promise<void> {
    const own = newestFirst(instances.filter((instance) => instance.server === server.name));
    const back = await this.#barWhatItLeaves(server, own);
    const kept = own.find(({ spec }) => spec !== null && keepsTo(server, spec.image, { back }))?.spec ?? null;
    const chosen = kept ?? (await this.#choose(server, { back }));
    await this.#deps.recorder.record({
      event: 'version_resolved',
      server: server.name,
      traceId: traceOf(server.name, this.#deps),
      fields: {
        ...{ entry: server.entry, image: chosen.image, image_digest: chosen.imageDigest },
        version: chosen.image === server.blueprint.image ? server.version : versionOf(chosen.image),
        asked: server.blueprint.image,
      },
    });
  }

  /** A commit that lowers the version means it: what it leaves is not gone to again. True: this one does. */
  async #barWhatItLeaves(server: Deployable, own: readonly Instance[]): Promise<boolean> {
    const left = this.#memoryOf(server).resolved;
    if (left === null || left.entry === server.entry) return false;
    if (!isLowered(server, left)) return false;
    const copy = own.find(({ spec }) => spec?.imageDigest === left.imageDigest);
    await this.#deps.recorder.record({
      event: 'version_quarantined',
      server: server.name,
      traceId: traceOf(server.name, this.#deps),
      fields: {
        // Without a copy there is no spec to name; its image is what may not come back.
        ...{
          spec: copy?.specDigest ?? left.imageDigest,
          image_digest: left.imageDigest,
          version: left.version,
        },
        gate: 'reverted',
        evidence: { reason: `a commit went back from ${left.image}` },
      },
    });
    return true;
  }

  /** What the entry names; the best that its strategy allows where it follows and may. */
  async #choose(server: Deployable, { back }: { readonly back: boolean }): Promise<Chosen> {
    const { image } = server.blueprint;
    const asked = { image, imageDigest: await this.#ask(image) };
    if (back || !follows(server) || !server.autoUpdate) return asked;
    try {
      const { ripe } = await bestOf(server, this.#memoryOf(server), { ...this.#deps, maxAgeMs: 5_000 });
      return ripe ?? asked;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#deps.log.info({ image }, `what is newer is asked for later (${error.message})`);
      return asked;
    }
  }

  readonly #memoryOf = ({ name }: Deployable): ServerMemory =>
    this.#deps.recorder.memory.servers[name] ?? emptyServerMemory;

  /** The registry says; where it cannot, an image that is already here under this name will do. */
  async #ask(image: string): Promise<string> {
    const { registry, runtime, clock } = this.#deps;
    try {
      return await registry.digestOf(image, { maxAgeMs: 0 }, clock.deadline(RESOLVE_DEADLINE_MS));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const local = await runtime.localDigest(image, clock.deadline(RESOLVE_DEADLINE_MS));
      if (local === null) throw error;
      this.#deps.log.info(
        { image, digest: local },
        `the registry did not answer for it (${error.message}); the image here is used`,
      );
      return local;
    }
  }

  #note(server: Deployable, failure: Failure): void {
    const count = this.#trouble.get(server.name)?.count ?? 0;
    const wait = Math.max(Math.min(FIRST_RETRY_MS * 2 ** count, LONGEST_RETRY_MS), failure.retryAfterMs ?? 0);
    const until = this.#deps.clock.now() + wait;
    this.#trouble.set(server.name, { entry: server.entry, failure, count: count + 1, until });
    this.#deps.log.warn({ server_name: server.name, code: failure.code, retry_at: until }, inFull(failure));
  }
}

type Chosen = Pick<Resolved, 'image' | 'imageDigest'>;

const isDeployable = (server: DesiredServer): server is Deployable =>
  server.blueprint !== null && server.refusal === null && server.desiredState === 'running';

/** What answers before what does not, the newest before the older ones. */
const newestFirst = (instances: readonly Instance[]): Instance[] =>
  [...instances].sort((a, b) => Number(b.joined) - Number(a.joined) || b.createdAt - a.createdAt);

const versionOf = (image: string): string | null => versionOfTag(parseImage(image).tag ?? '');

/** Lines of older programs do not tell what was asked for; then it is what was resolved. */
function isLowered({ blueprint }: Deployable, { image, asked = image }: Resolved): boolean {
  const [now, before] = [parseImage(blueprint.image), parseImage(asked)];
  return now.repository === before.repository && isOlder(now.tag ?? '', before.tag ?? '');
}

/** `repository@sha256:...`, with or without a tag, needs nobody to be asked. */
function digestInReference({ blueprint, entry, version }: Deployable): Resolved | null {
  const at = blueprint.image.indexOf('@');
  return at < 0
    ? null
    : { entry, image: blueprint.image, imageDigest: blueprint.image.slice(at + 1), version };
}
