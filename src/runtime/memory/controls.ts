import type { Clock } from '../../lib/clock.ts';
import { Failure } from '../../model/failure.ts';
import type { Instance, Stranger } from '../../model/observed.ts';
import type { Answer, Behaviour } from './container.ts';
import type { MemoryEngine } from './engine.ts';

export type Verb =
  | 'observe'
  | 'pull'
  | 'admit'
  | 'create'
  | 'start'
  | 'restart'
  | 'promote'
  | 'leave'
  | 'stop'
  | 'remove'
  | 'removeImage'
  | 'logs'
  | 'localDigest'
  | 'platform'
  | 'about';

const PERSON_STOPPED = 143;

/**
 * What happens to the engine in memory from outside: accidents, people, faults. Containers are named by id or name.
 * Also counts what was asked of it.
 */
export class MemoryControls {
  /** One line a write verb that reached the engine, e.g. `create mcp-server-a-i-1`. */
  readonly deeds: string[] = [];
  /** How often it was observed. */
  looks = 0;
  /** Digests that can be pulled, by `repository:tag`. */
  readonly registry = new Map<string, string>();
  readonly #engine: MemoryEngine;
  readonly #clock: Clock;
  readonly #troubles = new Map<Verb, Trouble[]>();
  readonly #durations = new Map<Verb, number>();

  constructor(engine: MemoryEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  get writes(): number {
    return this.deeds.length;
  }

  /** All containers, whoever owns them. */
  instances(): readonly Instance[] {
    return this.#engine.containers().map((each) => this.#engine.instance(each));
  }

  /** What a probe of it would bring; `refused` when there is no such container. */
  answerOf(container: string): Answer {
    const found = this.#engine.find(container);
    if (found !== undefined) return this.#engine.answer(found);
    return { kind: 'refused', version: null, activeSessions: null, activeRequests: null };
  }

  /** For every container of an image digest, or for one container id, which weighs more. */
  behave(target: string, behaviour: Behaviour): void {
    this.#engine.behave(target, behaviour);
  }

  /** `image` as `repository:tag`; it can be pulled by this digest from now on. */
  publish(image: string, digest: string): void {
    this.registry.set(image, digest);
  }

  crash(container: string, code: number, options: { readonly oomKilled?: boolean } = {}): void {
    this.#engine.end(this.#engine.container(container), code, options);
  }

  /** It runs on and answers nobody. */
  hang(container: string): void {
    this.#engine.behave(this.#engine.container(container).id, { answers: 'silent' });
  }

  setDrift(container: string, drift: readonly string[]): void {
    const found = this.#engine.container(container);
    found.drift = drift;
    this.#engine.hint({ kind: 'look', server: found.birth.spec.server, what: 'update' });
  }

  stopByHand(container: string, code: number = PERSON_STOPPED): void {
    const found = this.#engine.container(container);
    this.#engine.hint({ kind: 'kill_requested', container: found.id, at: this.#clock.now() });
    this.#engine.end(found, code);
  }

  startByHand(container: string): void {
    this.#engine.start(this.#engine.container(container));
  }

  /** Cuts it off the live network. */
  disconnectByHand(container: string): void {
    this.#engine.join(this.#engine.container(container), false);
  }

  removeByHand(container: string): void {
    const found = this.#engine.container(container);
    this.#engine.hint({ kind: 'kill_requested', container: found.id, at: this.#clock.now() });
    this.#engine.drop(found);
  }

  /** `repository@digest`. */
  pullByHand(image: string): void {
    this.#engine.images.add(image);
  }

  /** `repository@digest`. */
  removeImageByHand(image: string): void {
    this.#engine.images.delete(image);
    this.#engine.hint({ kind: 'look', server: null, what: 'delete' });
  }

  stopEngine(): void {
    this.#engine.shutDown();
  }

  startEngine(): void {
    this.#engine.boot();
  }

  restartEngine(): void {
    this.stopEngine();
    this.startEngine();
  }

  /** A container that is not ours; one of the same name takes its place. */
  stranger(stranger: Stranger): void {
    this.#engine.strangers.set(stranger.name, stranger);
    this.#engine.hint({ kind: 'look', server: stranger.server, what: 'create' });
  }

  strangerGone(name: string): void {
    this.#engine.strangers.delete(name);
    this.#engine.hint({ kind: 'look', server: null, what: 'destroy' });
  }

  /**
   * The next such verb rejects; with `done` the deed was done and only its answer was lost, with `meanwhile` half of it
   * was. May be called several times.
   */
  failNext(verb: Verb, failure: Failure, how: Omit<Trouble, 'failure'> = {}): void {
    const waiting = this.#troubles.get(verb) ?? [];
    this.#troubles.set(verb, [...waiting, { failure, ...how }]);
  }

  /** From now on the verb takes this long; `Infinity`: until its signal aborts. */
  takes(verb: Verb, ms: number): void {
    this.#durations.set(verb, ms);
  }

  /** Lets a verb happen under all that was asked for above. */
  async perform<T>(verb: Verb, signal: AbortSignal, act: () => T): Promise<T> {
    await this.#pass(this.#durations.get(verb) ?? 0, signal);
    if (signal.aborted) throw new Failure('engine_timeout', `${verb} took too long`);
    this.#engine.refuseIfDown();
    const trouble = this.#troubles.get(verb)?.shift();
    trouble?.meanwhile?.();
    if (trouble !== undefined && trouble.done !== true) throw trouble.failure;
    const result = act();
    if (trouble !== undefined) throw trouble.failure;
    return result;
  }

  async #pass(ms: number, signal: AbortSignal): Promise<void> {
    if (ms === Infinity) await aborted(signal);
    else if (ms > 0) await this.#clock.sleep(ms, signal);
  }
}

interface Trouble {
  readonly failure: Failure;
  readonly done?: boolean;
  readonly meanwhile?: () => void;
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
