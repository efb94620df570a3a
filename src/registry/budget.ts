import pLimit from 'p-limit';
import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';

/** What one host may be asked. */
export interface BudgetLimits {
  readonly parallel: number;
  /** Over any minute, on average; as many at once after a quiet minute. */
  readonly perMinute: number;
}

export const usualLimits: BudgetLimits = { parallel: 4, perMinute: 240 };

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * The one budget of a registry host. Nothing waits here for long: what may not be asked now is refused at once as
 * `registry_busy` with the time to come back, because waiting is the planner's business.
 */
export class Budget {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #limits: BudgetLimits;
  readonly #slots: ReturnType<typeof pLimit>;
  #allowance: number;
  #countedAt: number;
  #troubles = 0;
  #quiet: { readonly from: number; readonly until: number; readonly because: Failure } | null = null;

  constructor(clock: Clock, random: () => number, limits: BudgetLimits) {
    this.#clock = clock;
    this.#random = random;
    this.#limits = limits;
    this.#slots = pLimit(limits.parallel);
    this.#allowance = limits.perMinute;
    this.#countedAt = clock.now();
  }

  /** Runs one exchange with the host; its failure may quiet the host for everybody. */
  spend<T>(exchange: () => Promise<T>): Promise<T> {
    return this.#slots(async () => {
      this.#refuseWhileQuiet();
      this.#take();
      try {
        const value = await exchange();
        this.#troubles = 0;
        return value;
      } catch (error) {
        if (error instanceof Failure) this.#noteTrouble(error);
        throw error;
      }
    });
  }

  #refuseWhileQuiet(): void {
    const now = this.#clock.now();
    // A clock that was set back ends the pause: better one question too many than a registry lost for an hour.
    if (this.#quiet === null || now < this.#quiet.from || now >= this.#quiet.until) return;
    const { because, until } = this.#quiet;
    const seconds = Math.ceil((until - now) / 1000);
    const message = `${because.message}; not asked again for ${seconds} s`;
    throw new Failure(because.code, message, { retryAfterMs: until - now });
  }

  #take(): void {
    const now = this.#clock.now();
    const { perMinute } = this.#limits;
    const earned = (Math.max(0, now - this.#countedAt) * perMinute) / 60_000;
    this.#allowance = Math.min(perMinute, this.#allowance + earned);
    this.#countedAt = now;
    if (this.#allowance < 1) {
      const retryAfterMs = Math.ceil(60_000 / perMinute);
      throw new Failure('registry_busy', 'our own budget for this registry is spent', { retryAfterMs });
    }
    this.#allowance -= 1;
  }

  #noteTrouble(failure: Failure): void {
    if (failure.code !== 'registry_busy' && failure.code !== 'registry_unreachable') return;
    const backoff = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#troubles);
    const pause = (failure.retryAfterMs ?? backoff) * (1 + 0.2 * this.#random());
    this.#troubles += 1;
    const from = this.#clock.now();
    this.#quiet = { from, until: from + pause, because: failure };
  }
}
