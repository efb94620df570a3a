import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { News } from '../lib/news.ts';
import { Failure, inFull } from '../model/failure.ts';
import type { DesiredState } from '../model/desired.ts';
import { dependencyOrder } from '../manifest/order.ts';
import type { Decision, Plan } from '../model/step.ts';
import type { World } from '../model/world.ts';
import { planApart } from '../plan/apart.ts';
import { isSettled, type Settlement } from '../plan/plan.ts';
import type { PullProgress, RuntimeHint } from '../runtime/runtime.ts';
import { Dispatch } from './dispatch.ts';
import type { Intake } from './intake.ts';
import type { Look } from './look.ts';
import type { Mistakes } from './mistakes.ts';
import type { Monitor } from './monitor.ts';
import type { Hands } from './perform.ts';
import type { Recorder } from './recorder.ts';
import type { Sealing } from './sealing.ts';

export interface ControllerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly news: News;
  readonly intake: Intake;
  readonly look: Look;
  readonly monitor: Monitor;
  readonly sealing: Sealing;
  readonly recorder: Recorder;
  readonly mistakes: Mistakes;
  readonly hands: Omit<Hands, 'revision' | 'progress'>;
  /** Called after every pass and every second. */
  readonly publish: (published: Published) => void;
  /** Told of every pass, for the figures. */
  readonly passed: (result: 'ok' | 'failed', seconds: number) => void;
}

/** What the status is made of. */
export interface Published {
  readonly world: World;
  readonly plan: Plan;
  readonly inHand: ReturnType<Dispatch['inHand']>;
  /** Servers about which a mistake of ours is known. */
  readonly aside: readonly string[];
  readonly progress: Readonly<Record<string, PullProgress>>;
}

export interface Settled {
  readonly outcome: 'applied' | 'partial';
  readonly failed: readonly string[];
}

/**
 * Without any news everything is looked at again after this time: events are hints and may be lost. With the time for
 * which a runtime believes what it has inspected (25 s) it is less than a minute.
 */
const RESYNC_MS = 30_000;
/** Many hints at once make one pass. */
const LEAST_BETWEEN_PASSES_MS = 25;
const PROGRESS_EVERY_MS = 5_000;
const LOOK_DEADLINE_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Look, decide one step a server, do it, look again. */
export class Controller {
  readonly #deps: ControllerDeps;
  readonly #dispatch: Dispatch;
  readonly #progress = new Map<string, PullProgress>();
  readonly #nextSaying = new Map<string, number>();
  readonly #whenSettled: ((settled: Settled) => void)[] = [];
  /** The engine is back: nobody has to wait for the next try. */
  readonly #reconnected: News;
  #failures = 0;
  #latest: Omit<Published, 'inHand' | 'progress' | 'aside'> | null = null;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#reconnected = new News(deps.clock);
    this.#dispatch = new Dispatch({ log: deps.log, hint: deps.news.hint, mistakes: deps.mistakes });
  }

  /** Passes until `signal` aborts; then waits until the steps in hand have ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { news, clock } = this.#deps;
    let wakeAt = clock.now();
    while (!signal.aborted) {
      await news.wait(wakeAt, signal);
      if (signal.aborted) break;
      wakeAt = await this.#pass(signal);
      await clock.sleep(LEAST_BETWEEN_PASSES_MS, signal);
    }
    await this.#dispatch.drain();
  }

  /** Says what is now, with the ages of now. */
  publish(): void {
    if (this.#latest === null) return;
    const { world, plan } = this.#latest;
    const pulses = this.#deps.monitor.pulses();
    this.#deps.publish({
      plan,
      world: { ...world, pulses, now: this.#deps.clock.now(), memory: this.#deps.recorder.memory },
      inHand: this.#dispatch.inHand(),
      aside: this.#deps.mistakes.servers(),
      progress: Object.fromEntries(this.#progress),
    });
  }

  /** Resolves at the next pass that finds the accepted revision settled. */
  settled(): Promise<Settled> {
    return new Promise((resolve) => this.#whenSettled.push(resolve));
  }

  /** Passes on what the engine said; it only makes us look. */
  readonly onRuntimeHint = (hint: RuntimeHint): void => {
    this.#deps.look.note(hint);
    if (hint.kind === 'connected') this.#reconnected.hint();
    this.#deps.news.hint();
  };

  /** The one catch around one pass. Returns when to look again without news (Unix ms). */
  async #pass(signal: AbortSignal): Promise<number> {
    const { clock, log, passed } = this.#deps;
    const begun = clock.now();
    try {
      const wakeAt = await this.#lookDecideDo(signal);
      passed('ok', (clock.now() - begun) / 1_000);
      this.#failures = 0;
      return wakeAt;
    } catch (error) {
      if (signal.aborted) return clock.now();
      passed('failed', (clock.now() - begun) / 1_000);
      this.#failures += 1;
      const wait = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), LONGEST_RETRY_MS);
      const says = error instanceof Failure ? inFull(error) : 'our own mistake in a pass';
      log.error({ err: error instanceof Failure ? undefined : error, retry_in_ms: wait }, says);
      await this.#reconnected.wait(clock.now() + wait, signal);
      return clock.now();
    }
  }

  async #lookDecideDo(signal: AbortSignal): Promise<number> {
    const { intake, look, clock, recorder, mistakes } = this.#deps;
    const { desired } = intake;
    if (desired === null) return clock.now() + RESYNC_MS;
    const lookedAt = this.#dispatch.moment();
    const seen = await look.world(desired, clock.deadline(LOOK_DEADLINE_MS, signal));
    const { world, plan, apart } = planApart(seen);
    for (const { server, error } of apart) mistakes.note(server, 'decision', error);
    const aside = apart.map(({ server }) => server);
    this.#latest = { world, plan };
    await this.#noteAll(plan, desired.traceId);
    const hands = { ...this.#deps.hands, revision: desired.revision, progress: this.#onProgress };
    const looked = { lookedAt, images: world.sighting.images };
    const retryAt = this.#dispatch.begin(inOrder(plan.decisions, desired), { ...hands, ...looked });
    // Intents of what was just begun are in memory before anything else is planned: the budget counts them.
    await recorder.flush();
    this.publish();
    await this.#noteSettled(world, plan, aside);
    return earliest([retryAt, ...plan.decisions.map(({ wakeAt }) => wakeAt)], clock.now() + RESYNC_MS);
  }

  async #noteAll(plan: Plan, traceId: string): Promise<void> {
    for (const note of plan.notes) await this.#deps.recorder.record({ ...note, server: null, traceId });
  }

  async #noteSettled(world: World, plan: Plan, aside: readonly string[]): Promise<void> {
    const { recorder, clock, intake } = this.#deps;
    // A newer manifest may have come while we looked; what was decided is about the one before.
    if (world.desired !== intake.desired) return;
    const settled = without(isSettled(world, plan), aside);
    if (settled === null || Object.keys(this.#dispatch.inHand()).length > 0) return;
    const { revision, traceId } = world.desired;
    const { memory } = recorder;
    if (memory.revision === revision && memory.settled !== revision) {
      const seconds = Math.round((clock.now() - memory.acceptedAt) / 1_000);
      const fields = { revision, outcome: settled.outcome, seconds, servers_failed: settled.failed };
      await recorder.record({ event: 'revision_settled', server: null, traceId, fields });
      await this.#deps.hands.specs.retain(specsInUse(world));
    }
    for (const resolve of this.#whenSettled.splice(0)) resolve(settled);
  }

  readonly #onProgress = (server: string, progress: PullProgress | null): void => {
    if (progress === null) this.#progress.delete(server);
    else this.#progress.set(server, progress);
    this.#sayProgress(server, progress);
  };

  /** A long pull says every few seconds how far it is. */
  #sayProgress(server: string, progress: PullProgress | null): void {
    const now = this.#deps.clock.now();
    const due = (this.#nextSaying.get(server) ?? now + PROGRESS_EVERY_MS) <= now;
    if (progress === null) this.#nextSaying.delete(server);
    else if (due || !this.#nextSaying.has(server)) this.#nextSaying.set(server, now + PROGRESS_EVERY_MS);
    if (progress === null || !due || progress.total === 0) return;
    const share = Math.floor((100 * progress.done) / progress.total);
    const size = (progress.total / 1_000_000).toFixed(0);
    this.#deps.log.info({ server_name: server }, `pulling ${server}: ${share} % of ${size} MB`);
  }
}

/** Of whom nothing is decided, nothing is as desired. */
const without = (settled: Settlement | null, aside: readonly string[]): Settlement | null =>
  settled === null || aside.length === 0
    ? settled
    : { outcome: 'partial', failed: [...settled.failed, ...aside] };

/** Digests that something runs, wants, or could go back to; of all others no resolved spec need be kept. */
function specsInUse({ wanted, sighting, memory }: World): string[] {
  const remembered = Object.values(memory.servers).flatMap(({ stable, promoted, rollout }) => [
    stable,
    promoted?.spec,
    rollout?.spec,
  ]);
  const labelled = sighting.instances.map(({ specDigest }) => specDigest);
  const digests = [...Object.values(wanted).map(({ digest }) => digest), ...labelled, ...remembered];
  return [...new Set(digests.filter((digest) => digest != null))];
}

/** Dependencies first: where room is short, nobody is begun before what it depends on. */
function inOrder(decisions: readonly Decision[], { servers }: DesiredState): readonly Decision[] {
  const places = new Map(dependencyOrder(servers).map(({ name }, place) => [name, place]));
  const placeOf = ({ server }: Decision): number => places.get(server) ?? Infinity;
  return [...decisions].sort((a, b) => placeOf(a) - placeOf(b));
}

function earliest(times: readonly (number | null)[], latest: number): number {
  return times.reduce<number>((first, time) => (time === null ? first : Math.min(first, time)), latest);
}
