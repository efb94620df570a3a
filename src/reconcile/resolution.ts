import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { parseImage, versionOfTag } from '../manifest/image.ts';
import { Failure } from '../model/failure.ts';
import type { Resolved, ServerMemory } from '../model/memory.ts';
import type { Instance } from '../model/observed.ts';
import { follows, isBarred, resolvedFor, type Deployable } from '../plan/choice.ts';
import { isOlder } from '../plan/versions.ts';
import { memoryOf } from '../plan/view.ts';
import type { Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { bestOf, keepsTo } from './candidates.ts';
import { traceOf } from './perform.ts';
import type { Recorder } from './recorder.ts';
import { remainingOf } from './remaining.ts';
import { versionResolved, type Chosen } from './resolved.ts';

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
    const why = kept === null ? 'its entry is new or has changed' : 'the entry allows what runs already';
    await this.#record(server, kept ?? (await this.#choose(server, { back })), why);
  }

  /**
   * The version that the entry went to was set aside: goes to the best that was not, down to the one that the entry itself
   * names. False: there is none. Rejects with the `Failure` of a registry that cannot say.
   */
  async chooseAgain(server: Deployable, instances: readonly Instance[]): Promise<boolean> {
    const own = newestFirst(instances.filter((instance) => instance.server === server.name));
    const chosen = await this.#bestLeft(server, own);
    const now = resolvedFor(server, this.#memoryOf(server));
    // While we asked, a commit or a newer version came.
    if (now === null || !isBarred(this.#memoryOf(server), now.imageDigest)) return true;
    if (chosen !== null) await this.#record(server, chosen, 'the version it went to was set aside');
    return chosen !== null;
  }

  /** So that there is something else to run should what was kept, after a loss of memory say, be bad. Rejects as `resolve`. */
  async askWhatIsNamed(server: Deployable): Promise<void> {
    const askedDigest = await this.#ask(server.blueprint.image);
    const now = resolvedFor(server, this.#memoryOf(server));
    if (now === null) return;
    await this.#record(server, { ...now, askedDigest }, 'what the entry itself names was looked up');
  }

  /** What is newer before what runs, and that before what the entry names. */
  async #bestLeft(server: Deployable, own: readonly Instance[]): Promise<Chosen | null> {
    const memory = this.#memoryOf(server);
    const { above, kept, named } = remainingOf(server, memory, own);
    const ripe = server.autoUpdate ? await this.#ripe(server, above) : null;
    if (ripe !== null || kept !== null || !named) return ripe ?? kept;
    const { image } = server.blueprint;
    const imageDigest = memory.resolved?.askedDigest ?? (await this.#ask(image));
    return isBarred(memory, imageDigest) ? null : { image, imageDigest };
  }

  async #record(server: Deployable, chosen: Chosen, why: string): Promise<void> {
    const version = chosen.image === server.blueprint.image ? server.version : versionOf(chosen.image);
    const traceId = traceOf(server.name, this.#deps);
    await this.#deps.recorder.record(versionResolved(server, chosen, { version, traceId, why }));
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
    const imageDigest = await this.#ask(image);
    const asked = { image, imageDigest, askedDigest: imageDigest };
    if (back || !follows(server) || !server.autoUpdate) return asked;
    return { ...asked, ...(await this.#ripe(server)) };
  }

  /** null: there is nothing newer, or nobody can say now. */
  async #ripe(server: Deployable, above?: readonly string[]): Promise<Omit<Chosen, 'askedDigest'> | null> {
    try {
      const asking = { ...this.#deps, maxAgeMs: 5_000, ...(above === undefined ? {} : { above }) };
      const { ripe } = await bestOf(server, this.#memoryOf(server), asking);
      if (ripe === null) return null;
      const { image, imageDigest, sizeBytes } = ripe;
      return { image, imageDigest, sizeBytes };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { image } = server.blueprint;
      this.#deps.log.info({ image }, `what is newer is asked for later (${error.message})`);
      return null;
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
