import type { Log } from '../lib/log.ts';
import { ownValue } from '../lib/own-value.ts';
import { inFull, type Failure } from '../model/failure.ts';
import type { EventDraft, Gate } from '../model/event.ts';
import type { Spec } from '../model/spec.ts';
import type { Pull, Step } from '../model/step.ts';
import { aboutOf, traceOf, type Hands } from './perform.ts';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 900_000;

/** Says in our own log what a deed ran into, and what a person can do about it. */
export function tellFailed(
  log: Log,
  { server, deed }: { server: string; deed: string },
  failure: Failure,
): void {
  log.error({ server_name: server, step: deed, code: failure.code }, inFull(failure));
}

export const tellUnwritten = (log: Log, server: string, error: unknown): void =>
  log.error({ server_name: server, err: error }, 'the failure could not be written down');

/** The next look puts its image off. */
export async function notePullFailed({ server, spec }: Pull, failure: Failure, hands: Hands): Promise<void> {
  await hands.recorder.record(gateFailed('pull', server, spec, { failure, hands }));
}

/** Writes down what a failed deed means; the next look reads it there. Steps that no event speaks of are only tried again. */
export async function noteMisfortune(step: Step, failure: Failure, hands: Hands): Promise<void> {
  for (const draft of misfortunes(step, failure, hands)) await hands.recorder.record(draft);
}

function misfortunes(step: Step, failure: Failure, hands: Hands): EventDraft[] {
  switch (step.kind) {
    case 'create':
      return [
        gateFailed('create', step.server, step.spec, { failure, hands }),
        ...(failure.class === 'version' && failure.container !== null
          ? [endedByItself(step.server, { id: failure.container, spec: step.spec }, { failure, hands })]
          : []),
      ];
    case 'start':
      return step.instance.spec === null
        ? []
        : startFailed(step.server, step.instance.id, step.instance.spec, { failure, hands });
    case 'restart':
      return [
        draft(hands, step.server, 'recovery_failed', {
          ...aboutOf(step.instance),
          attempt: step.attempt,
          error: failure.message,
        }),
      ];
    case 'promote':
    case 'leave':
    case 'stop':
    case 'remove':
    case 'remove_image':
    case 'record':
      return [];
  }
}

interface Told {
  readonly failure: Failure;
  readonly hands: Hands;
}

function startFailed(server: string, id: string, spec: Spec, told: Told): EventDraft[] {
  const gate = gateFailed('start', server, spec, told);
  return told.failure.class === 'version' ? [gate, endedByItself(server, { id, spec }, told)] : [gate];
}

function gateFailed(gate: Gate, server: string, spec: Spec, { failure, hands }: Told): EventDraft {
  const advice = failure.suggestedAction === null ? {} : { suggested_action: failure.suggestedAction };
  return draft(hands, server, 'update_gate_failed', {
    gate,
    class: failure.class,
    spec: spec.digest,
    version: spec.settings.version,
    image_digest: spec.imageDigest,
    error: failure.message,
    code: failure.code,
    retry_at: hands.clock.now() + pause(gate, { server, spec }, { failure, hands }),
    ...(failure.container === null ? {} : { container_id: failure.container }),
    ...advice,
  });
}

/** Doubling from a second to a quarter of an hour; a try that costs an outage waits for the slow retry at least. */
function pause(
  gate: Gate,
  { server, spec }: { server: string; spec: Spec },
  { failure, hands }: Told,
): number {
  const count = ownValue(ownValue(hands.recorder.memory.servers, server)?.postponed, spec.digest)?.count ?? 0;
  const doubling = Math.min(FIRST_RETRY_MS * 2 ** count, LONGEST_RETRY_MS);
  const outage = gate !== 'pull' && spec.order === 'stop-first' && hasRun(server, hands);
  const least = outage ? spec.settings.recovery.slowRetrySeconds * 1_000 : 0;
  return Math.max(doubling, least, failure.retryAfterMs ?? 0);
}

const hasRun = (server: string, hands: Hands): boolean =>
  (ownValue(hands.recorder.memory.servers, server)?.promoted ?? null) !== null;

/** A start that fails by the version's own fault is an exit like any other, or it would be started without end. */
function endedByItself(
  server: string,
  left: { id: string; spec: Spec },
  { failure, hands }: Told,
): EventDraft {
  return draft(hands, server, 'server_down', {
    instance: '',
    container_id: left.id,
    spec: left.spec.digest,
    version: left.spec.settings.version,
    from: 'unknown',
    to: 'unhealthy',
    reason: failure.code,
    by: 'itself',
    exit_code: null,
    at: hands.clock.now(),
  });
}

function draft<T extends EventDraft['event']>(
  hands: Hands,
  server: string,
  event: T,
  fields: EventDraft<T>['fields'],
): EventDraft {
  return { event, server, traceId: traceOf(server, hands), fields } as EventDraft;
}
