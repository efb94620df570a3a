import { ownValue } from '../../lib/own-value.ts';
import type { Stranger } from '../../model/observed.ts';
import { imageRefOf, isExclusive, type Spec } from '../../model/spec.ts';
import type { Pull } from '../../model/step.ts';
import type { View } from '../../model/world.ts';
import { isSetAside } from '../choice.ts';
import { wait, type Wait } from './verdict.ts';
import type { Seen } from './words.ts';

/** A spec that may be run. */
export interface Target {
  readonly spec: Spec;
  /** Why no new copy of it can be begun now; null when one can. */
  readonly obstacle: Wait | null;
  /** The same, but null as soon as one copy runs: what has begun is not moved by its surroundings any more. */
  readonly blocked: Wait | null;
  /** It must be brought here before a copy can be made, and no copy is there. */
  readonly imageMissing: boolean;
  /** Unix ms until when a failure puts it off; null when it is not put off. */
  readonly postponedUntil: number | null;
}

/**
 * Wanted, then what was promoted, then the stable one, then what answers now; without the quarantined and without those
 * nobody knows how to make.
 */
export function targetsOf(view: View, seen: readonly Seen[], live: Seen | null): Target[] {
  const { memory, wanted, entry } = view;
  const stable = (entry?.rollbackOnFailure ?? true) ? memory.stable : null;
  const digests = [wanted?.digest, memory.promoted?.spec, stable, live?.spec];
  const targets = [...new Set(digests)]
    .filter((digest) => typeof digest === 'string' && !isQuarantined(view, digest))
    .map((digest) => specOf(view, digest ?? ''))
    .filter((spec) => spec !== null)
    .map((spec) => targetOf(view, seen, spec));
  const [next, ...before] = targets;
  if (next === undefined || next.spec !== wanted || digests.lastIndexOf(wanted.digest) > 0) return targets;
  if (!isGoingBack(view) || !before.some(({ blocked }) => blocked === null)) return targets;
  return seen.some((one) => one.spec === wanted.digest && one.running)
    ? targets
    : [{ ...next, blocked: next.blocked ?? theOneBefore }, ...before];
}

/** A version was set aside, and the one before does not answer yet: service first, and then the next version. */
function isGoingBack({ memory: { quarantined, rollback, stable } }: View): boolean {
  const fallen = quarantined.at(-1);
  if (fallen === undefined || fallen.gate === 'reverted' || fallen.spec === stable) return false;
  return rollback?.from !== fallen.spec || rollback.open;
}

const theOneBefore = wait('a version was set aside: the one before answers first');

/** 2.1 What has to be brought here: for what is wanted first, and then for what could be gone back to. */
export function missingImage({ name, entry }: View, targets: readonly Target[]): Pull | null {
  if (entry?.desiredState !== 'running') return null;
  const missing = targets.find((target) => target.imageMissing && target.postponedUntil === null);
  return missing === undefined ? null : { server: name, spec: missing.spec };
}

export const isQuarantined = ({ memory }: View, spec: string): boolean => isSetAside(memory, spec);

/** null: neither wanted, nor on a label, nor kept. */
export function specOf({ wanted, specs, instances }: View, digest: string): Spec | null {
  if (wanted?.digest === digest) return wanted;
  const kept = ownValue(specs, digest) ?? instances.find(({ spec }) => spec?.digest === digest)?.spec;
  return kept ?? null;
}

function targetOf(view: View, seen: readonly Seen[], spec: Spec): Target {
  const copies = seen.filter((one) => one.spec === spec.digest && !one.drifted);
  const imageMissing = !view.images.has(imageRefOf(spec)) && copies.every(({ condemned }) => condemned);
  const postponed = ownValue(view.memory.postponed, spec.digest);
  const postponedUntil = postponed !== undefined && postponed.until > view.now ? postponed.until : null;
  const obstacle = obstacleTo(view, spec, { imageMissing, postponedUntil });
  const begun = copies.some(({ running }) => running);
  return { spec, obstacle, blocked: begun ? null : obstacle, imageMissing, postponedUntil };
}

function obstacleTo(
  view: View,
  spec: Spec,
  { imageMissing, postponedUntil }: Pick<Target, 'imageMissing' | 'postponedUntil'>,
): Wait | null {
  if (postponedUntil !== null) {
    const { error } = ownValue(view.memory.postponed, spec.digest) ?? { error: '' };
    return wait(`put off until its cause may be gone: ${error}`, postponedUntil);
  }
  if (imageMissing) return wait('its image is not here yet');
  if (!view.depsReady && !hasAnswered(view, spec) && !othersMakeRoom(view, spec)) {
    return wait(`waits for ${view.depsMissing.join(', ')} to be ready`);
  }
  const stranger = view.strangers.find((one) => isInTheWay(one, spec, view.name));
  return stranger === undefined ? null : wait(strangerWhy(stranger, spec), null, 'foreign_container');
}

/** Dependencies hold back a version that never answered; never recovery, rollback or restoring. */
const hasAnswered = ({ memory }: View, { digest }: Spec): boolean =>
  memory.promoted?.spec === digest || memory.stable === digest;

/** Where one must go before it, the drain of the other is its beginning: a flapping dependency calls it off no more. */
function othersMakeRoom({ memory, instances }: View, spec: Spec): boolean {
  const { rollout, drains } = memory;
  if (!isExclusive(spec) || rollout?.spec !== spec.digest) return false;
  return instances.some(
    ({ id, specDigest }) => specDigest !== spec.digest && (ownValue(drains, id) ?? 0) > rollout.at,
  );
}

const isInTheWay = (stranger: Stranger, spec: Spec, server: string): boolean =>
  stranger.server === server || holdsPort(stranger, spec);

const holdsPort = ({ hostPorts }: Stranger, { hostPort }: Spec): boolean =>
  hostPort !== 0 && hostPorts.includes(hostPort);

const strangerWhy = (stranger: Stranger, spec: Spec): string =>
  holdsPort(stranger, spec)
    ? `port ${spec.hostPort} is held by ${stranger.name}, a container that is not ours`
    : `${stranger.name} bears its name and is not ours`;
