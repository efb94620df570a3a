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
