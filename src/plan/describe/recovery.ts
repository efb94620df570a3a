import { isoSeconds } from '../../lib/time.ts';
import type { ServerRecord } from '../../model/status.ts';
import { isWorn } from '../decide/ladder.ts';
import type { Portrait } from '../describe.ts';

/** Attempts count until it has been well for a soak. */
export function recoveryOf({ c, decision }: Portrait): ServerRecord['recovery'] {
  const { attempts, lastAt, recoveredAt } = c.view.memory.recovery;
  const { soakSeconds } = c.settings.update;
  const since = recoveredAt !== null && recoveredAt >= (lastAt ?? 0) ? recoveredAt : null;
  const forgotten = since !== null && since + soakSeconds * 1_000 <= c.view.now;
  const subject = c.cand ?? c.live;
  const waits = subject?.sick === true && decision.step === null && decision.wakeAt !== null;
  return {
    attempts: forgotten ? 0 : attempts,
    max_attempts: c.settings.recovery.maxAttempts,
    next_attempt_at: waits && decision.wakeAt !== null ? isoSeconds(decision.wakeAt) : null,
    requires_manual: isWorn(c, subject),
  };
}
