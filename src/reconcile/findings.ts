import type { Health, ProbeResult, Pulse } from '../model/observed.ts';

export const transitionEvent: {
  readonly [H in Health]: 'server_healthy' | 'server_degraded' | 'server_down';
} = {
  healthy: 'server_healthy',
  degraded: 'server_degraded',
  unhealthy: 'server_down',
  unknown: 'server_degraded',
};

export const reasonOf = (pulse: Pulse): string =>
  pulse.state === 'unhealthy' ? `${pulse.failures}_consecutive_failures` : pulse.reason;

const outsideWord = { ok: 'ok', degraded: 'degraded', failed: 'down', unknown: 'unknown' } as const;

/** What one check found, in outside words. */
export function checkOf(pulse: Pulse, result: ProbeResult) {
  return {
    status: outsideWord[result.outcome],
    response_time_ms: result.responseTimeMs,
    reason: result.reason,
    conformant: pulse.departures.length === 0,
    ...(Object.keys(result.checks).length === 0 ? {} : { checks: result.checks }),
  };
}

/** A decision could turn on it, or something waits for the answer to a question asked at `askAt` (Unix ms) or later. */
export function isNews(before: Pulse, after: Pulse, askAt: number | null): boolean {
  const news = ({ state, fresh, lastOk, silent, versionOk, idleSince, wasHealthy }: Pulse): string =>
    JSON.stringify([state, fresh, lastOk, silent, versionOk, idleSince !== null, wasHealthy]);
  const isAwaited = askAt !== null && (before.lastCheckAt ?? 0) < askAt && (after.lastCheckAt ?? 0) >= askAt;
  return isAwaited || news(before) !== news(after);
}
