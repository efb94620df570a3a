import type { Decision } from '../../model/step.ts';
import type { World } from '../../model/world.ts';
import type { Guarded } from '../guards.ts';
import { entryOf, memoryOf } from '../view.ts';
import { hold } from './hold.ts';

/** At most this share of the servers, and always one, has a recovery attempt in flight. */
const SHARE = 0.2;
const HEALTHY_DEADLINE_SECONDS = 120;

/** Fewest attempts first. Waiting and exhausted servers take no place; nor do starts that nobody counts. */
export function budget(decisions: readonly Decision[], world: World): Guarded {
  const limit = Math.max(1, Math.floor(SHARE * decisions.length));
  const ends = attemptsInFlight(decisions, world);
  const asking = decisions.filter(isAttempt).sort((a, b) => compare(a, b, world));
  const admitted = new Set<string>();
  const taken = new Set(ends.keys());
  for (const { server } of asking) {
    const others = taken.size - (taken.has(server) ? 1 : 0);
    if (others >= limit) continue;
    admitted.add(server);
    taken.add(server);
  }
  const wakeAt = ends.size === 0 ? null : Math.min(...ends.values());
  const why = 'as many servers as may be are being brought back at once';
  const held = (one: Decision): Decision =>
    isAttempt(one) && !admitted.has(one.server) ? hold(one, 'recovery_budget', { why, wakeAt }) : one;
  return { decisions: decisions.map(held), notes: [] };
}

const isAttempt = ({ step }: Decision): boolean =>
  step?.kind === 'restart' || (step?.kind === 'record' && step.event === 'recovery_started');

/** Server -> Unix ms when its attempt counts no longer. Memory, not instances: a removal by hand frees nothing (T22). */
function attemptsInFlight(decisions: readonly Decision[], world: World): Map<string, number> {
  const open = decisions.flatMap(({ server }): [string, number][] => {
    const since = memoryOf(world, server).recovery.open;
    return since === null ? [] : [[server, Math.max(since, world.bootAt) + healthyDeadlineMs(server, world)]];
  });
  return new Map(open.filter(([, end]) => end > world.now));
}

function healthyDeadlineMs(server: string, world: World): number {
  return (entryOf(world, server)?.settings.update.healthyDeadlineSeconds ?? HEALTHY_DEADLINE_SECONDS) * 1_000;
}

function compare(a: Decision, b: Decision, world: World): number {
  const attempts = ({ server }: Decision): number => memoryOf(world, server).recovery.attempts;
  return attempts(a) - attempts(b) || (a.server < b.server ? -1 : 1);
}
