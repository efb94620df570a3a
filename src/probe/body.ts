import { ownValue } from '../lib/own-value.ts';
/** What a health answer says, read leniently (contracts section 5). Nothing in it can be trusted to be what it should. */
export interface HealthBody {
  /** null: no status word that we know, so the body is not readable. */
  readonly status: 'ok' | 'degraded' | 'down' | null;
  /** Its own timestamp is too old. */
  readonly stale: boolean;
  readonly version: string | null;
  /** How the components are that have a plain name, at most 64. They say more in words of their own: that goes no further. */
  readonly checks: Readonly<Record<string, ComponentState>>;
  readonly activeSessions: number | null;
  readonly activeRequests: number | null;
  /** How it departs from both published forms, in words. */
  readonly departures: readonly string[];
}

type ComponentState = 'ok' | 'degraded' | 'down' | 'other';

const STALE_AFTER_MS = 60_000;
const MOST_CHECKS = 64;
const LONGEST_WORD = 64;

type Json = Readonly<Record<string, unknown>>;

const statusWords: Readonly<Record<string, 'ok' | 'degraded' | 'down'>> = {
  ok: 'ok',
  healthy: 'ok',
  degraded: 'degraded',
  down: 'down',
  unhealthy: 'down',
};

/** Never throws, whatever the text. `now` is Unix ms. */
export function readHealthBody(text: string, now: number): HealthBody {
  const json = parseObject(text);
  if (json === null) return { ...unreadable, departures: ['the body is not a JSON object'] };
  const status = statusOf(json['status']);
  const at = timeOf(json['timestamp']);
  const metrics = asObject(json['metrics']);
  return {
    status,
    stale: at !== null && now - at.ms > STALE_AFTER_MS,
    version: wordOf(json['version']),
    checks: checksOf(json['checks'] ?? json['dependencies']),
    activeSessions: countOf(metrics['active_sessions']),
    activeRequests: countOf(metrics['active_requests']),
    departures: [...statusDepartures(json, status), ...timeDepartures(json, now), ...otherDepartures(json)],
  };
}

const unreadable: HealthBody = {
  status: null,
  stale: false,
  version: null,
  checks: {},
  activeSessions: null,
  activeRequests: null,
  departures: [],
};

function parseObject(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch (error) {
    // A SyntaxError is what any text may bring; nothing else can come from parsing a string.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const asObject = (value: unknown): Json => (isObject(value) ? value : {});

function statusOf(value: unknown): HealthBody['status'] {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return Object.hasOwn(statusWords, word) ? (ownValue(statusWords, word) ?? null) : null;
}

/** A zone-less time is UTC: servers write it with Python's `isoformat()` inside a container. */
function timeOf(value: unknown): { readonly ms: number; readonly zoned: boolean } | null {
  const parts = typeof value === 'string' ? isoTime.exec(value.trim()) : null;
  if (parts === null) return null;
  const ms = Date.parse(`${parts[1]}T${parts[2]}${parts[3] ?? 'Z'}`);
  return Number.isNaN(ms) ? null : { ms, zoned: parts[3] !== undefined };
}

const isoTime = /^(\d{4}-\d\d-\d\d)[t ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(z|[+-]\d\d:?\d\d)?$/i;

function wordOf(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const word = String(value).trim();
  return word === '' ? null : word.slice(0, LONGEST_WORD);
}

const countOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null;

/** Accepts `{database: "ok"}`, `{database: {status: "ok"}}` and `[{name: "database", status: "ok"}]`. */
function checksOf(value: unknown): HealthBody['checks'] {
  const pairs: [unknown, ComponentState | null][] = Array.isArray(value)
    ? value.slice(0, MOST_CHECKS).map((item) => [asObject(item)['name'], componentState(item)])
    : Object.entries(asObject(value))
        .slice(0, MOST_CHECKS)
        .map(([name, state]) => [name, componentState(state)]);
  return Object.fromEntries(pairs.filter((pair): pair is [string, ComponentState] => isNamed(pair)));
}

const isNamed = ([name, state]: [unknown, ComponentState | null]): boolean =>
  typeof name === 'string' && /^[\w.-]{1,64}$/.test(name) && state !== null;

function componentState(value: unknown): ComponentState | null {
  const word = isObject(value) ? value['status'] : value;
  return typeof word === 'string' ? (statusOf(word) ?? 'other') : null;
}

function statusDepartures(json: Json, status: HealthBody['status']): string[] {
  if (json['status'] === undefined) return ['status is missing'];
  if (status === null) return ['status is none of ok, degraded, down, healthy, unhealthy'];
  return Object.hasOwn(statusWords, wordOf(json['status']) ?? '')
    ? []
    : ['status is not written in lower case'];
}

/** The form that says ok and down gives a timestamp; the one that says healthy and unhealthy a version. */
function timeDepartures(json: Json, now: number): string[] {
  const written = json['timestamp'];
  if (written === undefined) return isSecondForm(json) ? [] : ['timestamp is missing'];
  const at = timeOf(written);
  if (at === null) return ['timestamp is not an ISO 8601 time'];
  if (!at.zoned) return ['timestamp has no time zone (read as UTC)'];
  return at.ms - now > STALE_AFTER_MS ? ['timestamp lies in the future'] : [];
}

const isSecondForm = (json: Json): boolean =>
  json['status'] !== 'ok' && json['status'] !== 'down' && typeof json['version'] === 'string';

function otherDepartures(json: Json): string[] {
  const { uptime_seconds: uptime, version, checks } = json;
  const departures: string[] = [];
  if (uptime === undefined) departures.push('uptime_seconds is missing');
  else if (countOf(uptime) === null) departures.push('uptime_seconds is not a whole number of seconds');
  if (version !== undefined && typeof version !== 'string') departures.push('version is not a string');
  if (checks !== undefined && !hasPlainChecks(checks))
    departures.push('checks are not ok, degraded or down by name');
  return departures;
}

const hasPlainChecks = (checks: unknown): boolean =>
  isObject(checks) &&
  Object.entries(checks).every(
    ([name, state]) => /^[a-z_]+$/.test(name) && (state === 'ok' || state === 'degraded' || state === 'down'),
  );
