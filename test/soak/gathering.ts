/** Resolves `complete` once so many have come. */
export class Gathering {
  readonly complete: Promise<void>;
  readonly size: number;
  readonly #there = new Set<number>();
  #done = (): void => undefined;

  constructor(size: number) {
    this.size = size;
    this.complete = new Promise((resolve) => (this.#done = resolve));
  }

  come(who: number): void {
    this.#there.add(who);
    if (this.#there.size === this.size) this.#done();
  }
}
