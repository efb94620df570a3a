import type { Clock } from '../lib/clock.ts';
import { ownValue } from '../lib/own-value.ts';
import type { EventDraft, EventFields, EventType, Of } from '../model/event.ts';
import type { Instance } from '../model/observed.ts';
import { volumesIn, type Spec } from '../model/spec.ts';
import type { Recording, Step } from '../model/step.ts';
import type { PullProgress, Runtime } from '../runtime/runtime.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { StateFolder } from '../state/state.ts';
import type { Recorder } from './recorder.ts';

/** What a deed needs beside its step. */
export interface Hands {
  readonly runtime: Runtime;
  readonly recorder: Recorder;
  readonly secrets: Secrets;
  readonly specs: StateFolder['specs'];
  readonly clock: Clock;
  readonly newId: () => string;
  readonly owner: string;
  /** The manifest's address, for the `source` label. */
  readonly source: string;
  readonly revision: string;
  /** How far a pull is; null: it has ended. */
  readonly progress: (server: string, progress: PullProgress | null) => void;
  /** Where outsiders reach an instance, for `server_ready`. */
  readonly urlOf: (instance: Instance) => string | null;
}

/** Absolute limits of each deed in milliseconds. */
const DEADLINE_MS = {
  create: 60_000,
  start: 60_000,
  restart: 60_000,
  stop: 60_000,
  network: 20_000,
  remove: 60_000,
};

type Do<K extends Step['kind']> = (step: Extract<Step, { kind: K }>, hands: Hands) => Promise<void>;

/**
 * The one place where a step becomes a deed: intent on disk, deed, outcome on disk. Rejects with the `Failure` of the
 * world that stopped it; the next look decides what that means.
 */
export function perform(step: Step, hands: Hands): Promise<void> {
  const deed = deeds[step.kind] as (step: Step, hands: Hands) => Promise<void>;
  return deed(step, hands);
}

const deeds: { readonly [K in Step['kind']]: Do<K> } = {
  create: create,
  start: start,
  restart: restart,
  promote: promote,
  leave: leave,
  stop: stop,
  remove: remove,
  remove_image: removeImage,
  record: recordOnly,
};

async function create({ server, spec }: Extract<Step, { kind: 'create' }>, hands: Hands): Promise<void> {
  const values = await hands.secrets.values(server, spec.secrets);
  await hands.specs.keep(spec);
  await beginRollout(server, spec, hands);
  const birth = {
    spec,
    instance: `i-${hands.newId()}`,
    owner: hands.owner,
    revision: hands.revision,
    traceId: traceOf(server, hands),
    source: hands.source,
    secrets: values,
    ownVolumes: await volumesBefore(server, spec, hands),
  };
  const about = {
    instance: birth.instance,
    spec: spec.digest,
    revision: birth.revision,
    version: spec.settings.version,
  };
  await write(hands, server, 'server_starting', { ...about, image_digest: spec.imageDigest });
  const { id } = await hands.runtime.create(birth, hands.clock.deadline(DEADLINE_MS.create));
  await write(hands, server, 'server_started', { ...about, container_id: id });
}

/** Of what was promoted or is stable: volumes of earlier programs of ours bear no label. */
async function volumesBefore(server: string, { mounts }: Spec, hands: Hands): Promise<readonly string[]> {
  if (mounts.every(({ kind }) => kind !== 'volume')) return [];
  const { stable = null, promoted = null } = ownValue(hands.recorder.memory.servers, server) ?? {};
  const kept = await hands.specs.load();
  return volumesIn([stable, promoted?.spec].map((digest) => ownValue(kept, digest ?? '')));
}

async function start({ server, instance }: Extract<Step, { kind: 'start' }>, hands: Hands): Promise<void> {
  const about = aboutOf(instance);
  await write(hands, server, 'server_starting', {
    ...about,
    revision: instance.revision,
    image_digest: instance.spec?.imageDigest ?? '',
  });
  await hands.runtime.start(instance, hands.clock.deadline(DEADLINE_MS.start));
  await write(hands, server, 'server_started', about);
}

async function restart(step: Extract<Step, { kind: 'restart' }>, hands: Hands): Promise<void> {
  const { server, instance, attempt, reason } = step;
  await write(hands, server, 'recovery_started', {
    ...aboutOf(instance),
    ...{ reason, attempt, strategy: 'restart' },
  });
  await hands.runtime.restart(instance, hands.clock.deadline(DEADLINE_MS.restart));
}

async function promote(
  { server, instance }: Extract<Step, { kind: 'promote' }>,
  hands: Hands,
): Promise<void> {
  await write(hands, server, 'server_promoting', aboutOf(instance));
  await hands.runtime.promote(instance, hands.clock.deadline(DEADLINE_MS.network));
  const image_digest = instance.spec?.imageDigest ?? '';
  await write(hands, server, 'server_ready', {
    ...aboutOf(instance),
    url: hands.urlOf(instance),
    image_digest,
  });
}

async function leave(
  { server, instance, outcome }: Extract<Step, { kind: 'leave' }>,
  hands: Hands,
): Promise<void> {
  await write(hands, server, 'server_leaving', { ...aboutOf(instance), outcome });
  await hands.runtime.leave(instance, hands.clock.deadline(DEADLINE_MS.network));
  await write(hands, server, 'drain_completed', { ...aboutOf(instance), outcome });
}

async function stop({ server, instance }: Extract<Step, { kind: 'stop' }>, hands: Hands): Promise<void> {
  await write(hands, server, 'server_stopping', aboutOf(instance));
  await hands.runtime.stop(instance, hands.clock.deadline(DEADLINE_MS.stop));
  await write(hands, server, 'server_stopped', { ...aboutOf(instance), by: 'us' });
}

async function remove({ server, instance }: Extract<Step, { kind: 'remove' }>, hands: Hands): Promise<void> {
  await write(hands, server, 'instance_removing', aboutOf(instance));
  await hands.runtime.remove(instance, hands.clock.deadline(DEADLINE_MS.remove));
  await write(hands, server, 'instance_removed', aboutOf(instance));
}

async function removeImage(
  { server, image }: Extract<Step, { kind: 'remove_image' }>,
  hands: Hands,
): Promise<void> {
  await hands.runtime.removeImage(image, hands.clock.deadline(DEADLINE_MS.remove));
  await write(hands, server, 'image_removed', { image });
}

async function recordOnly(step: Recording, hands: Hands): Promise<void> {
  const fields = step.event === 'version_quarantined' ? await withLog(step.fields, hands) : step.fields;
  await hands.recorder.record({
    event: step.event,
    server: step.server,
    traceId: traceOf(step.server, hands),
    fields,
  } as EventDraft);
}

/** The instance may be gone a moment later: its last words are taken down with the verdict. */
async function withLog(
  fields: EventFields['version_quarantined'],
  hands: Hands,
): Promise<EventFields['version_quarantined']> {
  if (fields.container_id === undefined) return fields;
  const lines = await hands.runtime.logs(fields.container_id, 50, hands.clock.deadline(5_000));
  return { ...fields, evidence: { ...fields.evidence, log: lines } };
}

/** A rollout begins with the first deed for a spec that was never promoted nor stable; restoring one is no rollout. */
export async function beginRollout(server: string, spec: Spec, hands: Hands): Promise<void> {
  const memory = ownValue(hands.recorder.memory.servers, server);
  const known = [memory?.rollout?.spec, memory?.stable, memory?.promoted?.spec];
  if (known.includes(spec.digest)) return;
  const { image, imageDigest, order, settings } = spec;
  await write(hands, server, 'update_started', {
    rollout_id: `r-${hands.newId()}`,
    spec: spec.digest,
    image,
    image_digest: imageDigest,
    version: settings.version,
    from_version: memory?.promoted?.version ?? null,
    order,
  });
}

/** One line about a server, under its trace. */
export async function write<T extends EventType>(
  hands: Hands,
  server: string,
  event: T,
  fields: EventFields[T],
): Promise<void> {
  await hands.recorder.record({ event, server, traceId: traceOf(server, hands), fields } as EventDraft);
}

/** The trace of the revision that last changed this server's entry: it is what put the server there. */
export function traceOf(server: string, { recorder }: { readonly recorder: Recorder }): string {
  const { memory } = recorder;
  return ownValue(memory.servers, server)?.traceId ?? memory.traceId ?? 'orchestrator';
}

export function aboutOf(instance: Instance): Of {
  return {
    instance: instance.instance,
    container_id: instance.id,
    spec: instance.specDigest,
    version: instance.spec?.settings.version ?? null,
  };
}
