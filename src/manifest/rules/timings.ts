import { error, told, warning } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { Entry } from '../rules.ts';
import type { ServerEntry } from '../schema/server.ts';
import { healthCheckOf, recoveryOf, updateTimingsOf } from '../timings.ts';

/** Deadlines that could never fire, or fire always. Defaults take part: a written value may contradict one. */
export function timingRules({ path, entry }: Entry): readonly Finding[] {
  return [
    ...checks(`${path}.health_check`, entry),
    ...starts(path, entry),
    ...drains(`${path}.update`, entry),
    ...recoveries(`${path}.recovery`, entry),
  ];
}

function checks(path: string, entry: ServerEntry): readonly Finding[] {
  const {
    timeoutSeconds: timeout,
    intervalSeconds: interval,
    suspectIntervalSeconds: suspect,
  } = healthCheckOf(entry);
  const probes = ['endpoint', 'tcp', 'docker'].filter((key) => Object.hasOwn(entry.health_check ?? {}, key));
  const late = timeout > interval;
  return told(
    probes.length > 1 && error(path, `${probes.join(' and ')} are alternatives`, 'Keep one of them.'),
    late &&
      error(
        `${path}.timeout_seconds`,
        `a check may last ${timeout} s but the next one begins after ${interval} s`,
        'Make the timeout shorter than the interval.',
      ),
    !late &&
      timeout > suspect &&
      warning(
        `${path}.timeout_seconds`,
        `longer than suspect_interval_seconds (${suspect} s), which has no effect while a server hangs`,
        'Make the timeout shorter.',
      ),
    suspect > interval &&
      warning(
        `${path}.suspect_interval_seconds`,
        `longer than interval_seconds (${interval} s): a sick server is looked at less often than a well one`,
        'Make it shorter.',
      ),
  );
}

function starts(path: string, entry: ServerEntry): readonly Finding[] {
  const {
    startPeriodSeconds: start,
    intervalSeconds,
    suspectIntervalSeconds,
    failureThreshold,
  } = healthCheckOf(entry);
  const {
    minHealthySeconds: healthy,
    healthyDeadlineSeconds: limit,
    soakSeconds: soak,
  } = updateTimingsOf(entry);
  const noticed = intervalSeconds + suspectIntervalSeconds * (failureThreshold - 1);
  return told(
    start >= limit &&
      error(
        `${path}.health_check.start_period_seconds`,
        `${start} s is not below healthy_deadline_seconds (${limit} s): the deadline always passes first`,
        'Raise update.healthy_deadline_seconds, or lower this.',
      ),
    healthy >= limit &&
      error(
        `${path}.update.min_healthy_seconds`,
        `${healthy} s is not below healthy_deadline_seconds (${limit} s): no version could be promoted in time`,
        'Raise update.healthy_deadline_seconds, or lower this.',
      ),
    soak < noticed &&
      warning(
        `${path}.update.soak_seconds`,
        `a version counts as stable after ${soak} s, before a failure would be noticed (${noticed} s)`,
        'Make it longer.',
      ),
  );
}

function drains(path: string, entry: ServerEntry): readonly Finding[] {
  const { drainMinSeconds: least, drainTimeoutSeconds: most } = updateTimingsOf(entry);
  const message = `drain_timeout_seconds (${most} s) is below drain_min_seconds (${least} s)`;
  return told(
    most < least && error(`${path}.drain_timeout_seconds`, message, 'Raise the one or lower the other.'),
  );
}

function recoveries(path: string, entry: ServerEntry): readonly Finding[] {
  const { recovery = {} } = entry;
  const { backoffSeconds: waits, slowRetrySeconds: slow, maxAttempts } = recoveryOf(entry);
  const { initial_delay: first = 1, max_delay: most = 300 } = recovery.backoff ?? {};
  const longest = Math.max(...waits);
  return told(
    recovery.backoff !== undefined &&
      recovery.backoff_seconds !== undefined &&
      error(`${path}.backoff`, 'backoff and backoff_seconds are alternatives', 'Keep one of them.'),
    first > most && error(`${path}.backoff.max_delay`, `is below initial_delay (${first} s)`, 'Raise it.'),
    longest > slow &&
      warning(
        `${path}.slow_retry_seconds`,
        `slow retries (${slow} s) would come sooner than the last attempt (${longest} s)`,
        'Make it longer.',
      ),
    waits.length > maxAttempts &&
      recovery.backoff_seconds !== undefined &&
      warning(
        `${path}.backoff_seconds`,
        `${waits.length} waits for ${maxAttempts} attempts: the rest has no effect`,
        'Raise max_attempts, or remove some.',
      ),
  );
}
