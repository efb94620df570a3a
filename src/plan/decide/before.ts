import { ownValue } from '../../lib/own-value.ts';
import { promote, record, remove, stop } from './about.ts';
import { drain, drainLimits } from './drain.ts';
import { hasFallback, setAside } from './judge.ts';
import { act, wait, type Rows } from './verdict.ts';
import { drainBegan, spareOf, type Case, type Seen } from './words.ts';

/** 2.2 Wanted, before the candidate is looked at. */
export function* before(c: Case): Rows {
  yield* wayBack(c);
  yield* rejected(c);
  if (c.targets[0]?.blocked) yield c.targets[0].blocked; // 2.2
  yield* standIn(c); // 2.3
  yield* overtaken(c); // 2.3, 2.4
}

/** A rollout that lost its version, and the way back from it, are told before it is gone. */
function* wayBack(c: Case): Rows {
  const { memory, wanted } = c.view;
  const fallen = memory.quarantined.at(-1);
  if (fallen === undefined || fallen.gate === 'reverted' || fallen.spec === memory.stable) return;
  const { spec, gate, version, imageDigest: image_digest, reason } = fallen;
  if (memory.rollout?.spec === spec) {
    const failed = record(c, 'update_failed', { spec, gate, version, image_digest, error: reason });
    yield act(failed, 'its version was set aside');
  }
  const to = c.target?.spec;
  if (to === undefined || memory.rollback?.from === spec) return;
  if (to === wanted && to.digest !== memory.stable) return;
  const back = {
    from_version: version,
    to_version: to.settings.version,
    from_spec: spec,
    to_spec: to.digest,
  };
  yield act(record(c, 'rollback_started', back), `back to version ${to.settings.version ?? 'before'}`);
}

/** A spec that the engine will not even make fails by its own fault, without an instance to be judged by. */
function* rejected(c: Case): Rows {
  for (const { spec } of c.targets) {
    const fault = ownValue(c.view.memory.postponed, spec.digest);
    if (fault?.class !== 'version' || !hasFallback(c, spec.digest)) continue;
    yield act(
      setAside(c, spec, { gate: fault.gate, evidence: { reason: fault.error } }),
      `it cannot be made: ${fault.error}`,
    );
  }
}

/** The live one fell and is not what should run: an older one that still answers takes its place back, or both would block the third. */
function* standIn(c: Case): Rows {
  const { live, cand } = c;
  if (live === null || live === cand || !live.sick) return;
  const other = c.seen.findLast((one) => one !== live && one.joined && one.well);
  if (other !== undefined) yield act(promote(c, other), 'it still answers, and what took its place does not');
}

function* overtaken(c: Case): Rows {
  const others = c.seen.filter((one) => one !== c.live && one !== c.cand);
  for (const seen of others.filter(({ joined }) => joined)) yield* drain(c, seen); // 2.3
  const spare = spareOf(c);
  for (const seen of others.filter(({ joined }) => !joined)) {
    const until = lingersUntil(c, seen);
    if (until !== null) yield wait('it left, but others may not have learned of it yet', until);
    else if (seen.running && seen === spare)
      yield act(stop(c, seen), 'kept, stopped, until the new one is proven'); // 2.4
    else if (seen.running)
      yield act(remove(c, seen), 'overtaken, failed or a copy'); // 2.4
    else if (seen.condemned || seen.drifted) yield act(remove(c, seen), 'it is of no use any more'); // 2.5
  }
}

/**
 * One that left because it is sick, and answers badly rather than not at all, goes on while somebody may still be
 * sending to it, as long as another answers and nothing needs its room. Unix ms; null: it may go.
 */
function lingersUntil(c: Case, seen: Seen): number | null {
  const began = drainBegan(c, seen);
  if (began === null || !seen.running || !seen.sick || seen.pulse?.silent !== false) return null;
  if (c.cand !== c.live || c.live?.well !== true) return null;
  const { least } = drainLimits(c, Math.max(began, c.view.bootAt));
  return c.view.now < least ? least : null;
}
