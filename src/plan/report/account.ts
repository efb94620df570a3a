import type { Event } from '../../model/event.ts';
import { defaultUpdateTimings } from '../../model/defaults.ts';
import type { ServerMemory } from '../../model/memory.ts';
import type { Span } from './span.ts';
import { fold, type Folds } from '../remember/fold.ts';

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
  /** It ended in a way that its restart policy may have asked for: by a person, or with code 0. */
  readonly mayRest: boolean;
}

export interface Account {
  /** In order; each state lasts until the next. */
  readonly states: readonly { readonly at: number; readonly state: State }[];
  readonly incidents: readonly Incident[];
  /** Container that answers. */
  readonly live: string | null;
  /** When it could not be asked; the last may last. */
  readonly unseen: readonly Span[];
}

export const emptyAccount: Account = { states: [], incidents: [], live: null, unseen: [] };

/** Health that lasted less is a pause of the same trouble. */
const LASTING_MS = defaultUpdateTimings.soakSeconds * 1_000;

export const entered = (account: Account, event: Event): Account => fold(accounts, account, event);

/** What a checkpoint remembers of it, where the log before it is no longer there. */
export function recalled({ promoted, incident, resting }: ServerMemory, at: number): Account {
  const state = promoted === null ? null : resting ? 'off' : incident === null ? 'up' : 'down';
  const open = { secondsToDetect: null, to: null, helped: false, mayRest: false };
  return {
    states: state === null ? [] : [{ at, state }],
    incidents: incident === null ? [] : [{ ...open, id: incident.id, from: incident.downAt }],
    live: promoted?.container ?? null,
    unseen: [],
  };
}

export const openOf = ({ incidents }: Account): Incident | null =>
  incidents.find(({ to }) => to === null) ?? null;

export const helped = (account: Account): Account =>
  changedOpen(account, (one) => [{ ...one, helped: true }]);

const accounts: Folds<Account> = {
  server_ready: (account, event) => ({ ...answers(account, event), live: event.container_id }),
  server_healthy: (account, event) => (event.incident_id === undefined ? account : answers(account, event)),
  recovery_successful: answers,
  server_down: fell,
  // Until something answers it is down, whatever we stopped it for; that it may stay so is said by another event.
  server_stopped: (account, event) =>
    event.by === 'us' && event.container_id === account.live && openOf(account) === null
      ? turned(account, event.time_ms, 'down')
      : account,
  server_unseen: (account, { container_id, at }) =>
    container_id === account.live
      ? { ...account, unseen: [...account.unseen, { from: at, to: Infinity }] }
      : account,
  server_seen: (account, { container_id, time_ms: at }) =>
    container_id === account.live ? seen(account, at) : account,
  server_resting: rested,
  server_removed: rested,
};

function seen(account: Account, at: number): Account {
  if (account.unseen.at(-1)?.to !== Infinity) return account;
  return {
    ...account,
    unseen: account.unseen.map((one) => (one.to === Infinity ? { ...one, to: at } : one)),
  };
}

function answers(account: Account, { time_ms: at }: { readonly time_ms: number }): Account {
  return turned(ended(seen(account, at), at), at, 'up');
}

/** A fall without an incident is a candidate's: the server itself never hung on it. */
function fell(account: Account, event: Event<'server_down'>): Account {
  const { incident_id: id, seconds_to_detect: seconds, by, exit_code: code } = event;
  if (id === undefined || openOf(account)?.id === id) return account;
  const seenAt = event.at ?? event.time_ms;
  const from = by === undefined ? seenAt - (seconds ?? 0) * 1_000 : seenAt;
  // One that never was ready is not there yet, and is not missed.
  const missed = account.states.length === 0 ? account : turned(account, from, 'down');
  const mayRest = by === 'person' || (by === 'itself' && code === 0);
  const incident = { id, from, secondsToDetect: seconds ?? null, to: null, helped: false, mayRest };
  return { ...seen(missed, from), incidents: withNext(ended(account, from).incidents, incident) };
}

function withNext(before: readonly Incident[], next: Incident): readonly Incident[] {
  const last = before.at(-1);
  const relapsed = last?.to != null && next.from - last.to < LASTING_MS;
  return relapsed ? [...before.slice(0, -1), { ...last, to: null }] : [...before, next];
}

/** What was asked for is no trouble from its beginning on; what was in trouble before was. */
function rested(account: Account, { time_ms: at }: { readonly time_ms: number }): Account {
  const open = openOf(account);
  if (open !== null && !open.mayRest) return turned(ended(account, at), at, 'off');
  const calm = changedOpen(account, () => []);
  const last = calm.states.at(-1);
  return last?.state === 'down'
    ? { ...calm, states: [...calm.states.slice(0, -1), { at: last.at, state: 'off' }] }
    : turned(calm, at, 'off');
}

function turned(account: Account, at: number, state: State): Account {
  const last = account.states.at(-1);
  if (last?.state === state) return account;
  const next = { at: Math.max(at, last?.at ?? at), state };
  return { ...account, states: [...account.states, next] };
}

const ended = (account: Account, at: number): Account => changedOpen(account, (one) => [{ ...one, to: at }]);

const changedOpen = (account: Account, change: (one: Incident) => readonly Incident[]): Account =>
  openOf(account) === null
    ? account
    : { ...account, incidents: account.incidents.flatMap((one) => (one.to === null ? change(one) : [one])) };
