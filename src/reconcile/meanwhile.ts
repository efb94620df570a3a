import type { Clock } from '../lib/clock.ts';

/** What `work` comes to; as long as that takes, `act` is done again every `everyMs`. Rejects with whatever rejects first. */
export async function meanwhile<T>(
  work: Promise<T>,
  act: () => Promise<void>,
  { clock, everyMs }: { readonly clock: Clock; readonly everyMs: number },
): Promise<T> {
  const done = new AbortController();
  const acting = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(everyMs, done.signal);
      if (done.signal.aborted) return;
      await act();
    }
  };
  const [outcome] = await Promise.all([work.finally(() => done.abort()), acting()]);
  return outcome;
}
