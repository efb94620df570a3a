import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { isEqual } from '../lib/equal.ts';
import { News } from '../lib/news.ts';
import { ownValue } from '../lib/own-value.ts';
import type { DesiredServer, DesiredState } from '../model/desired.ts';
import { Failure, inFull } from '../model/failure.ts';
import type { ServerMemory } from '../model/memory.ts';
import { repositoryOf } from '../model/spec.ts';
import type { UpdateCheck } from '../model/world.ts';
import { follows, isFixed, resolvedFor, type Deployable } from '../plan/choice.ts';
import { memoryOf } from '../plan/view.ts';
import type { Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { bestOf, type Choice, type Found, type PassedOver } from './candidates.ts';
import { traceOf } from './perform.ts';
import type { Recorder } from './recorder.ts';
import { versionResolved } from './resolved.ts';

export interface FollowingDeps {
  readonly registry: Registry;
  readonly runtime: Runtime;
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
  readonly report: (error: unknown, server?: string) => void;
}

/** All who share an image share one answer; the next check, and whoever says look now, asks again. */
const SHARED_MS = 5_000;

/** Asks registries whether entries that follow versions have something newer. Decides what is wanted, never what is done. */
export class Following {
  readonly #deps: FollowingDeps;
  readonly #checked = new Map<string, Checked>();
  readonly #news: News;
  /** Image -> Unix ms of its next check. */
  readonly #due = new Map<string, number>();
  /** Image -> its check in hand. */
  readonly #inHand = new Map<string, Promise<void>>();

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
    this.#news = new News(deps.clock);
  }

  /** Looks at every image once an interval until `signal` aborts. One whose registry is slow holds up no other. */
  async run(desired: () => DesiredState | null, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wanted = desired();
      if (wanted !== null) await this.#withdrawFixed(wanted).catch(this.#deps.report);
      const images = byImage(wanted?.servers.filter(follows) ?? []);
      for (const [image, servers] of images) if (this.#isDue(image)) this.#begin(image, servers, signal);
      await this.#news.wait(this.#nextDue(images), signal);
    }
    await Promise.all(this.#inHand.values());
  }

  /** What the last search for each server says, where its entry is still that one. */
  checks(desired: DesiredState): ReadonlyMap<string, UpdateCheck> {
    const following = desired.servers.filter(follows);
    return new Map(
      following.flatMap(({ name, entry }) => {
        const checked = this.#checked.get(name);
        return checked?.entry === entry ? [[name, checked.check] as const] : [];
      }),
    );
  }

  /** Somebody asks to look at once. */
  readonly lookNow = (): void => {
    this.#due.clear();
    this.#news.hint();
  };

  /** Further away than an interval: the clock was set back. */
  #isDue(image: string): boolean {
    const { clock, updateIntervalMs } = this.#deps;
    const left = (this.#due.get(image) ?? 0) - clock.now();
    return (left <= 0 || left > updateIntervalMs) && !this.#inHand.has(image);
  }

  #begin(image: string, servers: readonly Deployable[], signal: AbortSignal): void {
    this.#due.set(image, this.#afterInterval());
    const check = Promise.all(servers.map((server) => this.#checkOne(server, signal)))
      .then(() => undefined, this.#deps.report)
      .finally(() => {
        this.#inHand.delete(image);
        this.#news.hint();
      });
    this.#inHand.set(image, check);
  }

  #nextDue(images: ReadonlyMap<string, unknown>): number {
    const waiting = [...images.keys()].filter((image) => !this.#inHand.has(image));
    const dues = waiting.map((image) => this.#due.get(image) ?? 0);
    return Math.min(this.#afterInterval(), ...dues);
  }

  /** Shorter than asked for, never longer: the interval is a promise. */
  #afterInterval(): number {
    const { clock, random, updateIntervalMs } = this.#deps;
    return clock.now() + updateIntervalMs * (0.8 + 0.2 * random());
  }

  /** A registry that is away changes nothing but what is known. */
  async #checkOne(server: Deployable, signal: AbortSignal): Promise<void> {
    try {
      const choice = await this.#follow(server, signal);
      if (choice !== null) this.#conclude(server, choice.unread[0]?.failure ?? null, choice.passedOver);
    } catch (error) {
      if (!(error instanceof Failure)) return this.#deps.report(error, server.name);
      const said = this.#checked.get(server.name)?.check.passedOver ?? [];
      if (!signal.aborted) this.#conclude(server, error, said);
    }
  }

  /** null: it is not known yet what it stands at. */
  async #follow(server: Deployable, signal: AbortSignal): Promise<Choice | null> {
    const { updateIntervalMs, hint } = this.#deps;
    if (resolvedFor(server, this.#memoryOf(server)) === null) return null;
    const asking = { ...this.#deps, maxAgeMs: Math.min(updateIntervalMs / 2, SHARED_MS), signal };
    const choice = await bestOf(server, this.#memoryOf(server), asking);
    // While we asked, a commit may have changed what is followed.
    if (resolvedFor(server, this.#memoryOf(server)) === null) return null;
    if (choice.ripe !== null && server.autoUpdate) {
      await this.#take(server, choice.ripe);
      hint();
    } else await this.#note(server, choice);
    return choice;
  }

  async #take(server: Deployable, found: Found): Promise<void> {
    const why = server.strategy === 'latest' ? 'its tag has moved' : 'a newer version is in the registry';
    const because = { version: found.version, traceId: traceOf(server.name, this.#deps), why };
    await this.#deps.recorder.record(versionResolved(server, found, because));
  }

  /** Told once as long as it stays available; when it no longer is, that is told too. */
  async #note(server: Deployable, { ripe, young, unread }: Choice): Promise<void> {
    const newest = young[0] ?? ripe;
    const { found, updateNoted } = this.#memoryOf(server);
    // What cannot be read now may still be there.
    const told = ownValue(found, updateNoted ?? '')?.image;
    if (unread.some(({ image }) => image === told)) return;
    const wasTold = newest !== null && ownValue(found, newest.imageDigest) !== undefined;
    if (newest?.imageDigest === updateNoted || (newest === null && updateNoted === null)) return;
    if (newest === null || (wasTold && updateNoted !== null))
      await this.#withdraw(server, newest?.imageDigest ?? null);
    else await this.#tell(server, newest);
    this.#deps.hint();
  }

  async #tell(server: Deployable, found: Found): Promise<void> {
    await this.#deps.recorder.record({
      event: 'update_available',
      server: server.name,
      traceId: traceOf(server.name, this.#deps),
      fields: {
        ...{ image: found.image, image_digest: found.imageDigest, version: found.version },
        ...{
          current: resolvedFor(server, this.#memoryOf(server))?.version ?? null,
          first_seen_ms: found.firstSeenAt,
        },
        size_bytes: found.sizeBytes,
      },
    });
  }

  /** `still`: the image digest of what was told before and is still there. */
  async #withdraw(server: DesiredServer, still: string | null): Promise<void> {
    const { found, updateNoted } = this.#memoryOf(server);
    if (updateNoted === null) return;
    await this.#deps.recorder.record({
      event: 'update_withdrawn',
      server: server.name,
      traceId: traceOf(server.name, this.#deps),
      fields: { image_digest: updateNoted, version: ownValue(found, updateNoted)?.version ?? null, still },
    });
  }

  /** What does not move by itself any more has nothing available. */
  async #withdrawFixed({ servers }: DesiredState): Promise<void> {
    for (const server of servers) {
      if (!isFixed(server) || this.#memoryOf(server).updateNoted === null) continue;
      await this.#withdraw(server, null);
      this.#deps.hint();
    }
  }

  #memoryOf = ({ name }: DesiredServer): ServerMemory => memoryOf(this.#deps.recorder, name);

  /** What was found is told once, as long as it stays so: the next check is a moment away. */
  #conclude(server: Deployable, failure: Failure | null, passedOver: readonly PassedOver[]): void {
    const before = this.#checked.get(server.name)?.check ?? { failure: null, passedOver: [] };
    const isSame = failure !== null && before.failure?.reason === failure.code;
    const at = isSame ? before.failure.at : this.#deps.clock.now();
    const told = failure && { reason: failure.code, message: failure.message, at };
    this.#checked.set(server.name, { entry: server.entry, check: { failure: told, passedOver } });
    if (failure !== null && !isSame)
      this.#deps.log.warn({ server_name: server.name, code: failure.code }, inFull(failure));
    this.#sayPassedOver(server, passedOver, before.passedOver);
    const isNews = before.failure?.reason !== told?.reason || !isEqual(before.passedOver, passedOver);
    if (isNews) this.#deps.hint();
  }

  #sayPassedOver({ name }: Deployable, now: readonly PassedOver[], before: readonly PassedOver[]): void {
    for (const { image, why } of now) {
      if (before.some((one) => one.image === image && one.why === why)) continue;
      this.#deps.log.warn({ server_name: name, image }, `${image} is passed over: ${why}`);
    }
  }
}

interface Checked {
  readonly entry: string;
  readonly check: UpdateCheck;
}

/** What is asked for together: all tags of a repository, or one tag. */
function byImage(servers: readonly Deployable[]): ReadonlyMap<string, readonly Deployable[]> {
  const images = new Map<string, Deployable[]>();
  for (const server of servers) {
    const { image } = server.blueprint;
    const asked = server.strategy === 'latest' ? image : repositoryOf(image);
    images.set(asked, [...(images.get(asked) ?? []), server]);
  }
  return images;
}
