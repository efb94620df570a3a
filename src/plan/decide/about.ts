import type { EventFields, EventType, Evidence, Of } from '../../model/event.ts';
import type { Instance } from '../../model/observed.ts';
import type { Spec } from '../../model/spec.ts';
import type { DrainOutcome, Recording, Step } from '../../model/step.ts';
import { act, type Rows } from './verdict.ts';
import type { Case, Seen } from './words.ts';

/** Which instance a record is about. */
export const about = ({ id, instance, specDigest, spec, revision }: Instance): Of => ({
  instance,
  container_id: id,
  spec: specDigest,
  version: spec?.settings.version ?? null,
  revision,
});

export function record<T extends EventType>({ view }: Case, event: T, fields: EventFields[T]): Recording {
  return { kind: 'record', server: view.name, event, fields } as Recording;
}

/** Written once: what is stopped by its entry or its restart policy is in no trouble. */
export function* resting(c: Case, reason: EventFields['server_resting']['reason']): Rows {
  if (!c.view.memory.resting)
    yield act(record(c, 'server_resting', { reason }), 'it is stopped and may stay so');
}

export const leave = ({ view }: Case, { instance }: Seen, outcome: DrainOutcome): Step => ({
  kind: 'leave',
  server: view.name,
  instance,
  outcome,
});

export const stop = ({ view }: Case, { instance }: Seen): Step => ({
  kind: 'stop',
  server: view.name,
  instance,
});
export const start = ({ view }: Case, { instance }: Seen): Step => ({
  kind: 'start',
  server: view.name,
  instance,
});
export const promote = ({ view }: Case, { instance }: Seen): Step => ({
  kind: 'promote',
  server: view.name,
  instance,
});

export const remove = ({ view }: Case, { instance }: Seen): Step => ({
  kind: 'remove',
  server: view.name,
  instance,
});

export const create = ({ view }: Case, spec: Spec): Step => ({ kind: 'create', server: view.name, spec });

/** What speaks against an instance, in words; the log lines are added when it is written down. */
export function evidenceOf({ instance, pulse, running }: Seen): Evidence {
  if (!running)
    return { reason: exitReason(instance), exit_code: instance.exitCode, oom: instance.oomKilled };
  const departures = pulse?.departures ?? [];
  return {
    reason: pulse?.reason ?? 'no answer',
    answers: pulse?.answers ?? [],
    ...(departures.length === 0 ? {} : { departures }),
  };
}

export const exitReason = ({ oomKilled, exitCode, state }: Instance): string =>
  state === 'created' ? 'start_failed' : oomKilled ? 'oom_killed' : `exited_${exitCode ?? 'unknown'}`;
