import type { Decision, HoldReason, Note } from '../../model/step.ts';
import type { World } from '../../model/world.ts';
import type { Guarded } from '../guards.ts';
import { entryOf, instancesOf } from '../view.ts';
import { hold, isFact } from './hold.ts';

/** Without the operator's own limit: this share of the servers owned or wanted, and always one. */
const SHARE = 0.3;

/**
 * Servers whose entry is gone are removed only while they are few. Computed from what is there, so it needs no memory
 * and our own restart does not reset it.
 */
export function removals(decisions: readonly Decision[], world: World): Guarded {
  const leaving = decisions.filter((decision) => isLeaving(decision, world));
  const limit = world.allowRemovalOf ?? Math.max(1, Math.floor(SHARE * decisions.length));
  const tooMany = leaving.length > limit || world.desired.servers.length === 0;
  const held = new Map(
    leaving.flatMap(({ server }): [string, HoldReason][] => {
      const reason = reasonFor(server, tooMany, world);
      return reason === null ? [] : [[server, reason]];
    }),
  );
  return { decisions: decisions.map((one) => holdOne(one, held, limit)), notes: noteOf(held, limit, world) };
}

/** Its entry is gone but not yet its instances, nobody released its removal, and it may be pruned at all. */
function isLeaving({ server, held }: Decision, world: World): boolean {
  if (instancesOf(world, server).length === 0) return false;
  const { memory } = world;
  const wanted = entryOf(world, server) !== undefined;
  const released = memory.allowRemoval.includes('all') || memory.allowRemoval.includes(server);
  return !wanted && !released && held !== 'prune_disabled';
}

/** What was made for another manifest is not removed because this one does not know it. */
function reasonFor(server: string, tooMany: boolean, world: World): HoldReason | null {
  const own = instancesOf(world, server);
  if (own.some(({ source }) => source !== world.desired.source)) return 'source_changed';
  return tooMany ? 'removal_held' : null;
}

function holdOne(decision: Decision, held: ReadonlyMap<string, HoldReason>, limit: number): Decision {
  const reason = held.get(decision.server);
  if (reason === undefined || decision.step === null || isFact(decision.step)) return decision;
  return hold(decision, reason, { why: whyOf(reason, limit), wakeAt: null });
}

const whyOf = (reason: HoldReason, limit: number): string =>
  reason === 'source_changed'
    ? 'it was made for another manifest; release its removal with the commit trailer Allow-Removal'
    : `more servers would go than may at once (${limit}); release them with the commit trailer Allow-Removal`;

function noteOf(held: ReadonlyMap<string, HoldReason>, limit: number, { desired, memory }: World): Note[] {
  const { revision } = desired;
  if (held.size === 0 || memory.removalHeldFor === revision) return [];
  const reason = [...held.values()].includes('source_changed') ? 'source_changed' : 'too_many';
  return [{ event: 'removal_held', fields: { revision, servers: [...held.keys()].sort(), limit, reason } }];
}
