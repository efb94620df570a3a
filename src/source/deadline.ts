import type { Clock } from '../lib/clock.ts';

/**
 * What `work` comes to, or `why()` as soon as `signal` aborts, even where `work` itself never ends. Whatever `work`
 * comes to later is nobody's business any more.
 */
export async function orAborted<T>(work: PromiseLike<T>, signal: AbortSignal, why: () => Error): Promise<T> {
  let stopListening = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(why());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    stopListening = () => signal.removeEventListener('abort', abort);
  });
  return Promise.race([work, aborted]).finally(stopListening);
}

interface Heard {
  /** Aborts with `parent`, and when nothing was heard for too long. */
  readonly signal: AbortSignal;
  /** A sign of life: the wait begins anew. */
  readonly hear: () => void;
  /** Nobody waits any more. */
  readonly end: () => void;
}

/** Patience that ends `silentMs` after the last sign of life, not after a time in all. */
export function whileHeard(silentMs: number, clock: Clock, parent: AbortSignal): Heard {
  const [silent, ended] = [new AbortController(), new AbortController()];
  const abort = (): void => silent.abort();
  parent.addEventListener('abort', abort, { once: true });
  let heardAt = clock.elapsed();
  const listen = async (): Promise<void> => {
    while (!ended.signal.aborted && !silent.signal.aborted) {
      const left = heardAt + silentMs - clock.elapsed();
      if (left <= 0) abort();
      else await clock.sleep(left, ended.signal);
    }
  };
  void listen();
  const end = (): void => {
    ended.abort();
    parent.removeEventListener('abort', abort);
  };
  return { signal: silent.signal, hear: () => (heardAt = clock.elapsed()), end };
}
