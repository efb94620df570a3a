import type { Instance } from '../../model/observed.ts';

/**
 * What the engine's events have told: since when none was missed, and which containers changed. What was learned by
 * asking stays true while the mark is the same and the container untouched.
 */
export class News {
  readonly #touched = new Map<string, number>();
  /** What happened to each of them last, in the engine's word. */
  readonly #latest = new Map<string, string>();
  /** Containers of ours, as last observed: by id, the server. */
  readonly #servers = new Map<string, string>();
  /** Containers that we asked to end, and how many of these ends have not been told of yet. */
  readonly #stoppedByUs = new Map<string, number>();
  #images = 0;
  #connections = 0;
  #connected = false;

  connected(): void {
    this.#connected = true;
    this.#connections += 1;
  }

  /** Ends that happen now are not told of any more. */
  disconnected(): void {
    this.#connected = false;
    for (const id of this.#stoppedByUs.keys()) this.#stoppedByUs.set(id, 0);
  }

  /** Stays the same while no event can have been missed; null while they can. */
  get mark(): number | null {
    return this.#connected ? this.#connections : null;
  }

  touch(container: string): void {
    this.#touched.set(container, this.touches(container) + 1);
  }

  /** How often something happened to it. */
  touches(container: string): number {
    return this.#touched.get(container) ?? 0;
  }

  heard(container: string, action: string): void {
    this.touch(container);
    this.#latest.set(container, action);
  }

  latestOf(container: string): string | null {
    return this.#latest.get(container) ?? null;
  }

  touchImages(): void {
    this.#images += 1;
  }

  get imageTouches(): number {
    return this.#images;
  }

  /** Replaces what is known of our containers, and forgets those that are gone. */
  know(servers: ReadonlyMap<string, string>): void {
    this.#servers.clear();
    for (const [id, server] of servers) this.#servers.set(id, server);
    for (const id of this.#touched.keys()) if (!servers.has(id)) this.#touched.delete(id);
    for (const id of this.#latest.keys()) if (!servers.has(id)) this.#latest.delete(id);
    for (const id of this.#stoppedByUs.keys()) if (!servers.has(id)) this.#stoppedByUs.delete(id);
  }

  serverOf(container: string): string | null {
    return this.#servers.get(container) ?? null;
  }

  /** Until it starts again, every request to end it is ours. */
  weStop({ id, state }: Pick<Instance, 'id' | 'state'>): void {
    this.#stoppedByUs.set(id, (this.#stoppedByUs.get(id) ?? 0) + (state === 'running' ? 1 : 0));
  }

  ended(container: string): void {
    const untold = this.#stoppedByUs.get(container) ?? 0;
    if (untold > 0) this.#stoppedByUs.set(container, untold - 1);
  }

  /** News may be late: a start that is told before an end we asked for was before it. */
  started(container: string): void {
    if (this.#stoppedByUs.get(container) === 0) this.#stoppedByUs.delete(container);
  }

  isStopOurs(container: string): boolean {
    return this.#stoppedByUs.has(container);
  }
}
