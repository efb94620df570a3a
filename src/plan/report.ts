import { isoSeconds } from '../lib/time.ts';
import { unwatchedUntil, type Account, type Incident, type Ledger } from './report/ledger.ts';
import { overlap, without, type Span } from './report/span.ts';

export { emptyLedger, enter, type Ledger } from './report/ledger.ts';

/** How well servers were, as the log tells it. Field names are outside names; times in seconds. */
export interface Report {
  readonly schema_version: '1.0';
  readonly from: string;
  readonly to: string;
  readonly watched_seconds: number;
  /** Nobody watched: counted neither as up nor as down. */
  readonly unwatched_seconds: number;
  readonly overall: Figures;
  readonly servers: readonly (Figures & { readonly server: string })[];
}

export interface Figures {
  /** Share of the watched time in which it should have answered and did, 0..1; null: it never should have. */
  readonly availability: number | null;
  readonly up_seconds: number;
  readonly down_seconds: number;
  /** Stopped because it was asked for. */
  readonly stopped_seconds: number;
  readonly incidents: number;
  readonly open_incidents: number;
  /** From the fault (the exit, or the last good answer) until it was seen. */
  readonly time_to_detect: Spread | null;
  /** From the fault until it answered well again. */
  readonly time_to_recover: Spread | null;
  /** Share of incidents that ended within two minutes of the fault and without a person, 0..1; null: none to judge. */
  readonly recovered_by_itself_within_2_minutes: number | null;
}

export interface Spread {
  readonly median: number;
  readonly p90: number;
  readonly max: number;
}

const IN_TIME_MS = 120_000;

/** The figures of a window of time that ends now; both in Unix ms. What began before the window counts from its start. */
export function reportOf(ledger: Ledger, window: Span): Report {
  const { later, firstAt } = ledger;
  const to = window.to + later;
  // Before the first event there is nothing to tell of.
  const whole = { from: Math.min(Math.max(window.from + later, firstAt ?? to), to), to };
  const unwatched = unwatchedUntil(ledger, to);
  const watched = without(whole, unwatched);
  const seconds = overlap(watched, [whole]) / 1_000;
  const parts = partsOf(ledger, whole, unwatched);
  return {
    schema_version: '1.0',
    from: isoSeconds(whole.from - later),
    to: isoSeconds(window.to),
    watched_seconds: rounded(seconds),
    unwatched_seconds: rounded((to - whole.from) / 1_000 - seconds),
    overall: figuresOf(together(parts.map(([, part]) => part)), to),
    servers: parts.map(([server, part]) => ({ server, ...figuresOf(part, to) })),
  };
}

/** Those that were there at some time of it, by name. */
function partsOf({ servers }: Ledger, whole: Span, unwatched: readonly Span[]): readonly [string, Part][] {
  const there = Object.entries(servers).filter(([, account]) => concerns(account, whole));
  const inOrder = there.sort(([a], [b]) => (a < b ? -1 : 1));
  return inOrder.map(([name, account]) => [name, partOf(account, whole, unwatched)]);
}

interface Part {
  readonly ms: { readonly up: number; readonly down: number; readonly off: number };
  readonly incidents: readonly Incident[];
}

/** It was there at some time of the window. */
const concerns = ({ states, incidents }: Account, whole: Span): boolean =>
  incidents.some((one) => isIn(one, whole)) ||
  states.some(
    ({ at, state }, index) =>
      state !== 'off' && (states[index + 1]?.at ?? Infinity) > whole.from && at < whole.to,
  );

const isIn = ({ from, to }: Incident, whole: Span): boolean =>
  from < whole.to && (to ?? Infinity) > whole.from;

function partOf({ states, incidents, unseen }: Account, whole: Span, unwatched: readonly Span[]): Part {
  const holes = [...unwatched, ...unseen].sort((a, b) => a.from - b.from);
  const watched = without(whole, holes);
  const spans = states.map(({ at, state }, index) => ({
    state,
    from: at,
    to: states[index + 1]?.at ?? whole.to,
  }));
  const spent = (wanted: string): number =>
    overlap(
      spans.filter(({ state }) => state === wanted),
      watched,
    );
  const ms = { up: spent('up'), down: spent('down'), off: spent('off') };
  return { ms, incidents: incidents.filter((one) => isIn(one, whole)) };
}

const together = (parts: readonly Part[]): Part => ({
  ms: {
    up: sum(parts.map(({ ms }) => ms.up)),
    down: sum(parts.map(({ ms }) => ms.down)),
    off: sum(parts.map(({ ms }) => ms.off)),
  },
  incidents: parts.flatMap(({ incidents }) => incidents),
});

function figuresOf({ ms, incidents }: Part, now: number): Figures {
  const wanted = ms.up + ms.down;
  const detected = incidents.flatMap(({ secondsToDetect }) => secondsToDetect ?? []);
  const recovered = incidents.flatMap(({ from, to }) => (to === null ? [] : (to - from) / 1_000));
  return {
    availability: wanted === 0 ? null : shareOf(ms.up, wanted),
    up_seconds: rounded(ms.up / 1_000),
    down_seconds: rounded(ms.down / 1_000),
    stopped_seconds: rounded(ms.off / 1_000),
    incidents: incidents.length,
    open_incidents: incidents.filter(({ to }) => to === null).length,
    time_to_detect: spreadOf(detected),
    time_to_recover: spreadOf(recovered),
    recovered_by_itself_within_2_minutes: inTime(incidents, now),
  };
}

/** One that is open and younger than that is not judged yet. */
function inTime(incidents: readonly Incident[], now: number): number | null {
  const lasted = ({ from, to }: Incident): number => (to ?? now) - from;
  const judged = incidents.filter((one) => one.to !== null || lasted(one) > IN_TIME_MS);
  if (judged.length === 0) return null;
  const good = judged.filter((one) => one.to !== null && !one.helped && lasted(one) <= IN_TIME_MS);
  return shareOf(good.length, judged.length);
}

/** By nearest rank: each figure is one that was measured. */
function spreadOf(values: readonly number[]): Spread | null {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number): number => rounded(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return sorted.length === 0 ? null : { median: rank(0.5), p90: rank(0.9), max: rank(1) };
}

/** Down to a thousandth of a percent, and never rounded up to perfect. */
const shareOf = (part: number, whole: number): number => Math.floor((part / whole) * 100_000) / 100_000;

const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
