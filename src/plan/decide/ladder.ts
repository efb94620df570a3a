import { ownValue } from '../../lib/own-value.ts';
import { about, exitReason, record } from './about.ts';
import type { Spec } from '../../model/spec.ts';
import { hasRoomToRun } from './room.ts';
import { act, wait, type Rows } from './verdict.ts';
import type { Case, Seen } from './words.ts';

/** Brings one instance back: restart, restart, recreate, then slowly for ever. Attempts are counted at the intent. */
export function* ladder(c: Case, seen: Seen): Rows {
  const { memory, now, entry } = c.view;
  if (!(entry?.settings.recovery ?? c.settings.recovery).enabled) {
    if (memory.rollback?.open === true) yield wayBackFailed(c, seen);
    return yield wait('it needs a person: recovery is turned off');
  }
  yield* lastAttemptFailed(c, seen);
  const { maxAttempts } = c.settings.recovery;
  const made = attemptsMade(c, seen);
  if (made >= maxAttempts && !isWorn(c, seen)) yield exhausted(c, seen, made);
  if (memory.rollback?.open === true && isWorn(c, seen)) yield wayBackFailed(c, seen);
  if (!hasRoomToRun(c, seen)) return yield wait('two copies run already: it has to wait for room');
  const next = nextAttemptAt(c, seen);
  if (now < next) return yield wait(`attempt ${made + 1} waits for its turn`, next);
  yield attempt(c, seen, made + 1);
}

/** Attempts since it was last well for as long as a soak. Those made since this fall count, however long it was well before. */
function attemptsMade(c: Case, seen: Seen): number {
  const { attempts, lastAt, recoveredAt } = c.view.memory.recovery;
  if (recoveredAt === null || recoveredAt < (lastAt ?? 0)) return attempts;
  return recoveredAt + c.settings.update.soakSeconds * 1_000 <= fellAt(c, seen) ? 0 : attempts;
}

/** All attempts failed, and that was told. A moment of health ends it, but the next fall is more of the same trouble. */
export function isWorn(c: Case, seen: Seen | null): boolean {
  const { exhausted: worn, told } = c.view.memory.recovery;
  if (worn || !told || seen?.sick !== true) return worn;
  return attemptsMade(c, seen) >= c.settings.recovery.maxAttempts;
}

/** Unix ms of the earliest next attempt. */
function nextAttemptAt(c: Case, seen: Seen): number {
  const { lastAt } = c.view.memory.recovery;
  const { backoffSeconds, slowRetrySeconds } = c.settings.recovery;
  if (isWorn(c, seen)) return (lastAt ?? fellAt(c, seen)) + slowRetrySeconds * 1_000;
  const made = attemptsMade(c, seen);
  const pause = backoffSeconds[Math.min(made, backoffSeconds.length - 1)] ?? 0;
  return Math.max(made === 0 ? 0 : (lastAt ?? 0), fellAt(c, seen)) + pause * 1_000;
}

/** Unix ms when it fell, or, where nobody saw it well since its start, when it should have been. */
function fellAt({ view }: Case, { ending, instance, running, deadlineAt }: Seen): number {
  if (!running) return ending?.at ?? instance.createdAt;
  const health = ownValue(view.memory.health, instance.id);
  const since = health?.state === 'unhealthy' && health.at > instance.startedAt ? health.at : deadlineAt;
  return Math.min(since, view.now);
}

function* lastAttemptFailed(c: Case, seen: Seen): Rows {
  const { attempts, judged } = c.view.memory.recovery;
  if (judged >= attempts) return;
  const fields = { ...about(seen.instance), attempt: attempts, error: reasonOf(seen) };
  yield act(record(c, 'recovery_failed', fields), `attempt ${attempts} did not bring it back`);
}

function exhausted(c: Case, seen: Seen, attempts: number) {
  const fields = {
    ...about(seen.instance),
    attempts,
    requires_manual: true as const,
    reason: reasonOf(seen),
  };
  return act(record(c, 'recovery_exhausted', fields), 'all attempts failed: a person is needed');
}

/** The last attempt was to make it anew, and that is not possible now: as long as health may take counts as its end. */
export function* cannotRecreate(c: Case, { digest }: Spec): Rows {
  const { recovery, promoted, postponed } = c.view.memory;
  const { attempts, lastAt, recoveredAt, exhausted: worn } = recovery;
  if (promoted === null || worn || lastAt === null || (recoveredAt ?? 0) > lastAt) return;
  if (attempts < c.settings.recovery.maxAttempts) return;
  const until = lastAt + c.settings.update.healthyDeadlineSeconds * 1_000;
  if (c.view.now < until) return yield wait('it has to be made anew, and cannot be now', until);
  const { container: container_id, spec, version } = promoted;
  const reason = ownValue(postponed, digest)?.code ?? 'image_missing';
  const fields = {
    instance: '',
    container_id,
    spec,
    version,
    attempts,
    requires_manual: true as const,
    reason,
  };
  yield act(record(c, 'recovery_exhausted', fields), 'it cannot be made anew: a person is needed');
}

function wayBackFailed(c: Case, seen: Seen) {
  const fields = { spec: seen.spec, error: reasonOf(seen) };
  return act(record(c, 'rollback_failed', fields), 'the version before does not answer either');
}

/** The last attempt and the slow ones condemn: a condemned instance is no longer usable, and the ordinary rows replace it. */
function attempt(c: Case, seen: Seen, number: number) {
  const { instance } = seen;
  const reason = reasonOf(seen);
  const why = `attempt ${number} to bring it back (${reason})`;
  if (number < c.settings.recovery.maxAttempts || instance.spec === null) {
    return act({ kind: 'restart', server: c.view.name, instance, attempt: number, reason }, why);
  }
  const fields = { ...about(instance), reason, attempt: number, strategy: 'recreate' as const };
  return act(record(c, 'recovery_started', fields), why);
}

/** Why it is being brought back, as one stable word. */
export function reasonOf({ running, instance, pulse }: Seen): string {
  if (!running) return instance.state === 'created' ? exitReason(instance) : 'container_exited';
  return pulse === null || pulse.failures === 0
    ? 'not_healthy_in_time'
    : `${pulse.failures}_consecutive_failures`;
}
