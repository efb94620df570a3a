import { about, leave, record } from './about.ts';
import { act, wait, type Rows } from './verdict.ts';
import { drainBegan, type Case, type Seen } from './words.ts';

/** The drain row: what answers, or did until now, goes gently. */
export function* drain(c: Case, seen: Seen, why = 'another takes its place'): Rows {
  if (seen.sick)
    return yield act(leave(c, seen, 'sick'), 'it does not answer: nothing is lost when it leaves');
  if (c.live !== null && c.live !== seen && !c.live.well) {
    return yield wait('the old one stays while the new one is not known to be well');
  }
  const began = drainBegan(c, seen);
  if (began === null) return yield act(drainStarted(c, seen), `${why}: what it has in hand may end`);
  yield* leaveWhenDrained(c, seen, Math.max(began, c.view.bootAt));
}

/** Until the minimum nobody could have learned of the change; after it only what is busy may stay, and not for ever. */
function* leaveWhenDrained(c: Case, seen: Seen, from: number): Rows {
  const { least, most } = drainLimits(c, from);
  const busy = (seen.pulse?.idleSince ?? null) === null;
  if (c.view.now < least) yield wait('draining: others may not have learned of the change yet', least);
  else if (busy && c.view.now < most) yield wait('draining: it is still busy', most);
  else
    yield act(
      leave(c, seen, busy ? 'forced' : 'ended'),
      busy ? 'its drain took too long' : 'its drain is over',
    );
}

/** Unix ms of the earliest and the latest end of a drain that counts from `from`. */
export function drainLimits(c: Case, from: number): { readonly least: number; readonly most: number } {
  const { drainMinSeconds, drainTimeoutSeconds } = c.settings.update;
  const most = from + Math.max(drainMinSeconds, drainTimeoutSeconds) * 1_000;
  return { least: from + drainMinSeconds * 1_000, most };
}

const drainStarted = (c: Case, { instance }: Seen) =>
  record(c, 'drain_started', {
    ...about(instance),
    drain_min_seconds: c.settings.update.drainMinSeconds,
    drain_timeout_seconds: c.settings.update.drainTimeoutSeconds,
  });
