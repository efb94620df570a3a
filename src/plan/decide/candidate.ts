import { ownValue } from '../../lib/own-value.ts';
import { about, create, promote, record, start } from './about.ts';
import { failsGate, hasFallback, judge } from './judge.ts';
import { cannotRecreate, ladder } from './ladder.ts';
import { fallen, hasFailedAttempt, isBack, recovered } from './live.ts';
import { mayMakeAnew, mayRejoin } from './repairs.ts';
import { room } from './room.ts';
import { isQuarantined, type Target } from './target.ts';
import { act, wait, type Rows } from './verdict.ts';
import { isStable, type Case, type Seen } from './words.ts';

/** 2.4 The candidate is there but not live. */
export function* candidate(c: Case, cand: Seen): Rows {
  yield* cand.running ? running(c, cand) : down(c, cand);
  yield* oldOneDown(c); // 4.13
}

/** 2.5 There is no candidate. */
export function* noCandidate(c: Case, target: Target): Rows {
  yield* begin(c, target);
  yield* oldOneDown(c); // 4.13
}

function* begin(c: Case, { spec, obstacle }: Target): Rows {
  if (obstacle !== null) {
    yield* cannotRecreate(c, spec);
    return yield obstacle; // 5.1
  }
  if (!(yield* mayMakeAnew(c, spec))) return;
  if (!(yield* room(c, spec, null))) return; // 5.2
  yield act(create(c, spec), 'it is wanted and not there'); // 5.3
}

function* down(c: Case, cand: Seen): Rows {
  const { memory, now } = c.view;
  const by = cand.ending?.by ?? 'us';
  if (by === 'itself') yield* failsGate(c, cand, 'start'); // 4.1
  const putOff = ownValue(memory.postponed, cand.spec);
  if (putOff !== undefined && putOff.until > now) return yield wait(`put off: ${putOff.error}`, putOff.until); // 4.2
  if (cand.instance.spec !== null && !(yield* room(c, cand.instance.spec, cand))) return; // 4.3
  if (by === 'itself' || by === 'away' || hasFailedAttempt(c, cand))
    yield* ladder(c, cand); // 4.4
  else yield act(start(c, cand), 'it is wanted'); // 4.5
}

function* running(c: Case, cand: Seen): Rows {
  const { pulse } = cand;
  const proven = isStable(c, cand.spec);
  if (!proven && pulse?.fresh && pulse.lastOk && pulse.versionOk === false)
    return yield* wrongVersion(c, cand); // 4.6
  if (cand.well) return yield* ripen(c, cand, proven); // 4.7, 4.8
  if (proven && pulse?.wasHealthy) {
    if (cand.sick) return yield* ladder(c, cand); // 4.9
    return yield wait('a blip is not a verdict'); // 4.9
  }
  yield* late(c, cand); // 4.10-4.12
}

/** Restarts cannot help a version that is not the one asked for. */
function* wrongVersion(c: Case, cand: Seen): Rows {
  yield* failsGate(c, cand, 'version');
  const { exhausted, attempts } = c.view.memory.recovery;
  const says = `it reports version ${cand.pulse?.reportedVersion ?? 'unknown'}, which is not the one asked for`;
  if (!exhausted) {
    const fields = {
      ...about(cand.instance),
      attempts,
      requires_manual: true as const,
      reason: 'version_mismatch',
    };
    yield act(record(c, 'recovery_exhausted', fields), says);
  }
  yield wait(says);
}

/** A proven one is not kept waiting while nothing else answers. */
function* ripen(c: Case, cand: Seen, proven: boolean): Rows {
  const urgent = proven && !(c.live?.well ?? false);
  const since = cand.pulse?.healthySince ?? c.view.now;
  const ripeAt = since + (urgent ? 0 : c.settings.update.minHealthySeconds * 1_000);
  if (c.view.now < ripeAt)
    yield wait('it has to stay healthy for a moment', ripeAt); // 4.8
  else if (yield* mayRejoin(c, cand)) yield act(promote(c, cand), 'it is healthy'); // 4.7
}

/** Only what we could watch counts, and a good answer is never a verdict (T1, T2). */
function* late(c: Case, cand: Seen): Rows {
  const { pulse, deadlineAt } = cand;
  if (c.view.now < deadlineAt) return yield wait('it has time to become healthy', deadlineAt); // 4.12
  if (pulse === null || !pulse.fresh) return yield wait('we cannot see it'); // 4.10
  if (!pulse.lastOk) return yield* judge(c, cand, 'health'); // 4.11
  if (!saysDegraded(cand)) return yield wait('its last answer was good'); // 4.10
  if (hasFallback(c, cand.spec)) return yield* failsGate(c, cand, 'health');
  yield act(promote(c, cand), 'it says degraded, and there is nothing better');
}

/** It answers, and by its own word it has trouble. That never restarts anything, but something better is preferred. */
export const saysDegraded = ({ pulse }: Seen): boolean =>
  pulse !== null && pulse.fresh && pulse.lastOk && pulse.state === 'degraded' && pulse.successes === 0;

/**
 * 4.13 An update in progress must not switch recovery off, neither for the fallen nor for the sick. A condemned or drifted
 * one is being replaced already, and one that was set aside is not begun again, whatever the candidate comes to.
 */
function* oldOneDown(c: Case): Rows {
  const { live, target } = c;
  if (live === null || live === c.cand || live.condemned || live.drifted) return;
  if (isQuarantined(c.view, live.spec)) return;
  if (live.well && hasRecovered(c)) yield recovered(c, live); // 3.3
  const exclusive = [live.instance.spec, target?.spec].some((spec) => spec?.order === 'stop-first');
  if (exclusive || !live.sick) return;
  if (live.running)
    yield* ladder(c, live); // 3.2
  else yield* fallen(c, live, ladder); // 3.10-3.16
}

/** Its own trouble is over; attempts that were made at a candidate are none of it. */
const hasRecovered = (c: Case): boolean => c.view.memory.incident !== null && isBack(c);
