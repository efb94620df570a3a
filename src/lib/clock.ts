import { setMaxListeners } from 'node:events';
import { setTimeout as sleepFor } from 'node:timers/promises';

/** The only way to time in this program; tests pass a fake one. Times are Unix milliseconds. */
export interface Clock {
  now(): number;
  /** Milliseconds since some moment; nobody sets this one. It stands still while the machine sleeps. */
  elapsed(): number;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts with a TimeoutError after `ms` milliseconds, or with `parent`. */
  deadline(ms: number, parent?: AbortSignal): AbortSignal;
}

/** Node refuses longer timers (it would fire them at once). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  async sleep(ms, signal) {
    const options = signal === undefined ? {} : { signal };
    await sleepFor(Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), undefined, options).catch(ignoreAbort);
  },
  deadline(ms, parent) {
    const timeout = AbortSignal.timeout(Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    return parent === undefined ? timeout : firstOf(timeout, parent);
  },
};

/** Resolves when all that is due now had a turn: no time passes, so no clock is needed. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Not `AbortSignal.any`: on Node 20 a long-lived parent remembers every signal derived from it, for ever. */
function firstOf(timeout: AbortSignal, parent: AbortSignal): AbortSignal {
  if (parent.aborted) return parent;
  const first = new AbortController();
  const withParent = () => first.abort(parent.reason);
  // Many wait on the same parent, each for a while: Node would call that a leak from the eleventh on.
  setMaxListeners(0, parent);
  parent.addEventListener('abort', withParent, { once: true });
  const withTimeout = () => {
    parent.removeEventListener('abort', withParent);
    first.abort(timeout.reason);
  };
  timeout.addEventListener('abort', withTimeout, { once: true });
  return first.signal;
}

/** An aborted sleep is an ended sleep: whoever sleeps looks at its signal next anyway. */
function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
}
