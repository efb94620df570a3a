import type { Clock } from '../../lib/clock.ts';
import { Failure } from '../../model/failure.ts';
import { StartError } from '../config.ts';

/** One thing that was looked at. */
export interface Finding {
  /** `engine`, `git`, `registry`, `state`, `ports`, `clock`. */
  readonly check: string;
  readonly ok: boolean;
  readonly says: string;
  /** What helps; null: nothing has to be done. */
  readonly todo: string | null;
}

export const well = (check: string, says: string): Finding => ({ check, ok: true, says, todo: null });

export const wrong = (check: string, says: string, todo: string): Finding => ({
  check,
  ok: false,
  says,
  todo,
});

/** What somebody else's trouble keeps us from looking at. */
export const unknown = (check: string, because: string): Finding =>
  wrong(check, `not looked at: ${because}`, 'first put that right');

/** Ends at its deadline, whatever it waits for, and never throws: no check stops another. */
export async function within(
  seconds: number,
  check: string,
  { clock, look }: { clock: Clock; look: (signal: AbortSignal) => Promise<readonly Finding[]> },
): Promise<readonly Finding[]> {
  const done = new AbortController();
  const late = clock
    .sleep(seconds * 1_000, done.signal)
    .then(() => [wrong(check, `no answer within ${seconds} s`, 'look whether it hangs, and try again')]);
  try {
    return await Promise.race([look(clock.deadline(seconds * 1_000)), late]);
  } catch (error) {
    return [findingOf(check, error)];
  } finally {
    done.abort();
  }
}

function findingOf(check: string, error: unknown): Finding {
  if (error instanceof Failure)
    return wrong(check, error.message, error.suggestedAction ?? 'try again later');
  if (error instanceof StartError) return wrong(check, error.message, 'correct that');
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return wrong(check, `a mistake of our own: ${said}`, 'send us this line');
}
