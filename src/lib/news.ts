import type { Clock } from './clock.ts';
import { either } from './either.ts';

/** A sleep that news can end. News that comes while nobody sleeps ends the next sleep at once. */
export class News {
  readonly #clock: Clock;
  #pending = false;
  #wake: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody says: look. Carries no facts. */
  readonly hint = (): void => {
    this.#pending = true;
    this.#wake?.abort();
  };

  /** Resolves at `until` (Unix ms), at the next hint, or when `signal` aborts. */
  async wait(until: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending) {
      this.#wake = new AbortController();
      const both = either(signal, this.#wake.signal);
      await this.#clock.sleep(until - this.#clock.now(), both.signal);
      both.release();
    }
    this.#wake = null;
    this.#pending = false;
  }
}
