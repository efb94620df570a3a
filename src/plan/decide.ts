import type { Decision } from '../model/step.ts';
import type { View } from '../model/world.ts';
import { before } from './decide/before.ts';
import { candidate, noCandidate } from './decide/candidate.ts';
import { facts, refusalOf } from './decide/facts.ts';
import { live } from './decide/live.ts';
import { heldRepairs } from './decide/repairs.ts';
import { prune, rest } from './decide/unwanted.ts';
import { wait, type Rows, type Wait } from './decide/verdict.ts';
import { missingImage } from './decide/target.ts';
import { caseOf, type Case } from './decide/words.ts';

/**
 * The whole policy: the one next thing for one server. Rows are tried in order and the first that acts wins; one that
 * waits adds its why and its time, and the next row is tried.
 */
export function decide(view: View): Decision {
  const c = caseOf(view);
  const beside = { server: view.name, pull: missingImage(view, c.targets) };
  const waits: Wait[] = [];
  for (const verdict of rows(c)) {
    if (verdict.step === null) waits.push(verdict);
    else return { ...beside, step: verdict.step, why: verdict.why, wakeAt: null, held: null };
  }
  return { ...beside, ...waiting(waits) };
}

function* rows(c: Case): Rows {
  const { view, target, cand } = c;
  if (!(yield* facts(c))) return; // 2.0
  if (view.entry === null) return yield* prune(c); // 2.1
  if (view.entry.desiredState === 'stopped') return yield* stopped(c); // 2.1
  const refused = refusalOf(view) ?? view.blocked;
  if (refused !== null) yield wait(refused.message, view.blocked?.until ?? null);
  yield* heldRepairs(c);
  yield* before(c); // 2.2
  if (target === null) yield nothingToRun(c);
  else if (cand === null)
    yield* noCandidate(c, target); // 2.5
  else if (cand === c.live)
    yield* live(c, cand); // 2.3
  else yield* candidate(c, cand); // 2.4
}

/** A refused entry is not acted on, not even to stop what runs. */
function* stopped(c: Case): Rows {
  const { refusal } = c.view.entry ?? { refusal: null };
  if (refusal === null) yield* rest(c);
  else yield wait(refusal.message);
}

const nothingToRun = ({ view }: Case): Wait =>
  wait(
    view.memory.quarantined.length > 0
      ? 'its version is set aside and there is nothing to go back to'
      : 'nothing is known that could be run',
  );

function waiting(waits: readonly Wait[]): Omit<Decision, 'server' | 'pull'> {
  const times = waits.flatMap(({ wakeAt }) => (wakeAt === null ? [] : [wakeAt]));
  return {
    step: null,
    why: waits[0]?.why ?? 'as desired',
    wakeAt: times.length === 0 ? null : Math.min(...times),
    held: waits[0]?.held ?? null,
  };
}
