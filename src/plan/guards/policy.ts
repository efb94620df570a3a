import type { Pause } from '../../model/memory.ts';
import { isIdle, type Decision } from '../../model/step.ts';
import type { World } from '../../model/world.ts';
import type { Guarded } from '../guards.ts';
import { entryOf, memoryOf } from '../view.ts';
import { hold, isFact } from './hold.ts';

/** A person or the manifest said: watch, and do nothing. Facts are still written down. */
export function paused(decisions: readonly Decision[], world: World): Guarded {
  return { decisions: decisions.map((decision) => pauseOne(decision, world)), notes: [] };
}

/** Another may be writing by now: every step is held, records too. */
export function lockLost(decisions: readonly Decision[], { lockHeld }: World): Guarded {
  const stop = { why: 'the writer lock may no longer be ours', wakeAt: null };
  const held = (one: Decision): Decision => (isIdle(one) ? one : hold(withoutPull(one), 'lock_lost', stop));
  return { decisions: lockHeld ? decisions : decisions.map(held), notes: [] };
}

/** The pause in force for a server; `until` null: until somebody resumes. null: none. */
export function pauseOf(server: string, world: Pick<World, 'desired' | 'memory' | 'now'>): Pause | null {
  const { desired, memory, now } = world;
  if (desired.paused || entryOf(world, server)?.paused)
    return { until: null, reason: 'the manifest says paused' };
  const asked = [memory.pause, memoryOf(world, server).pause].filter((pause) => pause !== null);
  const inForce = asked.filter(({ until }) => until === null || until > now);
  return inForce.find(({ until }) => until === null) ?? latest(inForce);
}

function pauseOne(decision: Decision, world: World): Decision {
  const pause = pauseOf(decision.server, world);
  if (pause === null || isIdle(decision)) return decision;
  if (decision.step !== null && isFact(decision.step)) return withoutPull(decision);
  return hold(withoutPull(decision), 'paused', { why: `paused: ${pause.reason}`, wakeAt: pause.until });
}

const withoutPull = (decision: Decision): Decision => ({ ...decision, pull: null });

const latest = (pauses: readonly Pause[]): Pause | null =>
  pauses.reduce<Pause | null>((last, one) => ((last?.until ?? 0) > (one.until ?? 0) ? last : one), null);
