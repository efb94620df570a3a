import { ownValue } from '../../lib/own-value.ts';
import type { View } from '../../model/world.ts';
import { about, exitReason, record } from './about.ts';
import { act, wait, type Gate, type Rows } from './verdict.ts';
import type { Case, Seen } from './words.ts';

/** How long an engine that goes down may take: a stop by hand is believed when it outlives this. Milliseconds. */
export const ENGINE_SHUTDOWN_MS = 15_000;

/** 2.0 Facts first. False: it is not certain yet what happened, and nothing else may be tried. */
export function* facts(c: Case): Gate {
  yield* exits(c); // 0.1
  for (const seen of c.seen) {
    if (isDoubtful(seen)) {
      const certainAt = seen.ending.at + ENGINE_SHUTDOWN_MS;
      if (c.view.now < certainAt) {
        yield wait('it was stopped, and it is not certain yet by whom', certainAt); // 0.2
        return false;
      }
      yield act(stoppedByPerson(c, seen), 'a person stopped it: the engine outlived it'); // 0.3
    }
  }
  yield* drifts(c); // 0.4
  yield* refusals(c); // 0.5
  return true;
}

function* exits(c: Case): Rows {
  for (const { instance, ending } of c.seen) {
    if (ending === null || ending.written) continue;
    const fields = {
      ...about(instance),
      from: ownValue(c.view.memory.health, instance.id)?.state ?? 'unknown',
      to: 'unhealthy' as const,
      reason: exitReason(instance),
      by: ending.by,
      exit_code: ending.code,
      oom: instance.oomKilled,
      at: ending.at,
      // Nobody watched before we started: what happened then was not detected late.
      ...(ending.at < c.view.bootAt ? {} : { seconds_to_detect: tenths(c.view.now - ending.at) }),
    };
    yield act(record(c, 'server_down', fields), `it exited (${ending.by})`);
  }
}

const tenths = (ms: number): number => Math.max(0, Math.round(ms / 100) / 10);

type Doubtful = Seen & { readonly ending: NonNullable<Seen['ending']> };

const isDoubtful = (seen: Seen): seen is Doubtful =>
  seen.ending !== null && seen.ending.by === 'person' && seen.ending.written && !seen.ending.sure;

const stoppedByPerson = (c: Case, { instance, ending }: Doubtful) =>
  record(c, 'server_stopped', { ...about(instance), by: 'person', exit_code: ending.code });

function* drifts(c: Case): Rows {
  for (const { instance, drifted } of c.seen) {
    const drift = instance.drift.length > 0 ? instance.drift : ['its label cannot be read'];
    if (!drifted || ownValue(c.view.memory.driftNoted, instance.id) === drift.join('; ')) continue;
    const after = instance.lastEvent ? { after: instance.lastEvent } : {};
    yield act(
      record(c, 'drift_detected', { ...about(instance), drift, ...after }),
      'it is no longer what we made',
    );
  }
}

function* refusals(c: Case): Rows {
  const trouble = refusalOf(c.view);
  if (trouble !== null && c.view.memory.refusalNoted !== trouble.reason) {
    const { reason, message, suggestedAction } = trouble;
    const fields = { reason, error: message, suggested_action: suggestedAction ?? '' };
    yield act(record(c, 'server_refused', fields), message);
  }
  yield* obstacle(c, trouble === null ? c.view.blocked : null);
  const held = c.targets[0]?.blocked ?? null;
  if (trouble === null && held?.held === 'foreign_container' && c.view.memory.refusalNoted !== held.held) {
    const advice = 'stop or rename that container, or choose another host_port or name';
    const fields = { reason: held.held, error: held.why, suggested_action: advice };
    yield act(record(c, 'server_held', fields), held.why);
  }
}

/** What it needs beside its image is not there, or is somebody else's. */
function* obstacle(c: Case, blocked: Case['view']['blocked']): Rows {
  if (blocked?.phase !== 'held' || c.view.memory.refusalNoted === blocked.reason) return;
  const { reason, message, suggestedAction } = blocked;
  const fields = { reason, error: message, suggested_action: suggestedAction ?? '' };
  yield act(record(c, 'server_held', fields), message);
}

/** Why the entry is not acted on; null when it is. */
export function refusalOf({ entry, blocked }: View) {
  return entry?.refusal ?? (blocked?.phase === 'refused' ? blocked : null);
}
