import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { News } from '../lib/news.ts';
import { parseImage, versionOfTag } from '../manifest/image.ts';
import type { DesiredServer, DesiredState } from '../model/desired.ts';
import { Failure } from '../model/failure.ts';
import { emptyServerMemory, type Resolved, type ServerMemory } from '../model/memory.ts';
import { repositoryOf, type Blueprint } from '../model/spec.ts';
import { notAbove } from '../plan/floor.ts';
import { chooseVersion } from '../plan/versions.ts';
import type { Registry } from '../registry/registry.ts';
import { traceOf } from './perform.ts';
import type { Recorder } from './recorder.ts';

export interface FollowingDeps {
  readonly registry: Registry;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  /** Between two checks of one image. */
  readonly updateIntervalMs: number;
  /** 0..1. */
  readonly random: () => number;
  /** Another version is wanted or told of now: look again. */
  readonly hint: () => void;
  /** A record failed, or our own mistake: never dropped. */
  readonly report: (error: unknown) => void;
}

/** An image that a strategy may go to. */
interface Found extends Pick<Resolved, 'image' | 'imageDigest' | 'version'> {
  /** Unix ms when it was first seen in the registry. */
  readonly firstSeenAt: number;
}

export type Deployable = DesiredServer & { readonly blueprint: Blueprint };

const ASK_DEADLINE_MS = 30_000;

/** Asks registries whether entries that follow versions have something newer. Decides what is wanted, never what is done. */
export class Following {
  readonly #deps: FollowingDeps;
  readonly #troubles = new Map<string, string>();
  readonly #news: News;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
    this.#news = new News(deps.clock);
  }

  /** Looks at every interval until `signal` aborts. */
  async run(desired: () => DesiredState | null, signal: AbortSignal): Promise<void> {
    const { clock, random, updateIntervalMs, report } = this.#deps;
    while (!signal.aborted) {
      const wanted = desired();
      if (wanted !== null) await this.check(wanted).catch(report);
      // Shorter than asked for, never longer: the interval is a promise.
      await this.#news.wait(clock.now() + updateIntervalMs * (0.8 + 0.2 * random()), signal);
    }
  }

  /** Somebody asks to look at once. */
  readonly lookNow = (): void => this.#news.hint();

  /** One look at the images of all entries that follow; a registry that is away changes nothing. */
  async check(desired: DesiredState): Promise<void> {
    await Promise.all(desired.servers.filter(follows).map((server) => this.#checkOne(server)));
  }

  async #checkOne(server: Deployable): Promise<void> {
    try {
      await this.#follow(server);
      this.#troubles.delete(server.name);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#say(server, error);
    }
  }

  async #follow(server: Deployable): Promise<void> {
    const { registry, clock, updateIntervalMs, hint } = this.#deps;
    if (this.#resolvedOf(server) === null) return;
    // Half of the interval: all who share an image share one answer, and the next check asks again.
    const asking = { registry, clock, maxAgeMs: updateIntervalMs / 2 };
    const choice = await bestOf(server, this.#memoryOf(server), asking);
    // While we asked, a commit may have changed what is followed.
    if (this.#resolvedOf(server) === null) return;
    if (choice.ripe !== null && server.autoUpdate) {
      await this.#take(server, choice.ripe);
      hint();
    } else await this.#note(server, choice);
  }

  async #take(server: Deployable, found: Found): Promise<void> {
    await this.#deps.recorder.record({
      event: 'version_resolved',
      server: server.name,
      traceId: traceOf(server.name, this.#deps),
      fields: {
        ...{ entry: server.entry, image: found.image, image_digest: found.imageDigest },
        ...{ version: found.version, asked: server.blueprint.image },
        why: server.strategy === 'latest' ? 'its tag has moved' : 'a newer version is in the registry',
      },
    });
  }

  /** Once a version: from the oldest to the newest, so that the newest is the one that is told. */
  async #note(server: Deployable, { ripe, young }: Choice): Promise<void> {
    const newest = young[0] ?? ripe;
    const { found, updateNoted } = this.#memoryOf(server);
    const all = [...young, ...(ripe === null ? [] : [ripe])].reverse();
    for (const one of all) {
      const isKnown = found[one.imageDigest] !== undefined;
      if (isKnown && (one !== newest || updateNoted === one.imageDigest)) continue;
      await this.#deps.recorder.record({
        event: 'update_available',
        server: server.name,
        traceId: traceOf(server.name, this.#deps),
        fields: {
          ...{ image: one.image, image_digest: one.imageDigest, version: one.version },
          ...{ current: this.#resolvedOf(server)?.version ?? null, first_seen_ms: one.firstSeenAt },
        },
      });
      this.#deps.hint();
    }
  }

  #memoryOf = ({ name }: Deployable): ServerMemory =>
    this.#deps.recorder.memory.servers[name] ?? emptyServerMemory;

  /** null: its own image is not known yet, or no longer that of this entry. */
  #resolvedOf(server: Deployable): Resolved | null {
    const { resolved } = this.#memoryOf(server);
    return resolved?.entry === server.entry ? resolved : null;
  }

  /** Once a trouble: the next check is a moment away. */
  #say({ name }: Deployable, failure: Failure): void {
    if (this.#troubles.get(name) === failure.code) return;
    this.#troubles.set(name, failure.code);
    this.#deps.log.warn({ server_name: name, code: failure.code }, failure.message);
  }
}

/** What runs is kept where the entry names it, or where its strategy went there from what the entry names. */
export function keepsTo(server: Deployable, image: string, { back }: { readonly back: boolean }): boolean {
  const { strategy, versionRange, exclude } = server;
  if (image === server.blueprint.image) return true;
  if (back || strategy !== 'semantic' || repositoryOf(image) !== repositoryOf(server.blueprint.image))
    return false;
  const { tag: current } = parseImage(server.blueprint.image);
  const { tag } = parseImage(image);
  return tag !== null && chooseVersion({ strategy, current, versionRange, exclude, tags: [tag] }) === tag;
}

interface Asking {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly maxAgeMs: number;
}

interface Choice {
  /** Better than what is wanted now, and old enough. */
  readonly ripe: Found | null;
  /** Better still, and younger than `min_age_seconds`; the newest first. */
  readonly young: readonly Found[];
}

/** What a server that follows versions may go to. Rejects with the `Failure` of a registry that cannot be asked. */
export async function bestOf(server: Deployable, memory: ServerMemory, asking: Asking): Promise<Choice> {
  const young: Found[] = [];
  for await (const found of candidates(server, memory, asking)) {
    if (asking.clock.now() - found.firstSeenAt >= server.minAgeSeconds * 1_000) return { ripe: found, young };
    young.push(found);
  }
  return { ripe: null, young };
}

export const follows = (server: DesiredServer): server is Deployable =>
  server.strategy !== 'pinned' &&
  server.blueprint !== null &&
  server.refusal === null &&
  server.desiredState === 'running' &&
  !server.blueprint.image.includes('@');

async function* candidates(
  server: Deployable,
  memory: ServerMemory,
  asking: Asking,
): AsyncGenerator<Found, void, undefined> {
  const barred = new Set(memory.quarantined.map(({ imageDigest }) => imageDigest));
  const now = memory.resolved?.entry === server.entry ? memory.resolved.imageDigest : null;
  for await (const image of server.strategy === 'latest'
    ? [server.blueprint.image]
    : newerImages(server, memory, asking)) {
    const { registry, clock, maxAgeMs } = asking;
    const imageDigest = await registry.digestOf(image, { maxAgeMs }, clock.deadline(ASK_DEADLINE_MS));
    if (imageDigest === now || barred.has(imageDigest)) continue;
    const firstSeenAt = memory.found[imageDigest]?.at ?? clock.now();
    const version = server.strategy === 'latest' ? null : versionOfTag(parseImage(image).tag ?? '');
    yield { image, imageDigest, version, firstSeenAt };
  }
}

/** From the highest down: all that the range allows above everything this entry has run, and above what it was taken back from. */
async function* newerImages(
  server: Deployable,
  memory: ServerMemory,
  { registry, clock, maxAgeMs }: Asking,
): AsyncGenerator<string, void, undefined> {
  const { image } = server.blueprint;
  const repository = repositoryOf(image);
  const tags = await registry.tags(repository, { maxAgeMs }, clock.deadline(ASK_DEADLINE_MS));
  const exclude = [...server.exclude, ...notAbove(server, memory)];
  for (;;) {
    const { strategy, versionRange } = server;
    const current = parseImage(image).tag;
    const tag = chooseVersion({ strategy, current, versionRange, exclude, tags });
    if (tag === null) return;
    yield `${repository}:${tag}`;
    exclude.push(tag);
  }
}
