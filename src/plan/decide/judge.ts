import type { Evidence, Gate } from '../../model/event.ts';
import type { Spec } from '../../model/spec.ts';
import type { Recording } from '../../model/step.ts';
import { namesAnother } from '../choice.ts';
import { mendingOf } from '../mending.ts';
import { evidenceOf, record } from './about.ts';
import { ladder } from './ladder.ts';
import { isQuarantined } from './target.ts';
import { act, type Rows } from './verdict.ts';
import { isStable, type Case, type Seen } from './words.ts';

/** Its own fault, and there is something else to run: set it aside. Otherwise bring it back. */
export function* judge(c: Case, seen: Seen, gate: Gate): Rows {
  yield* failsGate(c, seen, gate);
  yield* ladder(c, seen);
}

/** The record alone turns the next look: the target becomes the previous spec. There is no rollback code. */
export function* failsGate(c: Case, seen: Seen, gate: Gate): Rows {
  const { instance, spec } = seen;
  if (instance.spec === null) return;
  const evidence = gate === 'version' ? otherVersion(seen) : evidenceOf(seen);
  yield* told(c, instance.spec, { gate, evidence, seen });
  if (!hasFallback(c, spec)) return;
  yield act(
    setAside(c, instance.spec, { gate, evidence, seen }),
    `it failed its ${gate} gate: ${evidence.reason}`,
  );
}

/** Once a rollout, and also where there is nothing else to run. */
function* told(c: Case, spec: Spec, { gate, evidence, seen }: Because): Rows {
  const { rollout } = c.view.memory;
  if (rollout?.spec !== spec.digest || rollout.gate !== undefined || seen === undefined) return;
  const stays = staysBecause(c, spec.digest);
  const { id: container_id, instance } = seen.instance;
  const error = stays === null ? evidence.reason : `${evidence.reason}; ${whyStays[stays]}`;
  const mending = mendingOf(evidence.reason);
  const fields = {
    ...{ gate, class: 'version' as const, spec: spec.digest, version: spec.settings.version },
    ...{ image_digest: spec.imageDigest, error, container_id, instance },
    ...(stays === null ? {} : { code: stays }),
    ...(mending === null ? {} : { suggested_action: mending }),
  };
  yield act(record(c, 'update_gate_failed', fields), `it failed its ${gate} gate: ${error}`);
}

type Stays = 'rollback_off' | 'no_rollback_target';

const whyStays: { readonly [S in Stays]: string } = {
  rollback_off: 'it is left as it is: rollback_on_failure is false',
  no_rollback_target: 'it is left as it is: the version before cannot be made any more',
};

/** Why a version that fails is not gone back from; null where it is, or where there never was another. */
export function staysBecause(c: Case, spec: string): Stays | null {
  const { stable } = c.view.memory;
  if (stable === null || stable === spec || hasFallback(c, spec)) return null;
  return c.view.entry?.rollbackOnFailure === false ? 'rollback_off' : 'no_rollback_target';
}

/** Its answers are good, so the answer itself is not what speaks against it. */
function otherVersion({ pulse }: Seen): Evidence {
  const reported = pulse?.reportedVersion ?? 'unknown';
  return { reason: `reports_version_${reported}`, answers: [`version ${reported}`] };
}

/** Quarantine is a choice between versions: without another there is only recovery, and never against the stable one. */
export function hasFallback(c: Case, spec: string): boolean {
  if (isStable(c, spec)) return false;
  // One whose image is gone cannot be run until it is here again.
  const another = c.targets.some((target) => target.spec.digest !== spec && !target.imageMissing);
  const mayGoBack = c.view.entry?.rollbackOnFailure ?? true;
  return (mayGoBack && (another || anotherIsNamed(c, spec))) || anotherAnswers(c, spec);
}

/** A strategy chose this one; the entry itself names another. */
function anotherIsNamed({ view: { entry, wanted, memory } }: Case, spec: string): boolean {
  return entry !== null && wanted?.digest === spec && namesAnother(entry, memory, wanted.imageDigest);
}

const anotherAnswers = ({ view, seen }: Case, spec: string): boolean =>
  seen.some((one) => one.joined && !one.sick && one.spec !== spec && !isQuarantined(view, one.spec));

/** `seen`: the instance that speaks against it, where there is one. */
export function setAside(c: Case, spec: Spec, because: Because): Recording {
  const { digest, imageDigest: image_digest, settings } = spec;
  const { gate, evidence, seen } = because;
  const who = seen === undefined ? {} : { container_id: seen.instance.id, instance: seen.instance.instance };
  const version = settings.version;
  return record(c, 'version_quarantined', { spec: digest, image_digest, version, gate, evidence, ...who });
}

interface Because {
  readonly gate: Gate;
  readonly evidence: Evidence;
  readonly seen?: Seen;
}
