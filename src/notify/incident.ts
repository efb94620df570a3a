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
}

/** By key. Plain data, so that it can lie on disk. */
export type Incidents = Readonly<Record<string, Incident>>;

export interface Notice {
  readonly kind: 'opened' | 'escalated' | 'reminder' | 'resolved' | 'notice';
  readonly server: string | null;
  readonly text: string;
  readonly at: number;
  /** null: a reminder, which no event caused. */
  readonly event: Event | null;
}

interface Topic {
  readonly about: 'server' | 'update' | 'manifest' | 'view';
  readonly does: 'open' | 'escalate' | 'close' | 'note';
}

const topic = (about: Topic['about'], does: Topic['does']): Topic => ({ about, does });

/** What people are told of. One trouble is told once when it begins, when it becomes a person's, and when it ends. */
const topics: { readonly [T in EventType]?: Topic } = {
  server_down: topic('server', 'open'),
  recovery_exhausted: topic('server', 'escalate'),
  server_healthy: topic('server', 'close'),
  recovery_successful: topic('server', 'close'),
  server_ready: topic('server', 'close'),
  server_removed: topic('server', 'close'),
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
};

const MOST_INCIDENTS = 1000;
const LONGEST_MS = 7 * 24 * 3600_000;

export const concerns = (event: Event): boolean => topics[event.event_type] !== undefined;

/** What an event means for people: at most one notice, and which troubles are open then. */
export function judge(
  open: Incidents,
  event: Event,
): { readonly open: Incidents; readonly notice: Notice | null } {
  const found = topics[event.event_type];
  if (found === undefined || isOfCandidate(event) || isNobodysFailure(event)) return { open, notice: null };
  const server = event.server_name ?? null;
  const key = `${found.about}:${server ?? ''}`;
  const known = open[key];
  const notice = (kind: Notice['kind']): Notice => ({
    kind,
    server,
    text: textOf(event),
    at: event.time_ms,
    event,
  });
  if (found.does === 'note') return { open, notice: notice('notice') };
  if (found.does === 'close') return { open: without(open, key), notice: known ? notice('resolved') : null };
  if (known !== undefined && found.does === 'open') return { open, notice: null };
  const incident = openIncident(key, event, known, found.about !== 'update');
  return { open: bounded({ ...open, [key]: incident }), notice: notice(known ? 'escalated' : 'opened') };
}

/** A candidate's health is the rollout's business: an event of the server itself belongs to an incident. */
const isOfCandidate = (event: Event): boolean =>
  (event.event_type === 'server_down' || event.event_type === 'server_healthy') &&
  event.incident_id === undefined;

/** The engine went down, not it: it is started again at once. If that does not help it falls once more by itself. */
const isNobodysFailure = (event: Event): boolean =>
  event.event_type === 'server_down' && event.by === 'engine';

/** What is due to be told again. A trouble of more than a week is known by then, and is forgotten. */
export function remind(
  open: Incidents,
  now: number,
  everyMs: number,
): { readonly open: Incidents; readonly notices: readonly Notice[] } {
  const lasting = Object.values(open).filter(({ openedAt }) => now - openedAt < LONGEST_MS);
  const isDue = ({ reminds, toldAt }: Incident) => reminds && now - toldAt >= everyMs;
  if (lasting.length === Object.keys(open).length && !lasting.some(isDue)) return { open, notices: [] };
  return {
    open: Object.fromEntries(lasting.map((one) => [one.key, isDue(one) ? { ...one, toldAt: now } : one])),
    notices: lasting.filter(isDue).map(({ server, text, openedAt }) => ({
      kind: 'reminder',
      server,
      text: `${text} (for ${Math.round((now - openedAt) / 60_000)} minutes)`,
      at: now,
      event: null,
    })),
  };
}

function openIncident(key: string, event: Event, known: Incident | undefined, reminds: boolean): Incident {
  const at = event.time_ms;
  const server = event.server_name ?? null;
  return { key, server, openedAt: known?.openedAt ?? at, toldAt: at, text: textOf(event), reminds };
}

const without = (open: Incidents, key: string): Incidents =>
  Object.fromEntries(Object.entries(open).filter(([other]) => other !== key));

const bounded = (open: Incidents): Incidents =>
  Object.fromEntries(Object.entries(open).slice(-MOST_INCIDENTS));

/** One line for a person: who, what, and why in the event's own words. */
function textOf(event: Event): string {
  const { says } = catalogue[event.event_type];
  const why = [wordOf(event, 'reason'), wordOf(event, 'version'), wordOf(event, 'error')];
  const more = why.filter((word) => word !== null).join(', ');
  return `${event.server_name ?? 'mcp-orchestration'}: ${says}${more === '' ? '' : ` (${more})`}`.slice(
    0,
    1000,
  );
}

function wordOf(event: Event, field: string): string | null {
  const value: unknown = (event as unknown as Record<string, unknown>)[field];
  return typeof value === 'string' && value !== '' ? value : null;
}
