import type { Evidence, Gate } from '../../model/event.ts';
import type { Spec } from '../../model/spec.ts';
import type { Recording } from '../../model/step.ts';
import { evidenceOf, record } from './about.ts';
import { ladder } from './ladder.ts';
import { isQuarantined } from './target.ts';
import { act, type Rows } from './verdict.ts';
import { isStable, type Case, type Seen } from './words.ts';

/** Its own fault, and there is something else to run: set it aside. Otherwise bring it back. */
export function* judge(c: Case, seen: Seen, gate: Gate): Rows {
  yield* quarantine(c, seen, gate);
  yield* ladder(c, seen);
}

/** The record alone turns the next look: the target becomes the previous spec. There is no rollback code. */
export function* quarantine(c: Case, seen: Seen, gate: Gate): Rows {
  const { instance, spec } = seen;
  if (instance.spec === null || !hasFallback(c, spec)) return;
  const evidence = gate === 'version' ? otherVersion(seen) : evidenceOf(seen);
  yield act(
    setAside(c, instance.spec, { gate, evidence, seen }),
    `it failed its ${gate} gate: ${evidence.reason}`,
  );
}

/** Its answers are good, so the answer itself is not what speaks against it. */
function otherVersion({ pulse }: Seen): Evidence {
  const reported = pulse?.reportedVersion ?? 'unknown';
  return { reason: `reports_version_${reported}`, answers: [`version ${reported}`] };
}

/** Quarantine is a choice between versions: without another there is only recovery, and never against the stable one. */
export function hasFallback(c: Case, spec: string): boolean {
  if (isStable(c, spec)) return false;
  const another = c.targets.some((target) => target.spec.digest !== spec);
  return (another && (c.view.entry?.rollbackOnFailure ?? true)) || anotherAnswers(c, spec);
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
