import { oncePer } from '../../lib/once.ts';
import { defaultHealthCheck } from '../../model/defaults.ts';
import type { Instance } from '../../model/observed.ts';
import type { Decision, Note, Step } from '../../model/step.ts';
import type { World } from '../../model/world.ts';
import type { Guarded } from '../guards.ts';
import { entryOf, pulseOf } from '../view.ts';
import { hold } from './hold.ts';

/** So many that fall silent within one interval, and at least this many, are a sign that it is our own view that broke. */
const SUSPECT_SHARE = 0.55;
const SUSPECT_LEAST = 3;
const SLOW_RETRY_SECONDS = 600;

/**
 * Holds every step whose reason is silence while our own view is doubted. Exits are facts from the engine and bodies
 * that say down are answers: neither counts. It ends when fewer are silent, at most a slow retry after it began (T20).
 */
export function brake(decisions: readonly Decision[], world: World): Guarded {
  const since = world.memory.viewSuspectSince;
  if (isBlind(world)) {
    const notes = since === null ? [suspected(world)] : [];
    return { decisions: decisions.map((decision) => doubt(decision, world)), notes };
  }
  const notes = since === null ? [] : [cleared(world, since)];
  return { decisions: decisions.map((decision) => askAgain(decision, world)), notes };
}

/**
 * Most of what answers by the engine's word fell silent together. What has not been asked yet, as after a start of our
 * own or a clock that was set back, heals no view that was doubted before.
 */
export function isBlind(world: World): boolean {
  const { live, silent, unheard } = silence(world);
  const count = silent.length + (world.memory.viewSuspectSince === null ? 0 : unheard);
  return count >= SUSPECT_LEAST && count >= SUSPECT_SHARE * live.length;
}

function doubt(decision: Decision, world: World): Decision {
  if (silentSubject(decision, world) === null) return decision;
  const until =
    Math.max(world.memory.viewSuspectSince ?? world.now, world.bootAt) + slowRetryMs(decision.server, world);
  if (world.now >= until) return decision;
  const why = 'so many fell silent at once that our own view is doubted';
  return hold(decision, 'view_suspect', { why, wakeAt: until });
}

/** Our view heals with the first that answer; silence from before that is no word of the others. */
function askAgain(decision: Decision, world: World): Decision {
  const { viewSuspectSince, viewClearedAt } = world.memory;
  const trustedSince = viewSuspectSince === null ? viewClearedAt : world.now;
  const subject = silentSubject(decision, world);
  if (subject === null || trustedSince === null) return decision;
  if ((pulseOf(world, subject)?.lastCheckAt ?? 0) > trustedSince) return decision;
  return hold(decision, 'view_suspect', {
    why: 'it has to be asked again, now that our view is trusted',
    wakeAt: null,
  });
}

function silentSubject({ step }: Decision, world: World): Instance | null {
  const instance = subjectOf(step, world);
  return instance !== null && isSilent(world, instance) ? instance : null;
}

/** The instance that a step would answer for its silence. */
function subjectOf(step: Step | null, world: World): Instance | null {
  if (step?.kind === 'restart') return step.instance;
  if (step?.kind === 'leave') return step.outcome === 'sick' ? step.instance : null;
  const turnsOnIt = step?.kind === 'record' && becauseOfSilence.has(step.event);
  return turnsOnIt ? instanceOf(step.fields, world) : null;
}

const becauseOfSilence: ReadonlySet<string> = new Set([
  'recovery_started',
  'recovery_failed',
  'recovery_exhausted',
  'version_quarantined',
]);

function instanceOf(fields: object, { sighting }: World): Instance | null {
  const id = 'container_id' in fields ? fields.container_id : null;
  return typeof id === 'string' ? (byId(sighting.instances).get(id) ?? null) : null;
}

const byId = oncePer(
  (instances: World['sighting']['instances']) => new Map(instances.map((one) => [one.id, one])),
);

function isSilent(world: World, instance: Instance): boolean {
  const pulse = pulseOf(world, instance);
  return instance.state === 'running' && pulse !== null && pulse.fresh && pulse.silent && !pulse.lastOk;
}

interface Silence {
  readonly live: readonly Instance[];
  /** Those that fell silent together: not who lay down long before, nor who has not answered since its start. */
  readonly silent: readonly Instance[];
  /** So many of which we know nothing fresh. */
  readonly unheard: number;
}

const silence = oncePer((world: World): Silence => {
  const live = world.sighting.instances.filter(({ joined, state }) => joined && state === 'running');
  const unheard = live.filter((instance) => pulseOf(world, instance)?.fresh !== true).length;
  return { live, silent: together(live.flatMap((instance) => fallOf(instance, world) ?? [])), unheard };
});

interface Fall {
  readonly instance: Instance;
  /** Unix ms. */
  readonly at: number;
  /** A silence that began with others is found so much later at most. Milliseconds. */
  readonly foundWithin: number;
}

function fallOf(instance: Instance, world: World): Fall | null {
  const at = isSilent(world, instance) ? (pulseOf(world, instance)?.silentSince ?? null) : null;
  const settings = entryOf(world, instance.server)?.settings ?? instance.spec?.settings;
  const seconds = settings?.health.intervalSeconds ?? defaultHealthCheck.intervalSeconds;
  return at === null ? null : { instance, at, foundWithin: seconds * 1_000 };
}

/** The most that fell within one interval. */
function together(falls: readonly Fall[]): Instance[] {
  const inOrder = [...falls].sort((a, b) => a.at - b.at);
  let most: readonly Fall[] = [];
  for (const [index, first] of inOrder.entries()) {
    if (inOrder.length - index <= most.length) break;
    const group = inOrder.slice(index).filter(({ at, foundWithin }) => at - first.at <= foundWithin);
    if (group.length > most.length) most = group;
  }
  return most.map(({ instance }) => instance);
}

function slowRetryMs(server: string, world: World): number {
  return (entryOf(world, server)?.settings.recovery.slowRetrySeconds ?? SLOW_RETRY_SECONDS) * 1_000;
}

function suspected(world: World): Note {
  const { live, silent } = silence(world);
  const servers = [...new Set(silent.map(({ server }) => server))].sort();
  return { event: 'view_suspected', fields: { silent: servers, of: live.length } };
}

const cleared = ({ now }: World, since: number): Note => ({
  event: 'view_cleared',
  fields: { seconds: Math.max(0, Math.round((now - since) / 1_000)) },
});
