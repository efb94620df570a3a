import { ownValue } from '../../lib/own-value.ts';
import type { Event } from '../../model/event.ts';
import type { Memory } from '../../model/memory.ts';
import { emptyAccount, entered, helped, openOf, recalled, type Account } from './account.ts';
import type { Span } from './span.ts';

export type { Account, Incident } from './account.ts';

/**
 * The log, sorted by server, and when somebody watched. Times are Unix ms of a clock that never goes back: `later` is
 * how far the one of the log is behind it, for having been set back.
 */
export interface Ledger {
  readonly firstAt: number | null;
  readonly lastAt: number;
  readonly later: number;
  /** False from an orderly end on. */
  readonly watching: boolean;
  readonly unwatched: readonly Span[];
  readonly servers: Readonly<Record<string, Account>>;
}

export const emptyLedger: Ledger = {
  firstAt: null,
  lastAt: 0,
  later: 0,
  watching: false,
  unwatched: [],
  servers: {},
};

/** While it watches it says so every quarter of an hour: a longer silence is no proof that somebody watched. */
const LONGEST_SILENCE_MS = 20 * 60_000;

/** Events in the order of the log. */
export function enter(ledger: Ledger, event: Event): Ledger {
  const later = Math.max(ledger.later, ledger.lastAt - event.time_ms);
  const at = event.time_ms + later;
  const begun = event.event_type === 'orchestrator_started';
  const silent = at - ledger.lastAt > LONGEST_SILENCE_MS;
  const missed = ledger.firstAt !== null && (begun || silent || !ledger.watching) && at > ledger.lastAt;
  const hole = { from: ledger.lastAt, to: at };
  return {
    firstAt: ledger.firstAt ?? at,
    lastAt: at,
    later,
    watching: event.event_type !== 'orchestrator_stopped',
    unwatched: missed ? [...ledger.unwatched, hole] : ledger.unwatched,
    servers: helpedBy(event, serversAfter(ledger, moved(event, later))),
  };
}

/** As `enter`, for the time since the last event. */
export function unwatchedUntil({ unwatched, watching, lastAt }: Ledger, now: number): readonly Span[] {
  const isHole = now > lastAt && (!watching || now - lastAt > LONGEST_SILENCE_MS);
  return isHole ? [...unwatched, { from: lastAt, to: now }] : unwatched;
}

/** The same event on the clock that never goes back. */
function moved(event: Event, later: number): Event {
  const at = 'at' in event && typeof event.at === 'number' ? { at: event.at + later } : {};
  return { ...event, ...at, time_ms: event.time_ms + later };
}

function serversAfter({ servers, firstAt }: Ledger, event: Event): Ledger['servers'] {
  // Older files are gone: where things stood then is what the checkpoint says.
  if (event.event_type === 'memory_checkpoint')
    return firstAt === null ? recall(event.memory, event.time_ms) : servers;
  const { server_name: name } = event;
  if (name === undefined) return servers;
  const before = ownValue(servers, name) ?? emptyAccount;
  const after = entered(before, event);
  return after === before ? servers : { ...servers, [name]: after };
}

const recall = ({ servers }: Memory, at: number): Ledger['servers'] =>
  Object.fromEntries(Object.entries(servers ?? {}).map(([name, server]) => [name, recalled(server, at)]));

/** What a person did while a server was down. */
function helpedBy(event: Event, servers: Ledger['servers']): Ledger['servers'] {
  const names = namesHelped(event, servers).filter((name) => {
    const account = ownValue(servers, name);
    return account !== undefined && openOf(account) !== null;
  });
  return {
    ...servers,
    ...Object.fromEntries(names.map((name) => [name, helped(ownValue(servers, name) ?? emptyAccount)])),
  };
}

function namesHelped(event: Event, servers: Ledger['servers']): readonly string[] {
  if (event.event_type === 'manifest_synced') return event.changed ?? [];
  if (event.event_type !== 'request_accepted' || event.request !== 'retry') return [];
  return event.server_name === undefined ? Object.keys(servers) : [event.server_name];
}
