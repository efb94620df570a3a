import { join } from 'node:path';
import { openJournal } from '../journal/index.ts';
import { openLog, type Log } from '../lib/log.ts';
import { grantedSecrets } from '../manifest/policy.ts';
import { discreet } from '../probe/index.ts';
import type { Orchestrator } from '../reconcile/orchestrator.ts';
import type { Rooms } from '../reconcile/rooms.ts';
import { folderSecrets } from '../secrets/index.ts';
import { openSource } from '../source/index.ts';
import type { ManifestSource } from '../source/source.ts';
import type { Metrics } from '../status/index.ts';
import type { Opened } from './app.ts';
import { openTelling, warningOfChannels } from './channels.ts';
import { EXIT, StartError } from './config.ts';
import { engineRooms } from './engine.ts';
import { measuredRuntime, measuredSource } from './measured.ts';
import { readDesiredBy } from './read-desired.ts';

const STDERR = 2;

/** What rooms ask the orchestrator that they are part of; null until it runs. */
export interface Running {
  orchestrator: Orchestrator | null;
}

/** Picks the kinds. What is asked of engine and source is counted; what servers say is rid of secrets. */
export async function openRooms(
  opened: Opened,
  { running, metrics }: { readonly running: Running; readonly metrics: Metrics },
): Promise<{ rooms: Rooms; log: Log }> {
  const { config, io, policy, state } = opened;
  const secrets = folderSecrets({
    directory: config.secrets,
    environment: io.env,
    granted: (server) => grantedSecrets(policy, server),
  });
  const scrub = (text: string): string => secrets.scrub(text);
  const log = io.log?.(scrub) ?? openLog({ level: config.logLevel, fd: STDERR, scrub });
  const source = measuredSource(await sourceOf(opened, log), metrics);
  const engine = await engineRooms({ ...config, given: policy }, io);
  const runtime = measuredRuntime(engine.runtime, { clock: io.clock, meter: metrics });
  const readDesired = warningOfChannels(readDesiredBy(policy), opened.channels, log);
  const notifier = await openTelling({
    ...{ file: opened.channels, state: state.path, clock: io.clock, log },
    channelOf: (server) => channelOf(server, running),
  });
  const files = { directory: state.path, eventsFile: config.eventsFile ?? undefined };
  const journal = await openJournal(files).catch(async (error: unknown) => {
    await notifier.close();
    throw error;
  });
  metrics.measureLogs(() => ({ events: journal.bytes('events'), health: journal.bytes('health') }));
  return {
    log,
    rooms: {
      ...{ ...engine, runtime, probe: discreet(engine.probe, scrub), source, readDesired, journal },
      ...{ state, secrets, notifier, log, clock: io.clock },
    },
  };
}

async function sourceOf({ config, io, state }: Opened, log: Log): Promise<ManifestSource> {
  const source = await openSource({
    manifest: config.manifest,
    branch: config.branch,
    path: config.path,
    tokenFile: config.gitTokenFile,
    sshKey: config.sshKey,
    cloneDirectory: join(state.path, 'source'),
    environment: io.env,
    clock: io.clock,
    log,
  });
  if (config.writeBack === 'none' || source.propose !== undefined) return source;
  throw new StartError(EXIT.badOptions, `--write-back needs a git repository, and ${source.address} is none`);
}

const channelOf = (server: string, { orchestrator }: Running): string | null =>
  orchestrator?.intake.desired?.servers.find(({ name }) => name === server)?.notificationChannel ?? null;
