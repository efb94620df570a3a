import { ownValue } from '../lib/own-value.ts';
import type { DesiredServer } from '../model/desired.ts';
import { isIdle, type Decision, type Plan } from '../model/step.ts';
import type { World } from '../model/world.ts';
import { isSetAside } from './choice.ts';
import { saysDegraded } from './decide/candidate.ts';
import { refusalOf } from './decide/facts.ts';
import { isWorn } from './decide/ladder.ts';
import { caseOf, type Case } from './decide/words.ts';
import { viewsOf } from './view.ts';

export interface Settlement {
  readonly outcome: 'applied' | 'partial';
  /** Names of servers that are not as this revision wants them. */
  readonly failed: readonly string[];
}

/** `waiting`: for another server; it fails with it. */
type Standing = 'done' | 'failed' | 'waiting' | 'under way';

/**
 * Whether nothing is left that this revision asks for: every server is as desired (its soak and drains are not waited
 * for), or cannot be. null while something is under way.
 */
export function isSettled(world: World, plan: Plan): Settlement | null {
  const decisions = new Map(plan.decisions.map((decision) => [decision.server, decision]));
  const standings = viewsOf(world).map((view): [string, Standing] => {
    const decision = decisions.get(view.name);
    return [view.name, decision === undefined ? 'under way' : standingOf(caseOf(view), decision)];
  });
  if (standings.some(([, standing]) => standing === 'under way')) return null;
  const failed = standings.filter(([, standing]) => standing !== 'done').map(([name]) => name);
  return { outcome: failed.length === 0 ? 'applied' : 'partial', failed };
}

function standingOf(c: Case, decision: Decision): Standing {
  const { entry } = c.view;
  if (entry === null) return isHeldRemoval(decision) ? 'done' : 'under way';
  if (refusalOf(c.view) !== null) return 'failed';
  if (failing.includes(decision.held ?? '')) return 'failed';
  return entry.desiredState === 'stopped' ? stopped(c) : running(c, entry, decision);
}

/** A person has to do something first. */
const failing: readonly string[] = ['paused', 'foreign_container', 'drift_repeats'];

const isHeldRemoval = ({ held }: Decision): boolean =>
  held === 'removal_held' || held === 'source_changed' || held === 'prune_disabled' || held === 'paused';

const stopped = ({ seen }: Case): Standing =>
  seen.some((one) => one.running || one.joined) ? 'under way' : 'done';

function running(c: Case, entry: DesiredServer, decision: Decision): Standing {
  const { wanted, blocked, memory } = c.view;
  if (wanted === null)
    return blocked?.phase === 'failed' || blocked?.phase === 'held' ? 'failed' : 'under way';
  if (answersAsWanted(c, wanted.digest)) return 'done';
  if (restsByPolicy(c, entry)) return c.live?.spec === wanted.digest ? 'done' : 'failed';
  if (isSetAside(memory, wanted.digest)) return setAside(c, decision);
  if (isIdle(decision) && !c.view.depsReady && c.target?.blocked) return 'waiting';
  const givenUp =
    isWorn(c, c.live) ||
    !entry.settings.recovery.enabled ||
    ownValue(memory.postponed, wanted.digest) !== undefined;
  return givenUp && isIdle(decision) ? 'failed' : 'under way';
}

/** Where its entry follows versions, another is chosen first. */
function setAside({ view: { blocked }, live }: Case, decision: Decision): Standing {
  if (blocked?.phase === 'pending') return 'under way';
  return isIdle(decision) && live?.well !== false ? 'failed' : 'under way';
}

function answersAsWanted({ live, view }: Case, wanted: string): boolean {
  if (live === null || live.spec !== wanted || live.drifted) return false;
  return view.memory.promoted?.container === live.instance.id && (live.well || saysDegraded(live));
}

/** It ended, and its restart policy leaves it so. */
function restsByPolicy({ live, view }: Case, { restartPolicy }: DesiredServer): boolean {
  if (live?.ending == null) return false;
  const { by, code, sure } = live.ending;
  if (by === 'person') return sure && restartPolicy === 'unless-stopped';
  return by === 'itself' && code === 0 && restartPolicy === 'on-failure' && live.spec === view.memory.stable;
}
