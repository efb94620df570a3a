import { ownValue, without } from '../lib/own-value.ts';
import { plain } from '../lib/plain.ts';
import { catalogue } from '../model/catalogue.ts';
import type { Event, EventType } from '../model/event.ts';

/** A trouble that was told and has not ended. Times are Unix ms. */
export interface Incident {
  readonly key: string;
  readonly server: string | null;
  readonly openedAt: number;
  readonly toldAt: number;
  readonly text: string;
  readonly reminds: boolean;
  readonly escalated: boolean;
  /** It answers again since, and it is not over before that has lasted; null: it does not. */
  readonly wellSince: number | null;
  /** It fell again before its health had lasted: only lasting health is told from then on. */
  readonly relapsed: boolean;
}

/** By key. Plain data, so that it can lie on disk. */
export type Incidents = Readonly<Record<string, Incident>>;

export interface Notice {
  readonly kind: 'opened' | 'escalated' | 'reminder' | 'resolved' | 'notice';
  readonly server: string | null;
  readonly text: string;
  readonly at: number;
  /** null: no event caused it, but time. */
  readonly event: Event | null;
}

interface Topic {
  readonly about: 'server' | 'update' | 'manifest' | 'view';
  readonly does: 'open' | 'escalate' | 'close' | 'end' | 'note';
}

const topic = (about: Topic['about'], does: Topic['does']): Topic => ({ about, does });

/** What people are told of. One trouble is told once when it begins, when it becomes a person's, and when it ends. */
const topics: { readonly [T in EventType]?: Topic } = {
  server_down: topic('server', 'open'),
  recovery_exhausted: topic('server', 'escalate'),
  server_healthy: topic('server', 'close'),
  recovery_successful: topic('server', 'close'),
  server_ready: topic('server', 'close'),
  server_removed: topic('server', 'end'),
  server_resting: topic('server', 'end'),
  version_quarantined: topic('update', 'open'),
  update_failed: topic('update', 'open'),
  rollback_failed: topic('update', 'escalate'),
  rollback_completed: topic('update', 'close'),
  update_completed: topic('update', 'close'),
  registry_read_failed: topic('manifest', 'open'),
  manifest_synced: topic('manifest', 'close'),
  view_suspected: topic('view', 'open'),
  view_cleared: topic('view', 'close'),
  update_available: topic('update', 'note'),
  server_refused: topic('server', 'note'),
  server_held: topic('server', 'note'),
  removal_held: topic('manifest', 'note'),
  internal_error: topic('server', 'note'),
  drift_repeats: topic('server', 'note'),
  foreign_container_found: topic('view', 'note'),
};

const MOST_INCIDENTS = 1000;
const LONGEST_MS = 7 * 24 * 3600_000;
/** Health that lasted less is a pause of the same trouble. */
const LASTING_MS = 600_000;

export const concerns = (event: Event): boolean => topics[event.event_type] !== undefined;

interface Judged {
  readonly open: Incidents;
  readonly notice: Notice | null;
}

/** What an event means for people: at most one notice, and which troubles are open then. */
export function judge(open: Incidents, event: Event): Judged {
  const found = topics[event.event_type];
  if (found === undefined || isOfCandidate(event) || isNobodysFailure(event)) return { open, notice: null };
  const key = `${found.about}:${event.server_name ?? ''}`;
  return ways[found.does]({ open, event, key, known: ownValue(open, key) ?? null, about: found.about });
}

interface Told {
  readonly open: Incidents;
  readonly event: Event;
  readonly key: string;
  readonly known: Incident | null;
  readonly about: Topic['about'];
}

const ways: { readonly [D in Topic['does']]: (told: Told) => Judged } = {
  note: ({ open, event }) => ({ open, notice: noticeOf('notice', event) }),
  open: opened,
  escalate: escalated,
  close: closed,
  end: ({ open, key, known, event }) => ({
    open: without(open, key),
    notice: known === null || isTold(known) ? null : noticeOf('resolved', event),
  }),
};

function opened({ open, event, key, known, about }: Told): Judged {
  if (known === null) return kept(open, newIncident(key, event, about), noticeOf('opened', event));
  if (known.wellSince === null) return { open, notice: null };
  const again = { ...known, wellSince: null, relapsed: true, text: textOf(event), toldAt: event.time_ms };
  return kept(open, again, known.relapsed ? null : noticeOf('opened', event));
}

function escalated({ open, event, key, known, about }: Told): Judged {
  if (known?.escalated === true) return { open, notice: null };
  const incident = {
    ...(known ?? newIncident(key, event, about)),
    text: textOf(event),
    toldAt: event.time_ms,
  };
  const kind = known === null ? 'opened' : 'escalated';
  return kept(open, { ...incident, escalated: true }, noticeOf(kind, event));
}

/** The end is told at once. A server that fell again meanwhile has to be well for a while first. */
function closed({ open, event, key, known, about }: Told): Judged {
  if (known === null || known.wellSince !== null) return { open, notice: null };
  if (about !== 'server') return { open: without(open, key), notice: noticeOf('resolved', event) };
  const well = { ...known, wellSince: event.time_ms };
  return kept(open, well, known.relapsed ? null : noticeOf('resolved', event));
}

const kept = (open: Incidents, incident: Incident, notice: Notice | null): Judged => ({
  open: bounded({ ...open, [incident.key]: incident }),
  notice,
});

/** Its end was told when it was well again. */
const isTold = ({ wellSince, relapsed }: Incident): boolean => wellSince !== null && !relapsed;

/** A candidate's health is the rollout's business: an event of the server itself belongs to an incident. */
const isOfCandidate = (event: Event): boolean =>
  (event.event_type === 'server_down' || event.event_type === 'server_healthy') &&
  event.incident_id === undefined;

/**
 * The engine went down, not it: it is started again at once, and if that does not help it falls once more by itself. A
 * version that a commit took back is where the commit wanted it.
 */
const isNobodysFailure = (event: Event): boolean =>
  (event.event_type === 'server_down' && event.by === 'engine') ||
  (event.event_type === 'version_quarantined' && event.gate === 'reverted');

/**
 * What is due to be told by the time alone: again, or that it is over. A trouble of more than a week is known by then,
 * and is forgotten.
 */
export function remind(
  open: Incidents,
  now: number,
  everyMs: number,
): { readonly open: Incidents; readonly notices: readonly Notice[] } {
  const all = Object.values(open);
  const isOver = ({ wellSince }: Incident) => wellSince !== null && now - wellSince >= LASTING_MS;
  const isOld = ({ openedAt }: Incident) => now - openedAt >= LONGEST_MS;
  const isDue = ({ reminds, toldAt, wellSince }: Incident) =>
    reminds && wellSince === null && now - toldAt >= everyMs;
  const lasting = all.filter((one) => !isOver(one) && !isOld(one));
  if (lasting.length === all.length && !lasting.some(isDue)) return { open, notices: [] };
  return {
    open: Object.fromEntries(lasting.map((one) => [one.key, isDue(one) ? { ...one, toldAt: now } : one])),
    notices: [
      ...all.filter((one) => isOver(one) && one.relapsed).map((one) => wellForGood(one, now)),
      ...lasting.filter(isDue).map((one) => reminder(one, now)),
    ],
  };
}

const wellForGood = ({ server }: Incident, now: number): Notice => ({
  ...{ kind: 'resolved', server, at: now, event: null },
  text: `${server ?? 'mcp-orchestration'}: it has been well for ${LASTING_MS / 60_000} minutes`,
});

const reminder = ({ server, text, openedAt }: Incident, now: number): Notice => ({
  ...{ kind: 'reminder', server, at: now, event: null },
  text: `${text} (for ${Math.round((now - openedAt) / 60_000)} minutes)`,
});

const noticeOf = (kind: Notice['kind'], event: Event): Notice => ({
  ...{ kind, server: event.server_name ?? null, text: textOf(event), at: event.time_ms, event },
});

function newIncident(key: string, event: Event, about: Topic['about']): Incident {
  const at = event.time_ms;
  const told = { server: event.server_name ?? null, openedAt: at, toldAt: at, text: textOf(event) };
  return { key, ...told, reminds: about !== 'update', escalated: false, wellSince: null, relapsed: false };
}

const bounded = (open: Incidents): Incidents =>
  Object.fromEntries(Object.entries(open).slice(-MOST_INCIDENTS));

/** One line for a person: who, what, and why in the event's own words. */
function textOf(event: Event): string {
  const { says } = catalogue[event.event_type];
  const why = [wordOf(event, 'reason'), wordOf(event, 'version'), wordOf(event, 'error')];
  const more = why.filter((word) => word !== null).join(', ');
  const text = `${event.server_name ?? 'mcp-orchestration'}: ${says}${more === '' ? '' : ` (${more})`}`;
  return plain(text.slice(0, 1000));
}

function wordOf(event: Event, field: string): string | null {
  const value = ownValue(event as unknown as Record<string, unknown>, field);
  return typeof value === 'string' && value !== '' ? value : null;
}
