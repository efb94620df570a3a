import type { App } from '../app/app.ts';
import { EXIT } from '../app/config.ts';
import type { Io } from './command.ts';
import { outcomeTable } from './outcome.ts';

interface Outcome {
  readonly outcome: 'applied' | 'partial' | 'refused' | 'not settled';
  /** What stands in the way; null where the servers say it themselves. */
  readonly error: string | null;
}

/** `run --once`: until the manifest is settled or refused, or time is up; says what became of it. Returns the exit code. */
export async function settleOnce(
  app: App,
  { timeoutMs, json }: { readonly timeoutMs: number; readonly json: boolean },
  io: Io,
): Promise<number> {
  const told = await outcomeOf(app, timeoutMs, io);
  const servers = app.view()?.servers ?? [];
  if (json) io.stdout.write(`${JSON.stringify({ ...told, servers })}\n`);
  else if (told.outcome !== 'refused') io.stdout.write(outcomeTable(app.view(), io));
  if (!json && told.error !== null) io.stderr.write(`${told.error}\n`);
  if (told.outcome === 'refused') return EXIT.refused;
  return told.outcome === 'applied' ? EXIT.ok : EXIT.notAsDesired;
}

async function outcomeOf(app: App, timeoutMs: number, io: Io): Promise<Outcome> {
  const giveUp = io.clock.deadline(timeoutMs, io.signal);
  const late = new Promise<'late'>((resolve) =>
    giveUp.addEventListener('abort', () => resolve('late'), { once: true }),
  );
  const ended = await Promise.race([app.refused(giveUp), app.settled(), app.ended, late]);
  if (ended === 'late') {
    const why = await app.trouble();
    return {
      outcome: 'not settled',
      error: `not settled after ${timeoutMs / 1_000} s${why === null ? '' : `: ${why}`}`,
    };
  }
  return 'refusal' in ended
    ? { outcome: 'refused', error: ended.refusal }
    : { outcome: ended.outcome, error: null };
}
