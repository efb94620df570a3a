import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { parseImage, versionOfTag } from '../manifest/image.ts';
import { Failure } from '../model/failure.ts';
import type { Resolved, ServerMemory } from '../model/memory.ts';
import type { Instance } from '../model/observed.ts';
import { isOlder } from '../plan/versions.ts';
import { memoryOf } from '../plan/view.ts';
import type { Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { bestOf, follows, keepsTo, resolvedFor, type Deployable } from './candidates.ts';
import { traceOf } from './perform.ts';
import type { Recorder } from './recorder.ts';

export interface ResolutionDeps {
  readonly registry: Registry;
  readonly runtime: Runtime;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
}

const RESOLVE_DEADLINE_MS = 30_000;

/** Which image an entry stands for, and by which digest: found out once for each change of the entry. */
export class Resolution {
  readonly #deps: ResolutionDeps;

  constructor(deps: ResolutionDeps) {
    this.#deps = deps;
  }

  /** null: nobody has been asked since the entry changed. */
  resolvedOf(server: Deployable): Resolved | null {
    return resolvedFor(server, this.#memoryOf(server)) ?? digestInReference(server);
  }

  /**
   * Finds it out and records it. The label is believed while it names what the entry allows: a tag that moved is not a
   * change of the entry. Rejects with the `Failure` of a registry that cannot say.
   */
  async resolve(server: Deployable, instances: readonly Instance[]): Promise<void> {
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

  readonly #memoryOf = ({ name }: Deployable): ServerMemory => memoryOf(this.#deps.recorder, name);

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
}

type Chosen = Pick<Resolved, 'image' | 'imageDigest'>;

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
