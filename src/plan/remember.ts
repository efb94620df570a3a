import { ownValue, without } from '../lib/own-value.ts';
import { overLine } from '../lib/over-line.ts';
import type { Event } from '../model/event.ts';
import { emptyMemory, emptyServerMemory, type Memory, type ServerMemory } from '../model/memory.ts';
import { exits } from './remember/exits.ts';
import { fold, type Folds } from './remember/fold.ts';
import { images, orphaned, orphans } from './remember/images.ts';
import { recovery } from './remember/recovery.ts';
import { made } from './remember/made.ts';
import { obeyed } from './remember/request.ts';
import { repairs } from './remember/repairs.ts';
import { rest } from './remember/rest.ts';
import { rollout } from './remember/rollout.ts';
import { synced } from './remember/sync.ts';

/**
 * The fold: what is remembered is this over the log and nothing else. An intent may only make us more careful; clearing
 * is for outcomes. Events nobody knows, and lines of older programs that lack a field, change nothing they cannot.
 */
export function remember(memory: Memory, event: Event): Memory {
  const next = ofServer(fold(wide, memory, event), event);
  // The health log counts for itself: its numbers say nothing of the place in this one.
  return event.event_type === 'health_check_completed'
    ? next
    : { ...next, seq: Math.max(next.seq, event.seq) };
}

/** The same for any line at all. `mistake`: why nothing of it is remembered; null where it was. */
export function rememberLine(
  memory: Memory,
  event: Event,
): { readonly memory: Memory; readonly mistake: unknown } {
  const { state, mistake } = overLine(memory, () => remember(memory, event));
  return { memory: mistake === null ? state : { ...state, seq: Math.max(state.seq, event.seq) }, mistake };
}

const wide: Folds<Memory> = {
  ...orphans,
  memory_checkpoint: restored,
  orchestrator_started: began,
  manifest_synced: synced,
  request_accepted: obeyed,
  server_removed: removed,
  revision_settled: (memory, { revision }) => ({ ...memory, settled: revision }),
  removal_held: (memory, { revision }) => ({ ...memory, removalHeldFor: revision }),
  foreign_container_found: (memory, { containers = [] }) => ({
    ...memory,
    foreignNoted: containers.map(({ container_id: id }) => id),
  }),
  view_suspected: (memory, { time_ms }) => ({ ...memory, viewSuspectSince: time_ms }),
  view_cleared: (memory, { time_ms }) => ({ ...memory, viewSuspectSince: null, viewClearedAt: time_ms }),
};

/** What is written down once is not written down again. */
const notes: Folds<ServerMemory> = {
  drift_detected: (server, { container_id: id, drift = [] }) => ({
    ...server,
    driftNoted: { ...server.driftNoted, [id]: drift.join('; ') },
  }),
  server_refused: (server, { reason }) => ({ ...server, refusalNoted: reason }),
  server_held: (server, { reason }) => ({ ...server, refusalNoted: reason }),
  update_available: available,
  version_written_back: (server, { image }) => ({ ...server, writtenBack: image }),
  update_withdrawn: withdrawn,
};

/** So many first sights are kept: no registry may make memory grow. The oldest stay, or none would ever be old enough. */
const MOST_FOUND = 50;

function available(server: ServerMemory, event: Event<'update_available'>): ServerMemory {
  const { image, image_digest: digest, version = null, first_seen_ms: at = event.time_ms } = event;
  const known = ownValue(server.found, digest);
  const oldest = Object.entries(without(server.found, digest)).slice(0, MOST_FOUND - 1);
  const found = Object.fromEntries([...oldest, [digest, { at, ...known, version, image }] as const]);
  return { ...server, updateNoted: digest, found };
}

/** Told anew, and as old as then, should it come back. */
function withdrawn(
  server: ServerMemory,
  { image_digest: digest, still = null }: Event<'update_withdrawn'>,
): ServerMemory {
  return { ...server, updateNoted: still, found: without(server.found, digest) };
}

function ofServer(memory: Memory, event: Event): Memory {
  const { server_name: name } = event;
  if (name === undefined) return memory;
  const before = ownValue(memory.servers, name) ?? emptyServerMemory;
  const after = [repairs, rollout, images, made, exits, recovery, rest, notes].reduce(
    (server, part) => fold(part, server, event),
    before,
  );
  return after === before ? memory : { ...memory, servers: { ...memory.servers, [name]: after } };
}

/** So many are remembered; who was made in an older one has long been seen. */
const MOST_SILENCES = 50;

function began(memory: Memory, { time_ms: to, silent_since: from }: Event<'orchestrator_started'>): Memory {
  const silences = from === undefined ? memory.silences : [...memory.silences, { from, to }];
  return { ...memory, since: memory.since ?? to, silences: silences.slice(-MOST_SILENCES) };
}

/** A checkpoint of an older program lacks what was invented since. */
function restored(_before: Memory, { memory, time_ms: since }: Event<'memory_checkpoint'>): Memory {
  const servers = Object.entries(memory.servers ?? {}).map(
    ([name, server]) => [name, complete(server)] as const,
  );
  return { ...emptyMemory, ...memory, since: memory.since ?? since, servers: Object.fromEntries(servers) };
}

const complete = (server: Partial<ServerMemory>): ServerMemory => ({
  ...emptyServerMemory,
  ...server,
  recovery: { ...emptyServerMemory.recovery, ...server.recovery },
});

/** Nothing is left of it but its images; that its entry came back in the meantime is not forgotten with it. */
function removed(memory: Memory, { server_name: name = '', time_ms: at }: Event<'server_removed'>): Memory {
  const known = ownValue(memory.servers, name);
  if (known === undefined) return memory;
  const others = without(memory.servers, name);
  const left = { ...memory, servers: others, orphans: orphaned(memory, known, at) };
  if (known.entry === null) return left;
  const { entry, traceId, prune } = known;
  return { ...left, servers: { ...others, [name]: { ...emptyServerMemory, entry, traceId, prune } } };
}
