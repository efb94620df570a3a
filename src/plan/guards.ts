import type { Decision, Note, Plan } from '../model/step.ts';
import type { World } from '../model/world.ts';
import { brake, isBlind } from './guards/brake.ts';
import { claims } from './guards/claims.ts';
import { budget } from './guards/budget.ts';
import { lockLost, paused } from './guards/policy.ts';
import { removals } from './guards/removal.ts';

/** What a guard answers: the same decisions, some of them held, and what is to be written down about it. */
export interface Guarded {
  readonly decisions: readonly Decision[];
  readonly notes: readonly Note[];
}

export type Guard = (decisions: readonly Decision[], world: World) => Guarded;

/** In this order: what is held already takes no place in the budget. */
const guards: readonly Guard[] = [claims, brake, removals, paused, budget, lockLost];

/** Sees all decisions together. Guards only take steps away; each says why, and until when where it knows. */
export function guard(decisions: readonly Decision[], world: World): Plan {
  const nothing: Guarded = { decisions, notes: [] };
  const guarded = guards.reduce<Guarded>((before, one) => {
    const after = one(before.decisions, world);
    return { decisions: after.decisions, notes: [...before.notes, ...after.notes] };
  }, nothing);
  const notes = world.lockHeld ? guarded.notes : [];
  return { decisions: guarded.decisions, notes, view: isBlind(world) ? 'suspect' : 'clear' };
}
