import { ownValue } from '../../lib/own-value.ts';
import type { ExitBy } from '../../model/event.ts';
import type { Exit } from '../../model/memory.ts';
import type { Instance } from '../../model/observed.ts';
import type { View } from '../../model/world.ts';

/** How an instance that does not run came to its end, and whose doing it was. */
export interface Ending {
  readonly by: ExitBy;
  /** Unix ms. */
  readonly at: number;
  readonly code: number | null;
  /** It is in the journal, or needs no line of its own because our stop is. */
  readonly written: boolean;
  readonly sure: boolean;
}

/** null: it runs, or it never ran. First that fits: written down, us, the engine, while we were away, a person, itself. */
export function endingOf(view: View, instance: Instance): Ending | null {
  if (instance.state === 'running') return null;
  const exit = ownValue(view.memory.exits, instance.id);
  if (exit !== undefined && exit.at >= instance.startedAt) return judgedAnew(view, exit);
  if (instance.state === 'created') return null;
  // An engine that sees a quick end before the start it belongs to says the end was first.
  const at = Math.max(instance.finishedAt, instance.startedAt);
  const { exitCode: code } = instance;
  const by = whoEnded(view, instance);
  return { by, at, code, written: by === 'us', sure: by !== 'person' };
}

/** A person's stop that is not sure yields to a later start of the engine: it was the engine going down (T6). */
function judgedAnew(view: View, exit: Exit): Ending {
  const engineWentDown = exit.by === 'person' && !exit.sure && view.engineStartedAt > exit.at;
  const { at, code } = exit;
  return engineWentDown
    ? { by: 'engine', at, code, written: false, sure: true }
    : { by: exit.by, at, code, written: true, sure: exit.sure };
}

function whoEnded(view: View, { id, startedAt, finishedAt }: Instance): ExitBy {
  if (happened(ownValue(view.memory.stopped, id), startedAt)) return 'us';
  if (finishedAt < view.engineStartedAt) return 'engine';
  if (finishedAt < view.bootAt) return 'away';
  return happened(ownValue(view.killRequests, id), startedAt) ? 'person' : 'itself';
}

/** A fact about an instance is void when it started later. */
const happened = (at: number | undefined, startedAt: number): boolean => at !== undefined && at >= startedAt;
