import { News } from '../lib/news.ts';
import { ownValue } from '../lib/own-value.ts';
import { Failure, inFull } from '../model/failure.ts';
import type { Request, StateFolder } from '../state/state.ts';
import type { SelfCheck } from '../status/status.ts';
import { Admission } from './admission.ts';
import { Diary } from './diary.ts';
import { Controller, type Settled } from './controller.ts';
import { Following } from './following.ts';
import { Intake } from './intake.ts';
import { Look } from './look.ts';
import { Mistakes } from './mistakes.ts';
import { Monitor } from './monitor.ts';
import { Recorder } from './recorder.ts';
import { meanwhile } from './meanwhile.ts';
import { keepObeying } from './requests.ts';
import type { OrchestratorOptions, Rooms } from './rooms.ts';
import { Sealing } from './sealing.ts';
import { Self } from './self.ts';
import { WriteBack } from './write-back.ts';

export interface Orchestrator {
  /** Resolves when what the source says now is settled; pending while the source is away or its newest is refused. */
  settled(): Promise<Settled>;
  readonly intake: Intake;
  readonly recorder: Recorder;
  /** Look at the source now. */
  poll(): void;
  /** Every step is held from now on. */
  lockLost(): void;
  /** Rejects with our own mistake; pending for ever otherwise. */
  readonly broken: Promise<never>;
  /** Stops deciding, lets the steps in hand end (at most `graceMs`), flushes. Servers keep running. */
  stop(graceMs: number): Promise<void>;
}

/** Joins the rooms and begins. Rejects with a `Failure` when history cannot be read or written. */
export async function startOrchestrator(rooms: Rooms, options: OrchestratorOptions): Promise<Orchestrator> {
  const joined = await join(rooms, options);
  await joined.begin();
  return joined;
}

async function join(rooms: Rooms, options: OrchestratorOptions): Promise<Joined> {
  const self = new Self(options.self);
  const recorder = await Recorder.open({
    ...rooms,
    newId: options.newId,
    scrub: (text) => rooms.secrets.scrub(text),
    recall: (event) => {
      options.recallEvent(event);
      rooms.notifier.recall(event);
    },
    tell: (event) => {
      options.noteEvent(event);
      rooms.notifier.tell(event);
    },
    journalState: (state) => self.set({ journal: state }),
  });
  const keptSpecs = await rooms.state.specs.load();
  return new Joined(rooms, options, { recorder, self, keptSpecs });
}

class Joined implements Orchestrator {
  readonly intake: Intake;
  readonly recorder: Recorder;
  readonly broken: Promise<never>;
  readonly #rooms: Rooms;
  readonly #options: OrchestratorOptions;
  readonly #self: Self;
  readonly #look: Look;
  readonly #monitor: Monitor;
  readonly #sealing: Sealing;
  readonly #admission: Admission;
  readonly #following: Following;
  readonly #writeBack: WriteBack;
  readonly #controller: Controller;
  readonly #diary: Diary;
  readonly #news: News;
  readonly #mistakes: Mistakes;
  readonly #sourceNews: News;
  readonly #end = new AbortController();
  readonly #loops: Promise<void>[] = [];
  readonly #sourceHeard: Promise<void>;
  #hearSource: () => void = () => undefined;
  #break: (error: unknown) => void = () => undefined;

  constructor(
    rooms: Rooms,
    options: OrchestratorOptions,
    made: { recorder: Recorder; self: Self; keptSpecs: Awaited<ReturnType<StateFolder['specs']['load']>> },
  ) {
    const { recorder, self, keptSpecs } = made;
    const { clock } = rooms;
    this.#rooms = rooms;
    this.#options = options;
    this.#self = self;
    this.recorder = recorder;
    this.broken = new Promise((_resolve, reject) => (this.#break = reject));
    this.#sourceHeard = new Promise((resolve) => (this.#hearSource = resolve));
    this.#news = new News(clock);
    this.#sourceNews = new News(clock);
    const hint = this.#news.hint;
    this.#mistakes = new Mistakes({ ...rooms, recorder, hint });
    this.intake = new Intake({ ...rooms, ...options, accepted: rooms.state.accepted, recorder });
    const report = (error: unknown, server?: string): void => this.#report(error, server);
    this.#sealing = new Sealing({ ...rooms, recorder, hint, report });
    this.#admission = new Admission({ ...rooms, hint, report });
    this.#following = new Following({ ...rooms, ...options, recorder, hint, report });
    this.#writeBack = new WriteBack({ ...rooms, ...options, recorder, moved: this.#sourceNews.hint });
    this.#monitor = new Monitor({ ...rooms, ...options, recorder, hint, report });
    const engineState = (engine: SelfCheck): void => self.set({ engine });
    const look = { ...rooms, ...options, recorder, keptSpecs, engineState, bootAt: clock.now() };
    const checks: Following['checks'] = (desired) => this.#following.checks(desired);
    const asked = { monitor: this.#monitor, sealing: this.#sealing, admission: this.#admission, checks };
    this.#look = new Look({ ...look, ...asked });
    this.#controller = this.#makeController();
    this.#diary = new Diary({ ...options, recorder, clock });
  }

  #makeController(): Controller {
    const { source, state } = this.#rooms;
    return new Controller({
      ...this.#rooms,
      news: this.#news,
      intake: this.intake,
      look: this.#look,
      monitor: this.#monitor,
      sealing: this.#sealing,
      recorder: this.recorder,
      mistakes: this.#mistakes,
      hands: {
        ...this.#rooms,
        ...this.#options,
        recorder: this.recorder,
        specs: state.specs,
        source: source.address,
      },
      passed: this.#options.passed,
      publish: (published) => this.#options.publish(published, this.intake.status),
    });
  }

  async begin(): Promise<void> {
    await this.#diary.begun();
    await this.intake.restore();
    const { signal } = this.#end;
    const { source, runtime, state } = this.#rooms;
    this.#loop(this.#watchSource(signal));
    this.#loop(this.#controller.run(signal));
    this.#loop(this.#following.run(() => this.intake.desired, signal));
    this.#loop(this.#publishEverySecond(signal));
    this.#loop(this.#diary.keepSaying((error) => this.#report(error), signal));
    this.#loop(source.watch(this.#sourceNews.hint, signal));
    this.#loop(runtime.watch(this.#controller.onRuntimeHint, signal));
    const news = new News(this.#rooms.clock);
    this.#loop(state.requests.watch(news.hint, signal));
    this.#loop(keepObeying(this.#requestsDeps(state.requests, news), signal));
  }

  async settled(): Promise<Settled> {
    // Until then only what was accepted before our start is in force.
    await this.#sourceHeard;
    const settled = this.#controller.settled();
    this.#news.hint();
    return settled;
  }

  poll(): void {
    this.#sourceNews.hint();
  }

  lockLost(): void {
    this.#look.lockLost();
    this.#news.hint();
  }

  async stop(graceMs: number): Promise<void> {
    const { clock, journal, notifier } = this.#rooms;
    this.#end.abort();
    this.#monitor.stop();
    const loops = Promise.allSettled(this.#loops);
    const inTime = await Promise.race([loops.then(() => true), clock.sleep(graceMs).then(() => false)]);
    const outcome = inTime ? 'ended' : 'a step was abandoned in the middle; the next start looks again';
    await this.#diary
      .ended(outcome)
      .catch((error: unknown) => this.#rooms.log.error({ err: error }, 'the end could not be written down'));
    await notifier.close();
    await journal.close();
  }

  #loop(loop: Promise<void>): void {
    this.#loops.push(loop.catch((error: unknown) => this.#report(error)));
  }

  /** A world that fails is logged and goes on being watched; our own mistake stays at the server that it is about, and else ends the program. */
  #report(error: unknown, server?: string): void {
    if (this.#end.signal.aborted) return;
    if (error instanceof Failure) this.#rooms.log.error({ code: error.code }, inFull(error));
    else if (server !== undefined) this.#mistakes.note(server, 'watching', error);
    else this.#break(error);
  }

  async #watchSource(signal: AbortSignal): Promise<void> {
    const { clock } = this.#rooms;
    while (!signal.aborted) {
      await this.#lookAtSource(signal).catch((error: unknown) => this.#report(error));
      const jitter = 0.9 + 0.2 * this.#options.random();
      await this.#sourceNews.wait(clock.now() + this.#options.intervalMs * jitter, signal);
    }
  }

  async #lookAtSource(signal: AbortSignal): Promise<void> {
    const every = { clock: this.#rooms.clock, everyMs: this.#options.intervalMs };
    // A source that is slow holds up no secret.
    const outcome = await meanwhile(this.intake.look(signal), () => this.#readSecrets(), every);
    const { status, desired } = this.intake;
    const known = desired !== null;
    this.#self.set({ manifest: status.state === 'synced' ? 'ok' : known ? 'degraded' : 'down' });
    if (status.state === 'synced') this.#hearSource();
    if (outcome === 'accepted') this.#news.hint();
    await this.#readSecrets();
    // In this loop: two users of one clone would be in each other's way.
    if (known && status.state === 'synced') await this.#writeBack.look(desired, signal);
  }

  async #readSecrets(): Promise<void> {
    const { desired } = this.intake;
    if (desired !== null) await this.#sealing.readSecrets(desired);
  }

  async #publishEverySecond(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#rooms.clock.sleep(1_000, signal);
      this.#controller.publish();
    }
  }

  #requestsDeps(requests: StateFolder['requests'], news: News): Parameters<typeof keepObeying>[0] {
    const report = (error: unknown): void => this.#report(error);
    const { recorder } = this;
    return { ...this.#rooms, recorder, requests, news, report, knows: this.#knows, obey: this.#obey };
  }

  readonly #knows = (server: string): boolean =>
    ownValue(this.recorder.memory.servers, server) !== undefined ||
    (this.intake.desired?.servers.some(({ name }) => name === server) ?? false);

  readonly #obey = ({ request, server }: Request): void => {
    if (request === 'sync') this.#sourceNews.hint();
    if (request === 'sync' || request === 'retry') this.#following.lookNow();
    if (request === 'sync' || request === 'retry') this.#admission.askAgain();
    if (request === 'retry' && server !== null) this.#sealing.retry(server);
    this.#news.hint();
  };
}
