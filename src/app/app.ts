import { randomBytes } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Policy } from '../manifest/policy.ts';
import type { StatusView } from '../model/status.ts';
import { toStatus } from '../plan/describe.ts';
import { raiseOffThread } from '../reader/reader.ts';
import { startOrchestrator, type Orchestrator } from '../reconcile/orchestrator.ts';
import type { OrchestratorOptions, Rooms } from '../reconcile/rooms.ts';
import type { Settled } from '../reconcile/controller.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { lockWriter, openState } from '../state/index.ts';
import type { WriterLock } from '../state/state.ts';
import { Metrics, openStatusServer } from '../status/index.ts';
import type { StatusServer } from '../status/status.ts';
import { programVersion } from '../version.ts';
import { openChannels } from './channels.ts';
import { EXIT, StartError, type Config, type Environment } from './config.ts';
import { Ending } from './ending.ts';
import { EngineClaim, whoWeAre } from './engine-claim.ts';
import { targetOf, urlOf } from './endpoint.ts';
import { addressOf } from './engine.ts';
import { openListening } from './listen.ts';
import { withOwnPlaces } from './own-places.ts';
import { openPolicy } from './policy.ts';
import { openRooms, type Running } from './rooms.ts';
import { engineTrouble } from './trouble.ts';

export interface AppIo {
  /** Where the log goes instead of JSON lines on stderr. */
  readonly log?: (scrub: (text: string) => string) => Log;
  readonly env: Environment;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface App {
  readonly statusUrl: string;
  /** Look at the source now. */
  poll(): void;
  settled(): Promise<Settled>;
  /** Resolves when the newest manifest is refused; never when `signal` aborts first. */
  refused(signal: AbortSignal): Promise<{ readonly refusal: string }>;
  /** What keeps us from the newest manifest, or from the engine; null when nothing does. */
  trouble(): Promise<string | null>;
  /** What was published last; null before the first look. */
  view(): StatusView | null;
  /** Rejects with a `StartError` when we must not go on, or with our own mistake; pending for ever otherwise. */
  readonly ended: Promise<never>;
  stop(graceMs: number): Promise<void>;
}

/** Picks the kinds, joins the rooms, begins. Rejects with a `StartError` or a `Failure`, each one clear sentence. */
export async function openApp(config: Config, io: AppIo): Promise<App> {
  const policy = withOwnPlaces(await openPolicy(config), config, io.env);
  const listening = await openListening(config);
  const channels = await openChannels(config.channels);
  const state = await openState(config.state, io.clock);
  const lock = await lockOrRefuse(state.path, io.clock);
  try {
    return await begin({ config, io, policy, listening, channels, state, lock });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

export interface Opened {
  readonly config: Config;
  readonly io: AppIo;
  readonly policy: Policy;
  readonly listening: Awaited<ReturnType<typeof openListening>>;
  readonly channels: Awaited<ReturnType<typeof openChannels>>;
  readonly state: Awaited<ReturnType<typeof openState>>;
  readonly lock: WriterLock;
}

async function begin(opened: Opened): Promise<App> {
  const { config, io, state } = opened;
  const bootId = randomBytes(4).toString('hex');
  const running: Running = { orchestrator: null };
  const metrics = new Metrics(programVersion);
  const { rooms, log } = await openRooms(opened, { running, metrics });
  const leave = leaving(rooms);
  const status = await openStatus(opened, { bootId, metrics }).catch(leave);
  const ending = new Ending();
  const claim = new EngineClaim({
    config,
    address: addressOf(config.docker, io.env),
    clock: io.clock,
    ending,
  });
  const published: { view: StatusView | null } = { view: null };
  const options = orchestratorOptions(opened, { bootId, status, metrics, claim, published });
  const orchestrator = await startOrchestrator(rooms, options).catch(async (error: unknown) => {
    await status.close();
    return leave(error);
  });
  running.orchestrator = orchestrator;
  opened.lock.onLost((why) => {
    orchestrator.lockLost();
    ending.end(new StartError(EXIT.lockHeld, `the writer lock on ${state.path} was lost: ${why}`));
  });
  orchestrator.broken.catch((error: unknown) => ending.end(error));
  log.info(
    { status: status.url, state: state.path, source: rooms.source.address, owner: config.owner },
    'watching',
  );
  const { runtime } = rooms;
  return joined({ opened, orchestrator, runtime, status, claim, published, ending });
}

const openStatus = (
  { config, io, listening: { host, port, token, tls } }: Opened,
  own: { readonly bootId: string; readonly metrics: Metrics },
): Promise<StatusServer> =>
  openStatusServer({
    ...{ listen: { host, port }, token, tls, allowHosts: config.allowHost },
    ...{ clock: io.clock, programVersion, ...own },
  });

/** What was opened for a start that failed is closed. */
const leaving =
  ({ notifier, journal }: Rooms) =>
  async (error: unknown): Promise<never> => {
    await notifier.close();
    await journal.close();
    throw error;
  };

function orchestratorOptions(
  { config, io, policy }: Opened,
  made: {
    bootId: string;
    status: StatusServer;
    metrics: Metrics;
    claim: EngineClaim;
    published: { view: StatusView | null };
  },
): OrchestratorOptions {
  const { status, metrics, claim, published } = made;
  const reaching = { reach: config.reach, advertise: config.advertise };
  return {
    owner: config.owner,
    bootId: made.bootId,
    programVersion,
    intervalMs: config.interval * 1_000,
    updateIntervalMs: config.updateInterval * 1_000,
    environmentTrace: io.env['CHORA_TRACE_ID'] || null,
    allowRewind: config.allowRewind,
    removalByTrailer: policy.removalByTrailer,
    allowRemovalOf: policy.allowRemovalOf,
    recordChecks: config.recordChecks,
    writingBack: config.writeBack === 'none' ? null : { mode: config.writeBack, raise: raiseOffThread },
    random: Math.random,
    newId: () => randomBytes(3).toString('hex'),
    targetOf: (instance) => targetOf(instance, reaching),
    urlOf: (instance) => urlOf(instance, reaching),
    claimEngine: (engine, signal) => claim.take(engine, signal),
    publish: ({ world, plan, aside, ...work }, source) => {
      const around = { source, ...work, advertise: config.advertise };
      published.view = toStatus(world, plan, around, { servers: aside, before: published.view });
      status.publish(published.view);
    },
    noteEvent: (event) => status.note(event),
    recallEvent: (event) => status.recall(event),
    self: (checks) => status.self(checks),
    passed: (result, seconds) => metrics.passed(result, seconds),
  };
}

function joined(parts: {
  readonly opened: Opened;
  readonly orchestrator: Orchestrator;
  readonly runtime: Runtime;
  readonly status: StatusServer;
  readonly claim: EngineClaim;
  readonly published: { readonly view: StatusView | null };
  readonly ending: Ending;
}): App {
  const { opened, orchestrator, status, claim, published, ending } = parts;
  const { intake } = orchestrator;
  return {
    statusUrl: status.url,
    poll: () => orchestrator.poll(),
    settled: () => orchestrator.settled(),
    refused: (signal) => untilRefused(orchestrator, opened.io.clock, signal),
    trouble: async () =>
      intake.status.error === null ? engineTrouble(parts.runtime, opened.io.clock) : intake.status.error,
    view: () => published.view,
    ended: ending.reached,
    async stop(graceMs) {
      await Promise.all([orchestrator.stop(graceMs), status.close()]);
      await claim.release();
      await opened.lock.release();
    },
  };
}

async function untilRefused(
  { intake }: Orchestrator,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly refusal: string }> {
  while (!signal.aborted) {
    const { state, error } = intake.status;
    if (state === 'refused' || state === 'rewind') return { refusal: error ?? 'the manifest is refused' };
    await clock.sleep(100, signal);
  }
  return new Promise(() => undefined);
}

async function lockOrRefuse(folder: string, clock: Clock): Promise<WriterLock> {
  const lock = await lockWriter(folder, { who: whoWeAre(clock), clock });
  if (lock.ok) return lock.value;
  throw new StartError(EXIT.lockHeld, lock.error);
}
