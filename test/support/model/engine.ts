import type { Instance } from '../../../src/model/observed.ts';
import { imageRefOf, type Spec } from '../../../src/model/spec.ts';
import { SOURCE } from '../world.ts';

/** How a version behaves. Times are seconds after its start. */
export type Trait = 'good' | 'slow' | 'never' | 'exits' | 'ends' | 'late' | 'sickens' | 'wrong' | 'rejected';

/** These did nothing wrong. */
export const innocent: ReadonlySet<Trait> = new Set(['good', 'slow']);

/** Seconds after its start when a version ends by itself, and its exit code. */
const exits: Partial<Record<Trait, readonly [number, number]>> = {
  exits: [2, 1],
  ends: [6, 0],
  late: [14, 1],
};

/** What really is: containers, images, and what a question would be answered. */
export class Engine {
  readonly containers = new Map<string, Instance>();
  /** Made by a person of one of ours: never to be touched. */
  readonly copies: Instance[] = [];
  readonly images = new Set<string>();
  readonly hung = new Set<string>();
  /** Servers of which another tool changes every new container. */
  readonly touched = new Set<string>();
  /** They answer, and badly. */
  readonly ailing = new Set<string>();
  readonly traits = new Map<string, Trait>();
  startedAt = 1;
  /** Until then nobody can reach it. */
  downUntil = 0;
  #made = 0;

  traitOf({ specDigest }: Instance): Trait {
    return this.traits.get(specDigest) ?? 'good';
  }

  list(): Instance[] {
    return [...this.containers.values()];
  }

  /** Of the next container. */
  get nextName(): string {
    return `i-c${this.#made + 1}`;
  }

  /** As by `docker commit`: all labels are the same, its name and its image are not. */
  copy(one: Instance, now: number): void {
    this.#made += 1;
    const id = `copy${this.#made}`;
    const drift = [...one.drift, 'name', 'image'];
    this.copies.push({ ...one, id, name: id, joined: false, createdAt: now, startedAt: now, drift });
  }

  create(spec: Spec, now: number): Instance {
    this.#made += 1;
    const id = `c${this.#made}`;
    const made: Instance = {
      id,
      server: spec.server,
      instance: `i-${id}`,
      name: `${spec.server}-i-${id}`,
      spec,
      specDigest: spec.digest,
      revision: 'rev',
      traceId: 'trace',
      source: SOURCE,
      state: 'created',
      joined: false,
      createdAt: now,
      startedAt: 0,
      finishedAt: 0,
      exitCode: null,
      oomKilled: false,
      drift: this.touched.has(spec.server) ? ['changed by a tool'] : [],
      hostAddress: null,
      containerAddress: null,
      engineHealth: null,
      healthcheckFailure: null,
      pid: null,
    };
    this.containers.set(id, made);
    return made;
  }

  change(id: string, change: Partial<Instance>): void {
    const known = this.containers.get(id);
    if (known !== undefined) this.containers.set(id, { ...known, ...change });
  }

  start(id: string, now: number): void {
    if (this.containers.get(id)?.state === 'running') return;
    this.hung.delete(id);
    this.ailing.delete(id);
    this.change(id, { state: 'running', startedAt: now });
  }

  end(id: string, now: number, exitCode: number): void {
    if (this.containers.get(id)?.state !== 'running') return;
    this.change(id, { state: 'exited', finishedAt: now, exitCode });
  }

  heal(): void {
    this.hung.clear();
    this.ailing.clear();
  }

  /** Everything ends with the engine, and is started by nobody but us. */
  restart(now: number, seconds: number): void {
    for (const { id } of this.list()) this.end(id, now, 143);
    this.downUntil = now + seconds * 1_000;
    this.startedAt = this.downUntil;
  }

  /** When something ends next by itself; Infinity: nothing will. */
  nextEnd(): number {
    return Math.min(...this.list().map((one) => this.#endAt(one)));
  }

  advance(now: number): void {
    for (const one of this.list()) {
      const at = this.#endAt(one);
      if (at <= now) this.end(one.id, at, exits[this.traitOf(one)]?.[1] ?? 1);
    }
  }

  #endAt(one: Instance): number {
    const exit = exits[this.traitOf(one)];
    return one.state === 'running' && exit !== undefined ? one.startedAt + exit[0] * 1_000 : Infinity;
  }

  /** What it would answer if it were asked now. */
  answer(one: Instance, now: number): 'ok' | 'status_500' | 'timeout' {
    const age = (now - one.startedAt) / 1_000;
    if (one.state !== 'running' || this.hung.has(one.id)) return 'timeout';
    const trait = this.traitOf(one);
    if (this.ailing.has(one.id)) return 'status_500';
    if (trait === 'never') return 'status_500';
    if (trait === 'sickens') return age < 9 ? 'ok' : 'status_500';
    return age < (trait === 'slow' ? 8 : 1) ? 'timeout' : 'ok';
  }

  has(spec: Spec): boolean {
    return this.images.has(imageRefOf(spec));
  }
}
