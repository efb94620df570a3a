import type { Phase } from '../../model/status.ts';
import type { Portrait } from '../describe.ts';
import { refusalOf } from '../decide/facts.ts';
import { isWorn } from '../decide/ladder.ts';
import type { Case } from '../decide/words.ts';
import { activeOf } from './endpoints.ts';
import { restReason } from './trouble.ts';

/** One word for where a server stands. An update beside a server that answers does not make it less ready. */
export function phaseOf(portrait: Portrait): Phase {
  const { c, decision } = portrait;
  const { entry, blocked } = c.view;
  if (entry === null) return decision.held === null ? going(c) : 'held';
  if (entry.refusal !== null) return entry.refusal.phase;
  if (refusalOf(c.view) !== null) return 'refused';
  if (blocked?.phase === 'held') return 'held';
  if (decision.held !== null && decision.held !== 'recovery_budget') return 'held';
  if (entry.desiredState === 'stopped') return going(c);
  if (c.live !== null && !c.live.sick) return activeOf(c) === null ? 'draining' : 'ready';
  if (restReason(c) !== null) return 'stopped';
  if (isGivenUp(c) || blocked?.phase === 'failed') return 'failed';
  return coming(portrait);
}

function going({ seen }: Case): Phase {
  if (seen.some(({ joined, running }) => joined && running)) return 'draining';
  return seen.some(({ running }) => running) ? 'stopping' : 'stopped';
}

function coming({ c, decision, inHand }: Portrait): Phase {
  const step = inHand ?? decision.step;
  if (step?.kind === 'create' || step?.kind === 'start' || step?.kind === 'restart') return 'starting';
  if (decision.pull !== null && c.cand === null) return 'pulling';
  return c.cand === null ? 'pending' : 'starting';
}

function isGivenUp(c: Case): boolean {
  const { view, target, settings, live } = c;
  const { quarantined } = view.memory;
  return isWorn(c, live) || !settings.recovery.enabled || (target === null && quarantined.length > 0);
}
