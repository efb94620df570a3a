import { ownValue } from '../../lib/own-value.ts';
import type { Event } from '../../model/event.ts';
import { emptyServerMemory, type Memory, type ServerMemory } from '../../model/memory.ts';

/** A revision is in force. Written at every start as well: an unchanged entry changes nothing. */
export function synced(memory: Memory, event: Event<'manifest_synced'>): Memory {
  const { revision, source, trace_id: traceId, entries = {}, allow_removal: released = [] } = event;
  const again = memory.revision === revision;
  const names = new Set([...Object.keys(memory.servers), ...Object.keys(entries)]);
  return {
    ...memory,
    revision,
    source: source ?? null,
    traceId: again ? (memory.traceId ?? traceId) : traceId,
    acceptedAt: again ? memory.acceptedAt : event.time_ms,
    allowRemoval: again && released.length === 0 ? memory.allowRemoval : released,
    servers: Object.fromEntries(
      [...names].map((name) => [name, entered(ownValue(memory.servers, name), name, event)]),
    ),
  };
}

function entered(
  before: ServerMemory | undefined,
  name: string,
  { entries = {}, unpruned = [], trace_id }: Event<'manifest_synced'>,
): ServerMemory {
  const server = before ?? emptyServerMemory;
  const entry = ownValue(entries, name);
  if (entry === undefined) return { ...server, entry: null };
  const prune = !unpruned.includes(name);
  return server.entry === entry
    ? { ...server, prune }
    : { ...forgiven(server), entry, prune, traceId: trace_id };
}

/** A changed entry, or a person's word, gives every version a new chance. */
export const forgiven = (server: ServerMemory): ServerMemory => ({
  ...server,
  quarantined: [],
  postponed: {},
  recovery: emptyServerMemory.recovery,
  rollback: null,
  ...{ repairs: [], repairsHeld: false, drift: null },
  refusalNoted: null,
  writtenBack: null,
});
