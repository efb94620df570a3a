import type { Step } from '../../model/step.ts';
import { leave, remove, resting, stop } from './about.ts';
import { drain } from './drain.ts';
import { act, wait, type Rows } from './verdict.ts';
import type { Case, Seen } from './words.ts';

/** 2.1 Not wanted: its entry is gone (prune). */
export function* prune(c: Case): Rows {
  if (c.seen.length === 0) return yield act(farewell(c), 'nothing of it is left');
  if (!mayBePruned(c))
    return yield wait('its entry is gone, but it said prune: false', null, 'prune_disabled');
  if (!c.view.dependantsGone) return yield wait('what depends on it goes first'); // 1.1
  yield* comeToRest(c); // 1.2-1.4
  for (const seen of c.seen.filter(isAtRest)) {
    yield act(remove(c, seen), 'it is no longer wanted'); // 1.5
  }
}

/** 2.1 Not wanted now: `desired_state: stopped`. The newest copy is kept. */
export function* rest(c: Case): Rows {
  yield* comeToRest(c); // 1.2-1.4
  const promoted = c.view.memory.promoted?.spec;
  const kept = c.seen.findLast(({ spec }) => spec === promoted) ?? c.seen.at(-1);
  for (const seen of c.seen.filter((one) => one !== kept && isAtRest(one))) {
    yield act(remove(c, seen), 'one stopped copy is enough'); // 1.5
  }
  if (c.seen.length > 0 && c.seen.every(isAtRest)) yield* resting(c, 'desired_state');
  yield wait('stopped, as desired');
}

/** Of what is gone memory is let go as well. */
const farewell = ({ view }: Case): Step => ({
  kind: 'record',
  server: view.name,
  event: 'server_removed',
  fields: { version: view.memory.promoted?.version ?? null },
});

function* comeToRest(c: Case): Rows {
  for (const seen of c.seen) {
    if (seen.running && !seen.joined)
      yield act(stop(c, seen), 'it is not wanted and answers to nobody'); // 1.2
    else if (seen.joined && seen.sick)
      yield act(leave(c, seen, 'sick'), 'it is not wanted and does not answer'); // 1.3
    else if (seen.joined) yield* drain(c, seen); // 1.4
  }
}

const isAtRest = ({ running, joined }: Seen): boolean => !running && !joined;

/** Memory says what the entry said last; without memory the label does. */
function mayBePruned({ view }: Case): boolean {
  return view.memory.prune ?? view.instances.every(({ spec }) => spec?.settings.prune !== false);
}
