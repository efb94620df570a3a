import type { Clock } from '../../lib/clock.ts';
import { Failure } from '../../model/failure.ts';
import type { Instance, Sighting, Stranger } from '../../model/observed.ts';
import { repositoryOf } from '../../model/spec.ts';
import type { Birth, RuntimeHint } from '../runtime.ts';
import { answerNow, imageOf, newContainer, toInstance } from './container.ts';
import type { Answer, Behaviour, Container } from './container.ts';

interface EngineOptions {
  readonly clock: Clock;
  /** Makes container ids. */
  readonly ids: () => string;
}

const FIRST_PORT = 40_000;
const TERMINATED = 143;

const withoutTag = (image: string): string => `${repositoryOf(image)}@${image.split('@')[1] ?? ''}`;

/** A whole engine in memory: containers, images, ports and its own starts and stops. Nothing in it takes time. */
export class MemoryEngine {
  readonly images = new Set<string>();
  readonly strangers = new Map<string, Stranger>();
  readonly #options: EngineOptions;
  readonly #containers = new Map<string, Container>();
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #listeners = new Set<(hint: RuntimeHint) => void>();
  #startedAt: number;
  #up = true;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  sight(owner: string, images: readonly string[]): Sighting {
    this.#letTimePass();
    return {
      engine: { id: 'memory', startedAt: this.#startedAt, version: 'memory' },
      instances: this.containers()
        .filter((each) => each.birth.owner === owner)
        .map((each) => this.instance(each)),
      images: [...new Set(images.map(withoutTag))].filter((image) => this.images.has(image)),
      strangers: [...this.strangers.values(), ...this.#ofOtherOwners(owner)],
    };
  }

  containers(): readonly Container[] {
    return [...this.#containers.values()];
  }

  instance(container: Container): Instance {
    return toInstance(container, this.#behaviour(container), this.#now());
  }

  /** By id or by name; rejects with `not_found`. */
  container(key: string): Container {
    const found = this.find(key);
    if (found === undefined) throw new Failure('not_found', `there is no container ${key}`);
    return found;
  }

  find(key: string): Container | undefined {
    return this.#containers.get(key) ?? this.containers().find((each) => each.name === key);
  }

  answer(container: Container): Answer {
    this.#letTimePass();
    return answerNow(container, this.#behaviour(container), this.#now());
  }

  behave(target: string, behaviour: Behaviour): void {
    this.#behaviours.set(target, behaviour);
  }

  add(birth: Birth): Container {
    const hostPort = birth.spec.hostPort === 0 ? this.#freePort() : birth.spec.hostPort;
    const container = newContainer(birth, { id: this.#options.ids(), hostPort, now: this.#now() });
    this.#containers.set(container.id, container);
    this.#say(container, 'create');
    return container;
  }

  /** Starting what runs is nothing. Rejects with `port_taken`, or with what its behaviour says. */
  start(container: Container): void {
    if (container.state === 'running') return;
    this.#refuseTakenPort(container);
    this.#refuseFailingStart(container);
    Object.assign(container, { state: 'running', startedAt: this.#now(), exitCode: null, oomKilled: false });
    this.#say(container, 'start');
    this.#awaitExit(container);
  }

  end(
    container: Container,
    code: number,
    how: { readonly oomKilled?: boolean; readonly at?: number } = {},
  ): void {
    if (container.state !== 'running') return;
    const finishedAt = how.at ?? this.#now();
    Object.assign(container, {
      state: 'exited',
      finishedAt,
      exitCode: code,
      oomKilled: how.oomKilled ?? false,
    });
    this.#say(container, 'die');
  }

  join(container: Container, joined: boolean): void {
    container.joined = joined;
    this.#say(container, joined ? 'connect' : 'disconnect');
  }

  drop(container: Container): void {
    this.#containers.delete(container.id);
    this.#say(container, 'destroy');
  }

  usesImage(image: string): boolean {
    return this.containers().some((container) => imageOf(container) === image);
  }

  /** Everything that runs ends, and nobody answers until `boot`. */
  shutDown(): void {
    for (const container of this.containers()) this.end(container, TERMINATED);
    this.#up = false;
    this.hint({ kind: 'disconnected', error: 'the engine in memory was stopped' });
  }

  boot(): void {
    this.#up = true;
    const exits = this.containers().map((container) => container.finishedAt + 1);
    this.#startedAt = Math.max(this.#now(), ...exits);
    this.hint({ kind: 'connected' });
  }

  refuseIfDown(): void {
    if (!this.#up) throw new Failure('engine_unreachable', 'the engine in memory is stopped');
  }

  listen(listener: (hint: RuntimeHint) => void): () => void {
    this.#listeners.add(listener);
    listener(
      this.#up ? { kind: 'connected' } : { kind: 'disconnected', error: 'the engine in memory is stopped' },
    );
    return () => this.#listeners.delete(listener);
  }

  hint(hint: RuntimeHint): void {
    for (const listener of this.#listeners) listener(hint);
  }

  #say(container: Container, what: string): void {
    this.hint({ kind: 'look', server: container.birth.spec.server, what });
  }

  #behaviour(container: Container): Behaviour {
    return this.#behaviours.get(container.id) ?? this.#behaviours.get(container.birth.spec.imageDigest) ?? {};
  }

  #refuseTakenPort(container: Container): void {
    const taken = this.containers().some(
      (each) => each.state === 'running' && each.hostPort === container.hostPort,
    );
    const foreign = [...this.strangers.values()].some((each) => each.hostPorts.includes(container.hostPort));
    if (taken || foreign)
      throw new Failure('port_taken', `port ${container.hostPort} is taken`, { container: container.id });
  }

  #refuseFailingStart(container: Container): void {
    const failure = this.#behaviour(container).startFails;
    if (failure === undefined) return;
    throw new Failure(failure.code, failure.message, { class: failure.class, container: container.id });
  }

  #freePort(): number {
    const taken = new Set([
      ...this.containers().map((each) => each.hostPort),
      ...[...this.strangers.values()].flatMap((each) => each.hostPorts),
    ]);
    let port = FIRST_PORT;
    while (taken.has(port)) port += 1;
    return port;
  }

  #awaitExit(container: Container): void {
    const { exitsAfterMs } = this.#behaviour(container);
    if (exitsAfterMs === undefined) return;
    void this.#options.clock.sleep(exitsAfterMs).then(() => this.#letTimePass());
  }

  /** Ends whose time has come happen at their own time, however late somebody looks. */
  #letTimePass(): void {
    for (const container of this.containers()) {
      const { exitsAfterMs, exitCode = 1 } = this.#behaviour(container);
      const at = container.startedAt + (exitsAfterMs ?? Infinity);
      if (at <= this.#now()) this.end(container, exitCode, { at });
    }
  }

  #ofOtherOwners(owner: string): Stranger[] {
    return this.containers()
      .filter((each) => each.birth.owner !== owner)
      .map(({ name, birth, hostPort, state }) => ({
        name,
        server: birth.spec.server,
        hostPorts: state === 'running' ? [hostPort] : [],
      }));
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
