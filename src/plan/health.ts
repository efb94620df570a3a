import type { ServerMemory } from '../model/memory.ts';
import type { Health, Instance, ProbeResult, Pulse } from '../model/observed.ts';
import type { HealthCheck } from '../model/spec.ts';

/** A look at idleness counts as a second one only after this. Milliseconds. */
const IDLE_LOOKS_APART_MS = 5_000;
/** While it starts it is asked this often. Milliseconds. */
const STARTING_INTERVAL_MS = 1_000;

export interface Asked {
  readonly settings: HealthCheck;
  /** Its healthy deadline: until its first success after a start no failure counts before it. */
  readonly startsWithinSeconds: number;
  /** Unix ms of the answer. */
  readonly now: number;
  /** Unix ms of the question. */
  readonly askedAt: number;
}

/** As many answers go into the evidence against a version. */
const ANSWERS_KEPT = 5;

/** What the answer to one question changes (contracts section 5). A failure on our own side changes only how well we see. */
export function feel(pulse: Pulse, result: ProbeResult, asked: Asked): Pulse {
  const seen = {
    ...pulse,
    lastCheckAt: asked.askedAt,
    responseTimeMs: result.responseTimeMs,
    reason: result.reason,
    answers: [...pulse.answers, result.reason].slice(-ANSWERS_KEPT),
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
    silent: isSilent(result),
    silentSince: isSilent(result) ? fellSilent(pulse, asked.askedAt) : null,
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
    answers: [],
    healthySince: null,
    lastOk: false,
    wasHealthy: known?.was ?? false,
    seenSince: null,
    silent: false,
    // It lay down before we came: it does not fall with those that fall now.
    silentSince: known?.state === 'unhealthy' && known.was ? known.at : null,
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

/** Who is asked, and what says when. */
export interface Bed {
  readonly pulse: Pulse;
  readonly settings: HealthCheck;
  /** Its healthy deadline. */
  readonly startsWithinSeconds: number;
  /** Its drain waits for idleness. */
  readonly draining: boolean;
  /** Unix ms: something waits for the answer to a question asked then or later; null: nothing does. */
  readonly askAt: number | null;
  /** Its own place in the interval, 0..1. */
  readonly spread: number;
  readonly now: number;
}

/**
 * Unix ms of the next question: every second while it starts, soon after a failure and while its drain waits for
 * idleness, else at its own place in the interval, however often it was asked in between; at once after `askAt`.
 */
export function nextCheckAt(bed: Bed): number {
  const { pulse, spread, now, askAt } = bed;
  if (pulse.lastCheckAt === null) return now + spread * STARTING_INTERVAL_MS;
  const usual = usualCheckAt(pulse, pulse.lastCheckAt, bed);
  return askAt === null || pulse.lastCheckAt >= askAt ? usual : Math.min(usual, askAt + TIMER_MS);
}

function usualCheckAt(pulse: Pulse, lastCheckAt: number, bed: Bed): number {
  const { settings, draining, spread, now } = bed;
  const interval = settings.intervalSeconds * 1_000 * PACE;
  const suspect = Math.min(settings.suspectIntervalSeconds * 1_000, interval);
  if (pulse.state === 'unknown' && now < latestStart(pulse, bed)) return lastCheckAt + STARTING_INTERVAL_MS;
  if (pulse.state !== 'healthy' || !pulse.fresh) return lastCheckAt + suspect;
  if (draining) return lastCheckAt + Math.min(IDLE_LOOKS_APART_MS, interval);
  return lastCheckAt + untilItsPlace(lastCheckAt, spread * interval, interval);
}

/**
 * A hang just after a check is seen within interval + 2 x suspect interval + timeout (contracts section 5): what asking
 * itself takes has to fit in, so the interval is walked a little faster than it is long.
 */
const PACE = 0.95;

/** A timer may fire so much too early, and the place is not twice in a row. Milliseconds. */
const TIMER_MS = 20;

function untilItsPlace(asked: number, place: number, interval: number): number {
  const past = (asked + TIMER_MS - place) % interval;
  return interval - past + TIMER_MS;
}

/** Only what we could watch counts. Unix ms. */
const latestStart = ({ startedAt, seenSince }: Pulse, bed: Pick<Asked, 'startsWithinSeconds'>): number =>
  Math.max(startedAt, seenSince ?? 0) + bed.startsWithinSeconds * 1_000;

const isSilent = ({ outcome, silent }: ProbeResult): boolean => outcome === 'failed' && silent;

/** Who has not answered since its start has not fallen; a failure of our own in between is no answer. */
function fellSilent({ state, silentSince }: Pulse, askedAt: number): number | null {
  if (silentSince !== null) return since(silentSince, askedAt);
  return state === 'healthy' || state === 'degraded' ? askedAt : null;
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

/** Until its first success the deadline judges, not the threshold (T3). */
function failedToStart(counted: Pulse, asked: Asked): Health {
  const seenSince = since(counted.seenSince, asked.now);
  return asked.now < latestStart({ ...counted, seenSince }, asked) ? 'unknown' : 'unhealthy';
}

/** Idle is what two looks far enough apart found without sessions and requests; not reported counts as busy. */
function quiet(pulse: Pulse, result: ProbeResult, now: number): Pick<Pulse, 'quietSince' | 'idleSince'> {
  if (result.activeSessions !== 0 || result.activeRequests !== 0)
    return { quietSince: null, idleSince: null };
  const quietSince = since(pulse.quietSince, now);
  return { quietSince, idleSince: now - quietSince >= IDLE_LOOKS_APART_MS ? quietSince : null };
}
