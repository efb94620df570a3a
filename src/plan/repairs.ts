import { ownValue } from '../lib/own-value.ts';
import type { Made, ServerMemory } from '../model/memory.ts';

/** Repairs in this time are counted together. Milliseconds. */
export const REPAIR_WINDOW_MS = 600_000;
/** So many are made in it; the next one is a person's. */
export const MOST_REPAIRS = 3;

/** Why making one more of a spec would be a repair: what somebody else did to the one before; null: it would be none. */
export function repairOf(server: ServerMemory, spec: string): { what: string; after: string | null } | null {
  const { drift } = server;
  if (drift !== null && drift.spec === spec && !drift.repaired) return drift;
  return goneOf(server, spec).length > 0 ? { what: 'it was gone', after: null } : null;
}

/**
 * Made, not removed by us, and to be made again: somebody else took them away. What recovery condemned, what drifted and
 * what lost its port are there still, and have their own count.
 */
export function goneOf(server: ServerMemory, spec: string): readonly Made[] {
  if (ownValue(server.postponed, spec)?.code === 'port_taken') return [];
  return server.made.filter(
    ({ container: id, spec: of, gone }) =>
      of === spec &&
      id !== null &&
      gone !== true &&
      !server.condemned.includes(id) &&
      ownValue(server.driftNoted, id) === undefined,
  );
}

/** It answered for its server, and we did not take it off the live network. */
export const isRejoin = (server: ServerMemory, container: string): boolean =>
  server.answered === container && ownValue(server.drains, container) === undefined;
