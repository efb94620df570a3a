import { isExclusive, type Spec } from '../../model/spec.ts';
import { leave } from './about.ts';
import { drain } from './drain.ts';
import { act, wait, type Gate } from './verdict.ts';
import type { Case, Seen } from './words.ts';

/** 2.6 Room for one more running copy: two at most, one where two cannot be. True: there is room. */
export function* room(c: Case, spec: Spec, own: Seen | null): Gate {
  const others = c.seen.filter((one) => one !== own);
  if (!isTight(spec, others)) {
    if (running(others).length <= 1) return true;
    yield wait('two copies run already: one must go first');
    return false;
  }
  for (const seen of others.filter(({ joined }) => joined)) {
    if (seen.sick || seen.condemned)
      yield act(leave(c, seen, 'sick'), 'it makes room for the only copy there may be');
    else yield* drain(c, seen, `only one copy may run (${reasonOf(spec, others)})`);
  }
  if (running(others).length === 0 && others.every(({ joined }) => !joined)) return true;
  yield wait(`only one copy may run (${reasonOf(spec, others)}): the other must go first`);
  return false;
}

/** Room to start again what was there already. */
export function hasRoomToRun(c: Case, seen: Seen): boolean {
  if (seen.running) return true;
  const others = c.seen.filter((one) => one !== seen);
  const tight = seen.instance.spec !== null && isTight(seen.instance.spec, others);
  return running(others).length < (tight ? 1 : 2);
}

const isTight = (spec: Spec, others: readonly Seen[]): boolean =>
  isExclusive(spec) || others.some(({ instance }) => instance.spec !== null && isExclusive(instance.spec));

/** Why two cannot be, of whichever of the two says so. */
function reasonOf(spec: Spec, others: readonly Seen[]): string {
  const exclusive = [spec, ...others.map(({ instance }) => instance.spec)].find(
    (one) => one && isExclusive(one),
  );
  return exclusive?.exclusiveBecause ?? 'update.order is stop-first';
}

const running = (seen: readonly Seen[]): Seen[] => seen.filter((one) => one.running);
