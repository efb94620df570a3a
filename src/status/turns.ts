import { nextTurn } from '../lib/clock.ts';

/**
 * Lets so many requests be answered before everything else in this program has a turn. However many ask at once, a probe,
 * an answer of the engine or a decision waits for these and not for all.
 */
export class Turns {
  readonly #atOnce: number;
  #left: number;
  #waiting: (() => void)[] = [];
  #isRefilling = false;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
    this.#left = atOnce;
  }

  /** Calls `serve` now or in a later turn, in the order of asking. */
  take(serve: () => void): void {
    this.#waiting.push(serve);
    this.#serve();
    if (!this.#isRefilling) void this.#refill();
  }

  #serve(): void {
    const now = this.#waiting.splice(0, this.#left);
    this.#left -= now.length;
    for (const serve of now) serve();
  }

  async #refill(): Promise<void> {
    this.#isRefilling = true;
    while (this.#left < this.#atOnce) {
      await nextTurn();
      this.#left = this.#atOnce;
      this.#serve();
    }
    this.#isRefilling = false;
  }
}
