import type { Plan } from '../model/step.ts';
import type { World } from '../model/world.ts';
import { decide } from './decide.ts';
import { guard } from './guards.ts';
import { viewsOf } from './view.ts';

export { isSettled, type Settlement } from './settled.ts';

/** A decision for every server wanted or there, each exactly once; equal worlds give equal plans. */
export function makePlan(world: World): Plan {
  return guard(viewsOf(world).map(decide), world);
}
