import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUp } from './cleanup.ts';
import { killDaemon, socketOf, startDaemon, stopDaemon, type Daemon } from './daemon.ts';
import { isReachable } from './engine-call.ts';
import { keep } from './keeping.ts';
import { leaseNetwork } from './network.ts';
import { bring } from './packages.ts';
import { readRecord, writeRecord, type EngineRecord } from './record.ts';
import { freePort, startRegistry, stopRegistry } from './registry.ts';

interface AnyEngine {
  readonly docker: { readonly socket: string };
  /** The value for DOCKER_HOST, `unix://...`. */
  readonly dockerHost: string;
  readonly registry: { readonly host: '127.0.0.1'; readonly port: number };
  readonly registryUrl: string;
  readonly directory: string;
  /** What another process needs to use the same engine, see attachEngine. */
  readonly record: EngineRecord;
  /** Takes down what was started here, and only that; resolves when nothing of it is left. */
  stop(): Promise<void>;
  stopRegistry(): Promise<void>;
  startRegistry(): Promise<void>;
}

/** An engine that was there before us: used as it is. */
export interface BorrowedEngine extends AnyEngine {
  readonly private: false;
}

/** An engine that we started and may therefore hurt. */
export interface PrivateEngine extends AnyEngine {
  readonly private: true;
  /** Stops dockerd with all its containers and starts it again. */
  restartEngine(): Promise<void>;
  /** SIGKILL to dockerd: containers go on, nobody answers. */
  killEngine(): Promise<void>;
  startEngine(): Promise<void>;
}

export type OpenedEngine = BorrowedEngine | PrivateEngine;

export interface OpenOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Told what is being done, one line each; nothing is said by default. */
  readonly say?: (line: string) => void;
  /** Start a private engine even when one is reachable, for tests that restart it. */
  readonly alwaysPrivate?: boolean;
}

/** An engine and a registry, whatever this machine has. Throws with one sentence that says what to do. */
export async function openEngine(options: OpenOptions = {}): Promise<OpenedEngine> {
  const env = options.env ?? process.env;
  const say = options.say ?? (() => undefined);
  const mayShare = options.alwaysPrivate !== true;
  const shared = env['MCP_ORCHESTRATION_TEST_ENGINE'] ?? '';
  if (mayShare && shared !== '') return attachEngine(await readRecord(shared));
  const socket = mayShare ? await reachableSocket(env) : undefined;
  await bringPrograms(socket, say);
  const registryPort = await freePort();
  const lease = socket === undefined ? await leaseNetwork() : undefined;
  const directory = await mkdtemp(join(tmpdir(), 'mcp-orchestration-engine-'));
  const record: EngineRecord = {
    directory,
    registryPort,
    socket: socket ?? socketOf(directory),
    ...(lease === undefined ? {} : { lease }),
  };
  return startAll(record, say);
}

/** Uses what another process opened, for example inside a test worker. Its `stop` leaves everything running. */
export function attachEngine(record: EngineRecord): OpenedEngine {
  return engineOf(record, () => Promise.resolve());
}

async function startAll(record: EngineRecord, say: (line: string) => void): Promise<OpenedEngine> {
  await writeRecord(record);
  const stop = keep(record.directory);
  try {
    const { lease } = record;
    say(
      lease === undefined
        ? `uses the engine at ${record.socket}`
        : `starts a private engine in ${record.directory}`,
    );
    await Promise.all([
      lease === undefined ? undefined : startDaemon({ directory: record.directory, lease }),
      startRegistry({ directory: record.directory, port: record.registryPort }),
    ]);
    return engineOf(record, stop);
  } catch (error) {
    await stop().catch(() => cleanUp(record));
    throw error;
  }
}

function engineOf(record: EngineRecord, stop: () => Promise<void>): OpenedEngine {
  const registry = { directory: record.directory, port: record.registryPort };
  const any: AnyEngine = {
    docker: { socket: record.socket },
    dockerHost: `unix://${record.socket}`,
    registry: { host: '127.0.0.1', port: record.registryPort },
    registryUrl: `http://127.0.0.1:${record.registryPort}`,
    directory: record.directory,
    record,
    stop,
    stopRegistry: () => stopRegistry(registry),
    startRegistry: () => startRegistry(registry),
  };
  if (record.lease === undefined) return { ...any, private: false };
  return { ...any, private: true, ...controlsOf({ directory: record.directory, lease: record.lease }) };
}

function controlsOf(daemon: Daemon): Pick<PrivateEngine, 'restartEngine' | 'killEngine' | 'startEngine'> {
  return {
    killEngine: () => killDaemon(daemon),
    startEngine: () => startDaemon(daemon),
    restartEngine: async () => {
      await stopDaemon(daemon);
      await startDaemon(daemon);
    },
  };
}

/** The socket of an engine that is already there; undefined when there is none. */
async function reachableSocket(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const host = env['DOCKER_HOST'] ?? '';
  if (host !== '' && !host.startsWith('unix://')) {
    throw new Error(
      `DOCKER_HOST=${host} is not on this machine for certain: unset it, or point it to a unix:// socket`,
    );
  }
  const socket = host === '' ? '/var/run/docker.sock' : host.slice('unix://'.length);
  if (await isReachable(socket)) return socket;
  if (host === '') return undefined;
  throw new Error(
    `no engine answers at DOCKER_HOST=${host}: start it, or unset DOCKER_HOST to get a private one`,
  );
}

async function bringPrograms(socket: string | undefined, say: (line: string) => void): Promise<void> {
  const needed =
    socket === undefined
      ? ['git', 'dockerd', 'docker-registry', 'iptables', 'ip']
      : ['git', 'docker-registry'];
  if (socket === undefined && process.getuid?.() !== 0) {
    throw new Error(
      'no Docker Engine answers: start one that you may use, set DOCKER_HOST to its socket, or run this as root on Debian',
    );
  }
  await bring(needed, say);
}
