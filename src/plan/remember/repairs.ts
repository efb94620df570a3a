import type { Event } from '../../model/event.ts';
import type { Repair, ServerMemory } from '../../model/memory.ts';
import { goneOf, isRejoin, REPAIR_WINDOW_MS, repairOf } from '../repairs.ts';
import type { Folds } from './fold.ts';

/** What was put right without anybody having asked for it. Counted at the intent, so that a death hides none. */
export const repairs: Folds<ServerMemory> = {
  drift_detected: drifted,
  server_starting: (server, event) => (event.container_id === undefined ? madeAnew(server, event) : server),
  server_promoting: rejoined,
  server_ready: (server, { container_id: answered }) => ({ ...server, answered }),
  server_leaving: (server, { container_id: id }) =>
    server.answered === id ? { ...server, answered: null } : server,
  drift_repeats: (server) => ({ ...server, repairsHeld: true }),
};

/** `again`: what was made in place of one that drifted never answered, and is just as the one before. */
function drifted(server: ServerMemory, event: Event<'drift_detected'>): ServerMemory {
  const { container_id: container, spec, drift = [], after = null } = event;
  const { drift: before, promoted } = server;
  const what = drift.join('; ');
  const isFresh = promoted?.container !== container && before !== null && before.container !== container;
  const again = isFresh && before.repaired && before.what === what;
  return { ...server, drift: { container, spec, what, after, again, repaired: false } };
}

function madeAnew(server: ServerMemory, { spec, time_ms: at }: Event<'server_starting'>): ServerMemory {
  const repair = repairOf(server, spec);
  if (repair === null) return server;
  const gone = new Set(goneOf(server, spec));
  return {
    ...counted(server, { at, what: repair.what, after: repair.after }),
    made: server.made.map((one) => (gone.has(one) ? { ...one, gone: true } : one)),
    drift: server.drift?.spec === spec ? { ...server.drift, repaired: true } : server.drift,
  };
}

/** One that fails is tried again without being counted again. */
function rejoined(server: ServerMemory, event: Event<'server_promoting'>): ServerMemory {
  const { container_id: id, time_ms: at } = event;
  if (!isRejoin(server, id)) return server;
  return { ...counted(server, { at, what: 'off the live network', after: null }), answered: null };
}

const counted = (server: ServerMemory, repair: Repair): ServerMemory => ({
  ...server,
  repairs: [...server.repairs.filter(({ at }) => at > repair.at - REPAIR_WINDOW_MS), repair],
});
