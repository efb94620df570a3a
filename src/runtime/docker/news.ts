/**
 * What the engine's events have told: since when none was missed, and which containers changed. What was learned by
 * asking stays true while the mark is the same and the container untouched.
 */
export class News {
  readonly #touched = new Map<string, number>();
  /** Containers of ours, as last observed: by id, the server. */
  readonly #servers = new Map<string, string>();
  readonly #stoppedByUs = new Set<string>();
  #images = 0;
  #connections = 0;
  #connected = false;

  connected(): void {
    this.#connected = true;
    this.#connections += 1;
  }

  disconnected(): void {
    this.#connected = false;
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
    for (const id of this.#stoppedByUs) if (!servers.has(id)) this.#stoppedByUs.delete(id);
  }

  serverOf(container: string): string | null {
    return this.#servers.get(container) ?? null;
  }

  /** Until it starts again, every request to end it is ours. */
  weStop(container: string): void {
    this.#stoppedByUs.add(container);
  }

  started(container: string): void {
    this.#stoppedByUs.delete(container);
  }

  isStopOurs(container: string): boolean {
    return this.#stoppedByUs.has(container);
  }
}
