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

/** It says nothing of other questions to the same host. */
export class OneQuestion extends Failure {}

interface Quiet {
  readonly from: number;
  readonly until: number;
  readonly because: Failure;
}

const HOST = '';
/** Beyond it all pauses are forgotten rather than kept for ever. */
const MOST_QUESTIONS = 1000;

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
  /** How often it failed in a row, and until when nobody asks: by question, and by `HOST` for every one. */
  readonly #troubles = new Map<string, number>();
  readonly #quiet = new Map<string, Quiet>();

  constructor(clock: Clock, random: () => number, limits: BudgetLimits) {
    this.#clock = clock;
    this.#random = random;
    this.#limits = limits;
    this.#slots = pLimit(limits.parallel);
    this.#allowance = limits.perMinute;
    this.#countedAt = clock.now();
  }

  /** Runs one exchange with the host; its failure may quiet this question, or the host for everybody. */
  spend<T>(question: string, exchange: () => Promise<T>): Promise<T> {
    return this.#slots(async () => {
      this.#refuseWhileQuiet(HOST);
      this.#refuseWhileQuiet(question);
      this.#take();
      try {
        const value = await exchange();
        for (const what of [HOST, question]) this.#troubles.delete(what);
        return value;
      } catch (error) {
        if (error instanceof Failure) this.#noteTrouble(error, question);
        throw error;
      }
    });
  }

  #refuseWhileQuiet(what: string): void {
    const now = this.#clock.now();
    const quiet = this.#quiet.get(what);
    // A clock that was set back ends the pause: better one question too many than a registry lost for an hour.
    if (quiet === undefined || now < quiet.from || now >= quiet.until) return;
    const { because, until } = quiet;
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

  #noteTrouble(failure: Failure, question: string): void {
    if (failure.code !== 'registry_busy' && failure.code !== 'registry_unreachable') return;
    const what = failure instanceof OneQuestion ? question : HOST;
    const troubles = this.#troubles.get(what) ?? 0;
    const backoff = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** troubles);
    const pause = (failure.retryAfterMs ?? backoff) * (1 + 0.2 * this.#random());
    const from = this.#clock.now();
    if (this.#quiet.size > MOST_QUESTIONS) for (const all of [this.#quiet, this.#troubles]) all.clear();
    this.#troubles.set(what, troubles + 1);
    this.#quiet.set(what, { from, until: from + pause, because: failure });
  }
}
