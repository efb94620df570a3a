import { setMaxListeners } from 'node:events';

/** A signal that follows two others, and lets go of them. */
export interface Either {
  readonly signal: AbortSignal;
  /** Must be called when the signal is of no use any more: until then both others remember it. */
  release(): void;
}

/**
 * Aborts with the first of two signals. Not `AbortSignal.any`: on Node 20 a long-lived signal remembers every one
 * derived from it for ever, and a derived one that only a timer waits for can be collected before it fires.
 */
export function either(one: AbortSignal, other: AbortSignal): Either {
  // Node warns from the eleventh on; that so many wait for one end is no leak here: each lets go.
  setMaxListeners(0, one, other);
  const first = new AbortController();
  const follow = (signal: AbortSignal): (() => void) => {
    const abort = (): void => first.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  };
  const [letGoOfOne, letGoOfOther] = [follow(one), follow(other)];
  return {
    signal: first.signal,
    release() {
      letGoOfOne();
      letGoOfOther();
    },
  };
}
