import type { Event } from '../../model/event.ts';
import { fold, type Folds } from '../remember/fold.ts';
import type { Span } from './span.ts';

/** What the log says of a server: `off` is a stop that was asked for, and no trouble. */
type State = 'up' | 'down' | 'off';

export interface Incident {
  readonly id: string;
  /** Unix ms of the fault: of the exit, or of the last good answer before it. */
  readonly from: number;
  /** Seconds from the fault until it was seen; null: nobody watched then. */
  readonly secondsToDetect: number | null;
  /** Unix ms when the server answered well again; null: it does not yet. */
  readonly to: number | null;
  /** A person did something for it: retried, or changed its entry. */
  readonly helped: boolean;
}

export interface Account {
  /** In order; each state lasts until the next. */
  readonly states: readonly { readonly at: number; readonly state: State }[];
  readonly incidents: readonly Incident[];
  /** Container that answers. */
  readonly live: string | null;
}

/** The log, sorted by server, and when somebody watched. Times are Unix ms. */
export interface Ledger {
  readonly firstAt: number | null;
  readonly lastAt: number;
  /** False from an orderly end on. */
  readonly watching: boolean;
  readonly unwatched: readonly Span[];
  readonly servers: Readonly<Record<string, Account>>;
}

export const emptyLedger: Ledger = {
  firstAt: null,
  lastAt: 0,
  watching: false,
  unwatched: [],
  servers: {},
};

/** While it watches it says so every quarter of an hour: a longer silence is no proof that somebody watched. */
const LONGEST_SILENCE_MS = 20 * 60_000;

/** Events in the order of the log. */
export function enter(ledger: Ledger, event: Event): Ledger {
  // A clock that was set back makes no time twice.
  const at = Math.max(event.time_ms, ledger.lastAt);
  const begun = event.event_type === 'orchestrator_started';
  const silent = at - ledger.lastAt > LONGEST_SILENCE_MS;
  const missed = ledger.firstAt !== null && (begun || silent || !ledger.watching) && at > ledger.lastAt;
  const hole = { from: ledger.lastAt, to: at };
  return {
    firstAt: ledger.firstAt ?? at,
    lastAt: at,
    watching: event.event_type !== 'orchestrator_stopped',
    unwatched: missed ? [...ledger.unwatched, hole] : ledger.unwatched,
    servers: helpedBy(event, entered(ledger.servers, { ...event, time_ms: at })),
  };
}

/** As `enter`, for the time since the last event. */
export function unwatchedUntil({ unwatched, watching, lastAt }: Ledger, now: number): readonly Span[] {
  const isHole = now > lastAt && (!watching || now - lastAt > LONGEST_SILENCE_MS);
  return isHole ? [...unwatched, { from: lastAt, to: now }] : unwatched;
}

function entered(servers: Ledger['servers'], event: Event): Ledger['servers'] {
  const { server_name: name } = event;
  if (name === undefined) return servers;
  const before = servers[name] ?? emptyAccount;
  const after = fold(accounts, before, event);
  return after === before ? servers : { ...servers, [name]: after };
}

const emptyAccount: Account = { states: [], incidents: [], live: null };

const accounts: Folds<Account> = {
  server_ready: (account, event) => ({ ...answers(account, event), live: event.container_id }),
  server_healthy: (account, event) => (event.incident_id === undefined ? account : answers(account, event)),
  recovery_successful: answers,
  server_down: fell,
  server_stopped: (account, event) =>
    event.by === 'us' && event.container_id === account.live && openOf(account) === null
      ? turned(account, event.time_ms, 'off')
      : account,
  server_removed: (account, { time_ms: at }) => turned(ended(account, at), at, 'off'),
};

function answers(account: Account, { time_ms: at }: { readonly time_ms: number }): Account {
  return turned(ended(account, at), at, 'up');
}

/** A fall without an incident is a candidate's: the server itself never hung on it. */
function fell(account: Account, event: Event<'server_down'>): Account {
  const { incident_id: id, time_ms: seenAt, seconds_to_detect: seconds } = event;
  if (id === undefined || openOf(account)?.id === id) return account;
  const from = event.at ?? seenAt - (seconds ?? 0) * 1_000;
  const incident = { id, from, secondsToDetect: seconds ?? null, to: null, helped: false };
  // One that never was ready is not there yet, and is not missed.
  const missed = account.states.length === 0 ? account : turned(account, from, 'down');
  return { ...missed, incidents: [...ended(account, from).incidents, incident] };
}

function turned(account: Account, at: number, state: State): Account {
  const last = account.states.at(-1);
  if (last?.state === state) return account;
  const next = { at: Math.max(at, last?.at ?? at), state };
  return { ...account, states: [...account.states, next] };
}

const openOf = ({ incidents }: Account): Incident | null => incidents.find(({ to }) => to === null) ?? null;

function ended(account: Account, at: number): Account {
  if (openOf(account) === null) return account;
  return {
    ...account,
    incidents: account.incidents.map((one) => (one.to === null ? { ...one, to: at } : one)),
  };
}

/** What a person did while a server was down. */
function helpedBy(event: Event, servers: Ledger['servers']): Ledger['servers'] {
  const names = namesHelped(event, servers).filter((name) => {
    const account = servers[name];
    return account !== undefined && openOf(account) !== null;
  });
  return {
    ...servers,
    ...Object.fromEntries(names.map((name) => [name, helped(servers[name] ?? emptyAccount)])),
  };
}

function namesHelped(event: Event, servers: Ledger['servers']): readonly string[] {
  if (event.event_type === 'manifest_synced') return event.changed ?? [];
  if (event.event_type !== 'request_accepted' || event.request !== 'retry') return [];
  return event.server_name === undefined ? Object.keys(servers) : [event.server_name];
}

const helped = (account: Account): Account => ({
  ...account,
  incidents: account.incidents.map((one) => (one.to === null ? { ...one, helped: true } : one)),
});
