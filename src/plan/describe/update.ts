import { isoSeconds } from '../../lib/time.ts';
import { ownValue } from '../../lib/own-value.ts';
import type { ServerRecord } from '../../model/status.ts';
import { drainBegan, type Case } from '../decide/words.ts';
import type { Portrait } from '../describe.ts';

/** Where a rollout stands, and what is set aside. */
export function updateOf(portrait: Portrait): ServerRecord['update'] {
  const { memory, entry, check } = portrait.c.view;
  const state = stateOf(portrait);
  const failure = state === CHECK_FAILED ? (check?.failure ?? null) : null;
  return {
    strategy: entry?.strategy ?? 'pinned',
    available:
      memory.updateNoted && (ownValue(memory.found, memory.updateNoted)?.version ?? memory.updateNoted),
    state,
    reason: failure?.reason ?? null,
    at: failure === null ? null : isoSeconds(failure.at),
    passed_over: (check?.passedOver ?? []).map(({ image, why }) => ({ image, reason: why })),
    quarantined: memory.quarantined.map(({ version, imageDigest, gate, reason, at }) => ({
      version,
      image_digest: imageDigest,
      gate,
      reason,
      at: isoSeconds(at),
    })),
  };
}

const CHECK_FAILED = 'check_failed';

/** What is under way comes before what could not be looked for. */
function stateOf(portrait: Portrait): string {
  const state = rolloutState(portrait);
  const { entry, check } = portrait.c.view;
  const isMissed = entry?.desiredState === 'running' && check?.failure != null;
  return state === 'none' && isMissed ? CHECK_FAILED : state;
}

function rolloutState({ c, decision }: Portrait): string {
  const { memory, wanted, entry } = c.view;
  if (entry?.desiredState !== 'running') return 'none';
  if (decision.pull !== null && decision.pull.spec.digest === wanted?.digest) return 'pulling';
  if (memory.rollback?.open === true) return 'rolling_back';
  const digest = wanted?.digest ?? null;
  if (digest !== null && c.targets[0]?.postponedUntil != null) return 'postponed';
  if (c.live?.spec !== digest) return untilPromoted(c, digest);
  if (c.seen.some((seen) => seen.joined && seen !== c.live)) return 'draining';
  return memory.stable === digest || digest === null ? 'none' : 'soaking';
}

function untilPromoted(c: Case, digest: string | null): string {
  if (c.live !== null && drainBegan(c, c.live) !== null) return 'draining';
  return c.cand !== null && c.cand.spec === digest ? 'starting' : 'none';
}
