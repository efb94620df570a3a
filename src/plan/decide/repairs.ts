import type { Spec } from '../../model/spec.ts';
import { isRejoin, MOST_REPAIRS, REPAIR_WINDOW_MS, repairOf } from '../repairs.ts';
import { record } from './about.ts';
import { act, wait, type Gate, type Rows } from './verdict.ts';
import type { Case, Seen } from './words.ts';

/** Before the next repair, by how many were made lately. Milliseconds. */
const PAUSES_MS = [0, 5_000, 20_000];

/**
 * What serves goes on: while repairs are held, drift is left as it is. Asked before anything is taken away, so that the
 * last one that was made is still there.
 */
export function* heldRepairs(c: Case): Rows {
  const { repairsHeld, drift } = c.view.memory;
  if (repairsHeld) yield wait(whyHeld(c), null, 'drift_repeats');
  else if (drift !== null && isOpen(c) && isTooOften(c)) yield repeats(c, drift.spec);
}

/** May one more of this spec be made? What is made for the first time, or to recover it, is no repair. */
export function* mayMakeAnew(c: Case, { digest }: Spec): Gate {
  return repairOf(c.view.memory, digest) === null || (yield* mayRepair(c, digest));
}

/** May it be put back on the live network? */
export function* mayRejoin(c: Case, { instance, spec }: Seen): Gate {
  return !isRejoin(c.view.memory, instance.id) || (yield* mayRepair(c, spec));
}

function* mayRepair(c: Case, spec: string): Gate {
  const { repairsHeld } = c.view.memory;
  if (!repairsHeld && isTooOften(c)) yield repeats(c, spec);
  const until = repairsHeld ? slowRetryAt(c) : nextRepairAt(c);
  if (until === null) return false;
  if (until <= c.view.now) return true;
  yield wait('it was put right a moment ago: the next time has to wait', until);
  return false;
}

const lately = ({ view: { memory, now } }: Case) =>
  memory.repairs.filter(({ at }) => at > now - REPAIR_WINDOW_MS);

const isTooOften = (c: Case): boolean =>
  lately(c).length >= MOST_REPAIRS || (c.view.memory.drift?.again ?? false);

/** Nothing was made in its place yet, and it is there still. */
function isOpen({ view, seen, target }: Case): boolean {
  const { drift } = view.memory;
  if (drift === null || drift.repaired || drift.spec !== target?.spec.digest) return false;
  return seen.some(({ instance, drifted }) => drifted && instance.id === drift.container);
}

function nextRepairAt(c: Case): number {
  const made = lately(c);
  return (made.at(-1)?.at ?? 0) + (PAUSES_MS[made.length] ?? 0);
}

/** Where nothing of it runs any more, it is tried now and then all the same. null: something runs, and is left as it is. */
function slowRetryAt(c: Case): number | null {
  if (c.seen.some(({ running }) => running)) return null;
  return (c.view.memory.repairs.at(-1)?.at ?? 0) + c.settings.recovery.slowRetrySeconds * 1_000;
}

const whyHeld = ({ view: { memory } }: Case): string =>
  `something else changes its containers: it was put right ${memory.repairs.length} times, and is left as it is now`;

function repeats(c: Case, spec: string) {
  const { drift, repairs } = c.view.memory;
  const open = drift === null || drift.repaired ? [] : [{ ...drift, at: c.view.now }];
  const each = [...repairs, ...open].map(({ at, what, after }) => ({ at, what, after }));
  const error = whyHeld(c);
  const suggested_action = `find what changes its containers, stop it, then run: mcp-orchestration retry ${c.view.name}`;
  return act(record(c, 'drift_repeats', { spec, repairs: each, error, suggested_action }), error);
}
