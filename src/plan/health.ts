import type { ServerMemory } from '../model/memory.ts';
import type { Health, Instance, ProbeResult, Pulse } from '../model/observed.ts';
import type { HealthCheck } from '../model/spec.ts';

/** A look at idleness counts as a second one only after this. Milliseconds. */
const IDLE_LOOKS_APART_MS = 5_000;
/** While it starts it is asked this often. Milliseconds. */
const STARTING_INTERVAL_MS = 1_000;

export interface Asked {
  readonly settings: HealthCheck;
  /** Unix ms of the answer. */
  readonly now: number;
  /** Unix ms of the question. */
  readonly askedAt: number;
}

/** What the answer to one question changes (contracts section 5). A failure on our own side changes only how well we see. */
export function feel(pulse: Pulse, result: ProbeResult, asked: Asked): Pulse {
  const seen = {
    ...pulse,
    lastCheckAt: asked.askedAt,
    responseTimeMs: result.responseTimeMs,
    reason: result.reason,
  };
  if (result.outcome === 'unknown') return { ...seen, fresh: false, seenSince: null, silent: false };
  const counted = count(pulse, result.outcome);
  const state = nextState({ ...pulse, ...counted }, result.outcome, asked);
  return {
    ...seen,
    ...counted,
    state,
    fresh: true,
    seenSince: since(pulse.seenSince, asked.now),
    healthySince: state === 'healthy' ? since(pulse.healthySince, asked.now) : null,
    lastOk: result.outcome !== 'failed',
    wasHealthy: pulse.wasHealthy || state === 'healthy',
    silent: result.outcome === 'failed' && result.silent,
    versionOk: result.versionOk,
    ...quiet(pulse, result, asked.now),
    departures: result.departures,
    reportedVersion: result.reportedVersion ?? pulse.reportedVersion,
  };
}

/** A new pulse: what was remembered of its present start, and not fresh until the first answer (T4). */
export function seedPulse({ startedAt }: Instance, remembered: ServerMemory['health'][string] | null): Pulse {
  const known = remembered !== null && remembered.at > startedAt ? remembered : null;
  return {
    state: known?.state ?? 'unknown',
    fresh: false,
    healthySince: null,
    lastOk: false,
    wasHealthy: known?.was ?? false,
    seenSince: null,
    silent: false,
    versionOk: null,
    failures: 0,
    successes: 0,
    lastCheckAt: null,
    responseTimeMs: null,
    quietSince: null,
    idleSince: null,
    reason: 'not_asked_yet',
    departures: [],
    reportedVersion: null,
    startedAt,
  };
}

/**
 * Unix ms of the next question: every second while it starts, soon after a failure and while its drain waits for
 * idleness, else by its interval, counted from question to question. `spread` (0..1) is its own place in the first one.
 */
export function nextCheckAt(bed: {
  readonly pulse: Pulse;
  readonly settings: HealthCheck;
  readonly draining: boolean;
  readonly spread: number;
  readonly now: number;
}): number {
  const { pulse, settings, draining, spread, now } = bed;
  if (pulse.lastCheckAt === null) return now + spread * STARTING_INTERVAL_MS;
  const interval = settings.intervalSeconds * 1_000;
  const suspect = Math.min(settings.suspectIntervalSeconds * 1_000, interval);
  if (!pulse.wasHealthy) return pulse.lastCheckAt + STARTING_INTERVAL_MS;
  if (pulse.state !== 'healthy' || !pulse.fresh) return pulse.lastCheckAt + suspect;
  if (draining) return pulse.lastCheckAt + Math.min(IDLE_LOOKS_APART_MS, interval);
  return pulse.lastCheckAt + interval * (pulse.successes === 1 ? 1 - spread / 2 : 1);
}

/** A beginning in the future is from before the clock was set back: it begins anew. */
const since = (began: number | null, now: number): number => (began === null || began > now ? now : began);

type Counts = Pick<Pulse, 'failures' | 'successes'>;

function count({ failures, successes }: Pulse, outcome: 'ok' | 'degraded' | 'failed'): Counts {
  if (outcome === 'failed') return { failures: failures + 1, successes: 0 };
  return { failures: 0, successes: outcome === 'ok' ? successes + 1 : 0 };
}

type Rule = (counted: Pulse, asked: Asked) => Health;

/** The state machine: state x answer -> state, counts already including the answer. */
const table: { readonly [H in Health]: { readonly [O in 'ok' | 'degraded' | 'failed']: Rule } } = {
  unknown: { ok: always('healthy'), degraded: always('degraded'), failed: failedToStart },
  healthy: { ok: always('healthy'), degraded: always('degraded'), failed: worse('degraded') },
  degraded: { ok: better, degraded: always('degraded'), failed: worse('degraded') },
  unhealthy: { ok: always('degraded'), degraded: always('degraded'), failed: always('unhealthy') },
};

const nextState = (counted: Pulse, outcome: 'ok' | 'degraded' | 'failed', asked: Asked): Health =>
  table[counted.state][outcome](counted, asked);

function always(state: Health): Rule {
  return () => state;
}

function worse(otherwise: Health): Rule {
  return ({ failures }, { settings }) => (failures >= settings.failureThreshold ? 'unhealthy' : otherwise);
}

function better({ successes }: Pulse, { settings }: Asked): Health {
  return successes >= settings.successThreshold ? 'healthy' : 'degraded';
}

/** In its start period a failure says nothing. */
function failedToStart(counted: Pulse, { settings, now }: Asked): Health {
  const starting = now < counted.startedAt + settings.startPeriodSeconds * 1_000;
  return !starting && counted.failures >= settings.failureThreshold ? 'unhealthy' : 'unknown';
}

/** Idle is what two looks far enough apart found without sessions and requests; not reported counts as busy. */
function quiet(pulse: Pulse, result: ProbeResult, now: number): Pick<Pulse, 'quietSince' | 'idleSince'> {
  if (result.activeSessions !== 0 || result.activeRequests !== 0)
    return { quietSince: null, idleSince: null };
  const quietSince = since(pulse.quietSince, now);
  return { quietSince, idleSince: now - quietSince >= IDLE_LOOKS_APART_MS ? quietSince : null };
}
