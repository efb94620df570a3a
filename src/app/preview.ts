import { memoryJournal, readEvents } from '../journal/index.ts';
import { silentLog } from '../lib/log.ts';
import { ownValue } from '../lib/own-value.ts';
import { grantedSecrets, type Policy } from '../manifest/policy.ts';
import type { DesiredState } from '../model/desired.ts';
import type { Event } from '../model/event.ts';
import type { Plan } from '../model/step.ts';
import type { World } from '../model/world.ts';
import { makePlan } from '../plan/plan.ts';
import { Admission } from '../reconcile/admission.ts';
import { Intake } from '../reconcile/intake.ts';
import { Look } from '../reconcile/look.ts';
import { Monitor } from '../reconcile/monitor.ts';
import { Recorder } from '../reconcile/recorder.ts';
import { Sealing } from '../reconcile/sealing.ts';
import { folderSecrets } from '../secrets/index.ts';
import { readState } from '../state/index.ts';
import type { AppIo } from './app.ts';
import { EXIT, StartError, type Config } from './config.ts';
import { targetOf } from './endpoint.ts';
import { engineRooms } from './engine.ts';
import { withOwnPlaces } from './own-places.ts';
import { openPolicy } from './policy.ts';
import { withSource } from './read-at.ts';
import { readDesiredBy } from './read-desired.ts';

export type PreviewConfig = Pick<
  Config,
  | 'allowRewind'
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

/** Digests and first answers are waited for this long; what is unknown then is said to be unknown. */
const LOOK_MS = 15_000;
const EVERY_MS = 100;

/** What `run` would do now: the same look and the same plan, and no write to engine, registry or state. */
export async function preview(config: PreviewConfig, io: AppIo): Promise<{ world: World; plan: Plan }> {
  const policy = withOwnPlaces(await openPolicy(config), config, io.env);
  const recorder = await rememberedBy(config, io);
  const desired = await takenIn({ config, io, policy, recorder });
  const engine = await engineRooms({ ...config, given: policy }, io);
  try {
    return await lookOnce(desired, { config, io, policy, recorder, engine });
  } finally {
    await engine.close();
  }
}

interface Remembering {
  readonly config: PreviewConfig;
  readonly io: AppIo;
  readonly policy: Policy;
  readonly recorder: Recorder;
}

/** What `run` would take for the manifest now, by its own intake: trailers, a history that was rewritten and all. */
async function takenIn({ config, io, policy, recorder }: Remembering): Promise<DesiredState> {
  return withSource(config, null, io, async (source) => {
    const { accepted } = readState(config.state, io.clock);
    const intake = new Intake({
      ...{ source, recorder, clock: io.clock, log: silentLog, bootId: 'plan' },
      readDesired: readDesiredBy(policy),
      accepted: { ...accepted, keep: () => Promise.resolve() },
      environmentTrace: io.env['CHORA_TRACE_ID'] || null,
      allowRewind: config.allowRewind,
      removalByTrailer: policy.removalByTrailer,
    });
    await intake.restore();
    const taken = await intake.look(io.signal);
    const { error } = intake.status;
    if (taken === 'refused') throw new StartError(EXIT.refused, error ?? 'the manifest is refused');
    if (taken === 'unreachable' || intake.desired === null)
      throw new StartError(EXIT.notAsDesired, error ?? `${source.address} has no manifest`);
    return intake.desired;
  });
}

interface Looking extends Remembering {
  readonly engine: Awaited<ReturnType<typeof engineRooms>>;
}

async function lookOnce(desired: DesiredState, looking: Looking): Promise<{ world: World; plan: Plan }> {
  const { clock, signal } = looking.io;
  const { look, monitor } = await lookFor(looking);
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
  Object.values(blocked).every(({ phase }) => phase !== 'pending') &&
  sighting.instances.every(
    ({ id, state }) => state !== 'running' || ownValue(pulses, id)?.lastCheckAt != null,
  );

async function lookFor(looking: Looking): Promise<{ look: Look; monitor: Monitor }> {
  const { config, io, policy, recorder, engine } = looking;
  const { clock } = io;
  const secrets = folderSecrets({
    directory: config.secrets,
    environment: io.env,
    granted: (server) => grantedSecrets(policy, server),
  });
  const nothing = (): void => undefined;
  const rooms = { ...engine, secrets, recorder, clock, log: silentLog, hint: nothing, report: nothing };
  const sealing = new Sealing(rooms);
  const admission = new Admission(rooms);
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
    checks: () => new Map(),
    admission,
    bootAt: clock.now(),
    allowRemovalOf: policy.allowRemovalOf,
    keptSpecs: await readState(config.state, clock).specs.load(),
    engineState: nothing,
    claimEngine: () => Promise.resolve(),
  });
  return { look, monitor };
}

/** Memory as `run` would have it after a start; what is added to it here is nowhere written. */
async function rememberedBy(config: PreviewConfig, { clock }: AppIo): Promise<Recorder> {
  const events: Event[] = [];
  const query = { directory: config.state, eventsFile: config.eventsFile ?? undefined };
  for await (const event of readEvents(query)) events.push(event);
  return Recorder.open({
    journal: memoryJournal(events),
    clock,
    log: silentLog,
    newId: () => 'plan',
    scrub: (text) => text,
    tell: () => undefined,
    recall: () => undefined,
    journalState: () => undefined,
  });
}
