import { defaultHealthCheck, defaultRecovery, defaultUpdateTimings } from '../model/defaults.ts';
import type { HealthCheck, Recovery, UpdateTimings } from '../model/spec.ts';
import type { ServerEntry } from './schema/server.ts';

/** How a server is asked whether it is well, every default explicit (contracts section 2). */
export function healthCheckOf({ health_check: written = {} }: ServerEntry): HealthCheck {
  const usual = defaultHealthCheck;
  return {
    probe: probeOf(written),
    intervalSeconds: written.interval_seconds ?? usual.intervalSeconds,
    timeoutSeconds: written.timeout_seconds ?? usual.timeoutSeconds,
    failureThreshold: written.failure_threshold ?? usual.failureThreshold,
    successThreshold: written.success_threshold ?? usual.successThreshold,
    suspectIntervalSeconds: written.suspect_interval_seconds ?? usual.suspectIntervalSeconds,
    startPeriodSeconds: written.start_period_seconds ?? usual.startPeriodSeconds,
  };
}

/** How one version follows another, every default explicit. */
export function updateTimingsOf({ update: written = {} }: ServerEntry): UpdateTimings {
  const usual = defaultUpdateTimings;
  return {
    minHealthySeconds: written.min_healthy_seconds ?? usual.minHealthySeconds,
    healthyDeadlineSeconds: written.healthy_deadline_seconds ?? usual.healthyDeadlineSeconds,
    soakSeconds: written.soak_seconds ?? usual.soakSeconds,
    drainMinSeconds: written.drain_min_seconds ?? usual.drainMinSeconds,
    drainTimeoutSeconds: written.drain_timeout_seconds ?? usual.drainTimeoutSeconds,
  };
}

/** How a server is brought back; RFC 0001's `strategy: manual` and `backoff` are read into the same form. */
export function recoveryOf({ recovery: written = {} }: ServerEntry): Recovery {
  const maxAttempts = written.max_attempts ?? defaultRecovery.maxAttempts;
  return {
    enabled: (written.enabled ?? true) && written.strategy !== 'manual',
    maxAttempts,
    backoffSeconds: written.backoff
      ? growing(written.backoff, maxAttempts)
      : (written.backoff_seconds ?? defaultRecovery.backoffSeconds),
    slowRetrySeconds: written.slow_retry_seconds ?? defaultRecovery.slowRetrySeconds,
  };
}

function probeOf(written: NonNullable<ServerEntry['health_check']>): HealthCheck['probe'] {
  if (written.tcp !== undefined) return { tcp: {} };
  if (written.docker !== undefined) return { docker: {} };
  return { http: { endpoint: written.endpoint ?? '/health', strict: written.strict ?? false } };
}

type Backoff = NonNullable<NonNullable<ServerEntry['recovery']>['backoff']>;

/** One wait an attempt, each `multiplier` times the one before, none above `max_delay`. */
function growing(
  { initial_delay = 1, max_delay = 300, multiplier = 2 }: Backoff,
  attempts: number,
): number[] {
  return Array.from({ length: attempts }, (_, n) => Math.min(max_delay, initial_delay * multiplier ** n));
}
