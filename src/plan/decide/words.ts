import { ownValue } from '../../lib/own-value.ts';
import type { Instance, Pulse } from '../../model/observed.ts';
import type { Settings, Spec } from '../../model/spec.ts';
import type { View } from '../../model/world.ts';
import { endingOf, type Ending } from './ending.ts';
import { settingsOf } from './settings.ts';
import { isQuarantined, targetsOf, type Target } from './target.ts';

/** The words of the decision table, worked out for one view. */
export interface Case {
  readonly view: View;
  readonly settings: Settings;
  /** Oldest first. */
  readonly seen: readonly Seen[];
  /** Among the joined the one that was promoted, else the newest (running or not). */
  readonly live: Seen | null;
  /** What may be run, best first. */
  readonly targets: readonly Target[];
  /** What should run: the first target that is not blocked, else the first. */
  readonly target: Target | null;
  /** The best instance of the target. */
  readonly cand: Seen | null;
}

/** One instance with what is known of it. */
export interface Seen {
  readonly instance: Instance;
  /** null: nothing asked of it since its last start. */
  readonly pulse: Pulse | null;
  readonly spec: string;
  readonly running: boolean;
  readonly joined: boolean;
  readonly sick: boolean;
  readonly well: boolean;
  readonly drifted: boolean;
  readonly condemned: boolean;
  /** null: it runs or never ran. */
  readonly ending: Ending | null;
  /** Unix ms until when it may still become healthy for the first time since its start. */
  readonly deadlineAt: number;
}

export function caseOf(view: View): Case {
  const settings = settingsOf(view);
  const seen = view.instances.map((instance) => look(view, settings, instance)).sort(oldestFirst);
  const live = liveOf(view, seen);
  const targets = targetsOf(view, seen, live);
  const target = targets.find(({ blocked }) => blocked === null) ?? targets[0] ?? null;
  const cand = target === null ? null : bestOf(seen, target.spec, live);
  return { view, settings, seen, live, targets, target, cand };
}

export const isStable = ({ view }: Case, spec: string): boolean => spec === view.memory.stable;

/** Unix ms when its drain began; null when there is none, or it was started since. */
export function drainBegan({ view }: Case, { instance }: Seen): number | null {
  const at = ownValue(view.memory.drains, instance.id);
  return at === undefined || at < instance.startedAt ? null : at;
}

/** The one stopped copy that makes going back quick: of the stable spec, else of the promoted one. */
export function spareOf(c: Case): Seen | null {
  const { memory } = c.view;
  const spec = memory.stable ?? memory.promoted?.spec ?? null;
  if (spec === null || spec === c.target?.spec.digest || isQuarantined(c.view, spec)) return null;
  return c.seen.findLast((seen) => seen.spec === spec && !seen.drifted && !seen.condemned) ?? null;
}

function look(view: View, settings: Settings, instance: Instance): Seen {
  const latest = ownValue(view.pulses, instance.id);
  const pulse = latest?.startedAt === instance.startedAt ? latest : null;
  const running = instance.state === 'running';
  const deadlineAt =
    Math.max(instance.startedAt, view.bootAt, pulse?.seenSince ?? 0) +
    settings.update.healthyDeadlineSeconds * 1_000;
  const { id, joined, specDigest: spec } = instance;
  return {
    instance,
    pulse,
    spec,
    running,
    joined,
    sick: !running || (isUnhealthy(pulse) && (pulse.wasHealthy || deadlineAt <= view.now)),
    well: running && pulse !== null && pulse.fresh && pulse.state === 'healthy',
    drifted: instance.spec === null || (instance.drift.length > 0 && !view.memory.repairsHeld),
    condemned: view.memory.condemned.includes(id) || hasLostItsPort(view, instance),
    ending: endingOf(view, instance),
    deadlineAt,
  };
}

const isUnhealthy = (pulse: Pulse | null): pulse is Pulse =>
  pulse !== null && pulse.fresh && pulse.state === 'unhealthy';

/** Its free port was taken while it did not run: a new copy gets a new one, and nobody counts it as an attempt. */
const hasLostItsPort = ({ memory }: View, { state, spec }: Instance): boolean =>
  state !== 'running' &&
  spec?.hostPort === 0 &&
  ownValue(memory.postponed, spec.digest)?.code === 'port_taken';

function liveOf(view: View, seen: readonly Seen[]): Seen | null {
  const joined = seen.filter((one) => one.joined);
  const promoted = view.memory.promoted?.container;
  return joined.find(({ instance }) => instance.id === promoted) ?? joined.at(-1) ?? null;
}

/** A condemned instance that is well after all may be used again (T25). */
function bestOf(seen: readonly Seen[], { digest }: Spec, live: Seen | null): Seen | null {
  const usable = seen.filter((one) => one.spec === digest && !one.drifted && (!one.condemned || one.well));
  const rank = (one: Seen): number =>
    (one === live ? 8 : 0) + (one.joined ? 4 : 0) + (one.running ? 2 : 0) + (one.well ? 1 : 0);
  return usable.reduce<Seen | null>(
    (best, one) => (best === null || rank(one) >= rank(best) ? one : best),
    null,
  );
}

const oldestFirst = (a: Seen, b: Seen): number =>
  a.instance.createdAt - b.instance.createdAt || (a.instance.id < b.instance.id ? -1 : 1);
