import { secondsBetween } from '../lib/time.ts';
import { ownValue } from '../lib/own-value.ts';
import { ofIncident } from '../model/catalogue.ts';
import type { EventDraft, EventType } from '../model/event.ts';
import { isOwnSpec, type Memory, type ServerMemory } from '../model/memory.ts';

export interface Moment {
  /** Short random id. */
  readonly newId: () => string;
  /** Unix ms. */
  readonly now: number;
}

/**
 * Adds what joins events of one rollout and of one incident. The event that opens one makes the id; the others
 * take it from memory, so the same id is used before and after our own restart.
 */
export function dress(draft: EventDraft, memory: Memory, moment: Moment): EventDraft {
  if (draft.server === null) return draft;
  const server = ownValue(memory.servers, draft.server);
  const joins = { ...rolloutId(draft.event, server, moment.newId), ...incidentOf(draft, server, moment) };
  return { ...draft, fields: { ...joins, ...draft.fields } } as EventDraft;
}

const ofRollout: ReadonlySet<EventType> = new Set([
  'image_pulled',
  'update_gate_failed',
  'update_completed',
  'update_failed',
  'rollback_started',
  'rollback_completed',
  'rollback_failed',
  'version_quarantined',
  'server_starting',
  'server_started',
  'server_promoting',
  'server_ready',
  'drain_started',
  'server_leaving',
  'drain_completed',
  'server_stopping',
  'server_stopped',
]);

function rolloutId(event: EventType, server: ServerMemory | undefined, newId: () => string): object {
  if (event === 'update_started') return { rollout_id: `r-${newId()}` };
  const id = ofRollout.has(event) && server !== undefined ? rolloutOf(event, server) : null;
  return id === null ? {} : { rollout_id: id };
}

/** The way back belongs to the rollout that failed, unless a newer one is on its way. */
function rolloutOf(
  event: EventType,
  { rollout, rollback, failedRollout = null }: ServerMemory,
): string | null {
  if (event.startsWith('rollback_')) return failedRollout;
  return rollout?.id ?? (rollback?.open === true ? failedRollout : null);
}

/** A candidate that falls is a failed gate, not an incident: the server never hung on it. */
function incidentOf(draft: EventDraft, server: ServerMemory | undefined, { newId, now }: Moment): object {
  if (!ofIncident.has(draft.event) || (server !== undefined && !isOwn(draft, server))) return {};
  const known = server?.incident ?? null;
  if (known !== null)
    return {
      incident_id: known.id,
      attempt: attemptsOf(known, server),
      seconds_down: secondsBetween(known.downAt, now),
    };
  if (draft.event !== 'server_down') return {};
  const { at = now } = draft.fields;
  return { incident_id: `inc-${newId()}`, attempt: 0, seconds_down: secondsBetween(at, now) };
}

const isOwn = ({ fields }: EventDraft, server: ServerMemory): boolean =>
  !('spec' in fields) || isOwnSpec(server, fields.spec);

/** Attempts that were made in it. */
function attemptsOf({ downAt }: NonNullable<ServerMemory['incident']>, server?: ServerMemory): number {
  const { attempts = 0, lastAt = null } = server?.recovery ?? {};
  return lastAt !== null && lastAt >= downAt ? attempts : 0;
}
