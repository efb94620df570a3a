import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryJournal, readEvents } from '../journal/index.ts';
import { silentLog } from '../lib/log.ts';
import { grantedSecrets, type Policy } from '../manifest/policy.ts';
import type { DesiredState } from '../model/desired.ts';
import type { Event } from '../model/event.ts';
import type { Plan } from '../model/step.ts';
import type { World } from '../model/world.ts';
import { makePlan } from '../plan/plan.ts';
import { Look } from '../reconcile/look.ts';
import { Monitor } from '../reconcile/monitor.ts';
import { Recorder } from '../reconcile/recorder.ts';
import { Sealing } from '../reconcile/sealing.ts';
import { syncedFields } from '../reconcile/synced.ts';
import { folderSecrets } from '../secrets/index.ts';
import { openSource } from '../source/index.ts';
import type { ManifestSource } from '../source/source.ts';
import { readState } from '../state/index.ts';
import type { AppIo } from './app.ts';
import { EXIT, StartError, type Config } from './config.ts';
import { targetOf } from './endpoint.ts';
import { engineRooms } from './engine.ts';
import { openPolicy } from './policy.ts';
import { reader } from './read-desired.ts';

export type PreviewConfig = Pick<
  Config,
  | 'manifest'
  | 'branch'
  | 'path'
  | 'gitTokenFile'
  | 'sshKey'
  | 'state'
  | 'eventsFile'
  | 'runtime'
  | 'docker'
  | 'owner'
  | 'secrets'
  | 'publishAddress'
  | 'advertise'
  | 'reach'
  | 'policy'
  | 'trust'
>;

const READ_MS = 60_000;
/** Digests and first answers are waited for this long; what is unknown then is said to be unknown. */
const LOOK_MS = 15_000;
const EVERY_MS = 100;

/** The manifest at a commit (`at`; null: as `run` would read it). Rejects with a `StartError` when it is refused. */
export async function readAt(config: PreviewConfig, at: string | null, io: AppIo): Promise<DesiredState> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-orchestration-plan-'));
  try {
    const policy = await openPolicy(config);
    const { gitTokenFile: tokenFile } = config;
    const places = { cloneDirectory: join(folder, 'source'), environment: io.env, clock: io.clock };
    const source = await openSource({ ...config, at, tokenFile, ...places });
    return await readDesired(source, policy, io);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readDesired(source: ManifestSource, policy: Policy, io: AppIo): Promise<DesiredState> {
  const snapshot = await source.read(null, io.clock.deadline(READ_MS, io.signal));
  if (snapshot === null) throw new StartError(EXIT.notAsDesired, `${source.address} has no manifest`);
  const text = { ...snapshot, source: source.address };
  const read = await reader(policy)(text, (ofManifest) => snapshot.commit?.traceId ?? ofManifest ?? 'plan');
  if (!read.ok) throw new StartError(EXIT.refused, read.error.error);
  return read.value;
}

/** What `run` would do now: the same look and the same plan, and no write to engine, registry or state. */
export async function preview(config: PreviewConfig, io: AppIo): Promise<{ world: World; plan: Plan }> {
  const desired = await readAt(config, null, io);
  const policy = await openPolicy(config);
  const engine = await engineRooms(config, io);
  try {
    return await lookOnce(desired, { config, io, policy, engine });
  } finally {
    await engine.close();
  }
}

interface Looking {
  readonly config: PreviewConfig;
  readonly io: AppIo;
  readonly policy: Policy;
  readonly engine: Awaited<ReturnType<typeof engineRooms>>;
}

async function lookOnce(desired: DesiredState, looking: Looking): Promise<{ world: World; plan: Plan }> {
  const { clock, signal } = looking.io;
  const { look, monitor } = await lookFor(desired, looking);
  try {
    const until = clock.now() + LOOK_MS;
    let world = await look.world(desired, clock.deadline(LOOK_MS, signal));
    while (!isKnown(world) && clock.now() < until) {
      await clock.sleep(EVERY_MS, signal);
      world = await look.world(desired, clock.deadline(LOOK_MS, signal));
    }
    return { world, plan: makePlan(world) };
  } finally {
    monitor.stop();
  }
}

/** Every tag is a digest, or cannot be; everybody who runs has been asked. */
const isKnown = ({ blocked, sighting, pulses }: World): boolean =>
  Object.values(blocked).every(({ reason }) => reason !== 'resolving_image') &&
  sighting.instances.every(({ id, state }) => state !== 'running' || pulses[id]?.lastCheckAt != null);

async function lookFor(desired: DesiredState, looking: Looking): Promise<{ look: Look; monitor: Monitor }> {
  const { config, io, policy, engine } = looking;
  const { clock } = io;
  const secrets = folderSecrets({
    directory: config.secrets,
    environment: io.env,
    granted: (server) => grantedSecrets(policy, server),
  });
  const recorder = await rememberedBy(config, desired, io);
  const nothing = (): void => undefined;
  const rooms = { ...engine, secrets, recorder, clock, log: silentLog, hint: nothing, report: nothing };
  const sealing = new Sealing(rooms);
  const reaching = { reach: config.reach, advertise: config.advertise };
  const monitor = new Monitor({
    ...rooms,
    random: Math.random,
    recordChecks: false,
    targetOf: (instance) => targetOf(instance, reaching),
  });
  const look = new Look({
    ...rooms,
    monitor,
    sealing,
    bootAt: clock.now(),
    allowRemovalOf: policy.allowRemovalOf,
    keptSpecs: await readState(config.state, clock).specs.load(),
    engineState: nothing,
    claimEngine: () => Promise.resolve(),
  });
  return { look, monitor };
}

/** Memory as `run` would have it just after it accepted this manifest. */
async function rememberedBy(
  config: PreviewConfig,
  desired: DesiredState,
  { clock }: AppIo,
): Promise<Recorder> {
  const events: Event[] = [];
  const query = { directory: config.state, eventsFile: config.eventsFile ?? undefined };
  for await (const event of readEvents(query)) events.push(event);
  const recorder = await Recorder.open({
    journal: memoryJournal(events),
    clock,
    log: silentLog,
    newId: () => 'plan',
    scrub: (text) => text,
    tell: () => undefined,
    recall: () => undefined,
    journalState: () => undefined,
  });
  await recorder.record({
    event: 'manifest_synced',
    server: null,
    traceId: desired.traceId,
    fields: syncedFields(desired, [], { memory: recorder.memory, removalByTrailer: true }),
  });
  return recorder;
}
