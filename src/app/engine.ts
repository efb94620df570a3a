import { homedir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Policy } from '../manifest/policy.ts';
import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import { createProbe } from '../probe/index.ts';
import type { Probe } from '../probe/probe.ts';
import { openRegistry, type Reached } from '../registry/index.ts';
import type { Registry } from '../registry/registry.ts';
import { dockerRuntime, memoryRuntime, type DockerOptions } from '../runtime/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readFile } from 'node:fs/promises';
import { EXIT, StartError, type Config, type Environment } from './config.ts';
import { digest } from '../lib/digest.ts';

export interface EngineRooms {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly probe: Probe;
  /** How the registry of a repository is reached. Rejects with a `Failure`. */
  reach(repository: string, signal: AbortSignal): Promise<Reached>;
  close(): Promise<void>;
}

export type EngineConfig = Pick<Config, 'runtime' | 'docker' | 'owner' | 'publishAddress'> & {
  /** What the operator gives of the engine's host, and what never. */
  readonly given: Pick<Policy, 'allowHostPaths' | 'engineSockets' | 'ownPaths'>;
};

/** The engine, what tells its images and what asks its instances. Asks nothing of any of them yet. */
export async function engineRooms(
  config: EngineConfig,
  io: { env: Environment; clock: Clock },
): Promise<EngineRooms> {
  return config.runtime === 'memory' ? inMemory(io.clock) : docker(config, io);
}

/** Docker's own settings; null for a user of whom this machine knows no home, such as one that a container is given by number. */
function dockerConfigOf(env: Environment): string | null {
  const home = env['HOME'] ?? homeByUser();
  const folder = env['DOCKER_CONFIG'] ?? (home === null ? null : join(home, '.docker'));
  return folder === null ? null : join(folder, 'config.json');
}

function homeByUser(): string | null {
  try {
    return homedir();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SYSTEM_ERROR') return null;
    throw error;
  }
}

async function docker(
  config: EngineConfig,
  { env, clock }: { env: Environment; clock: Clock },
): Promise<EngineRooms> {
  const dockerConfig = dockerConfigOf(env);
  const registry = openRegistry({
    ...{ clock, random: Math.random, dockerConfig, env },
    insecure: async (signal) => (await runtime.about(signal)).insecure,
  });
  const { owner, publishAddress } = config;
  const engine = await engineAddress(config.docker, env);
  const authFor = (repository: string): ReturnType<typeof registry.authFor> => registry.authFor(repository);
  const { allowHostPaths: allowed, engineSockets, ownPaths } = config.given;
  const hostPaths = { allowed, closed: [...engineSockets, ...ownPaths] };
  const runtime = dockerRuntime({ ...engine, clock, owner, publishAddress, authFor, hostPaths });
  return {
    ...{ runtime, registry, probe: createProbe({ clock }) },
    reach: (repository, signal) => registry.reach(repository, signal),
    close: () => registry.close(),
  };
}

const STANDARD_SOCKET = '/var/run/docker.sock';

/** `--docker`, else what the docker command would use: DOCKER_HOST with its TLS variables, else the standard socket. */
async function engineAddress(
  chosen: string | null,
  env: Environment,
): Promise<Pick<DockerOptions, 'address' | 'tls'>> {
  const address = addressOf(chosen, env);
  const certificates = env['DOCKER_CERT_PATH'];
  if (!address.startsWith('tcp://') || env['DOCKER_TLS_VERIFY'] === undefined || certificates === undefined)
    return { address };
  const read = (name: string): Promise<string> =>
    readFile(join(certificates, name), 'utf8').catch((error: unknown) => {
      throw new StartError(EXIT.badOptions, `DOCKER_CERT_PATH: ${name} cannot be read: ${String(error)}`);
    });
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  return { address: address.replace(/^tcp:/, 'https:'), tls: { ca, cert, key } };
}

/** How we reach the engine. */
export const addressOf = (chosen: string | null, env: Environment): string =>
  chosen ?? env['DOCKER_HOST'] ?? STANDARD_SOCKET;

/** To try a manifest without an engine: every image can be had and every instance is well. */
function inMemory(clock: Clock): EngineRooms {
  const asEngineSays = createProbe({ clock });
  return {
    runtime: memoryRuntime({ clock, ids: () => randomBytes(32).toString('hex'), anyImage: true }),
    registry: {
      digestOf: async (image) => digest(image),
      tags: async () => [],
      inspect: async () => ({ sizeBytes: 0, offers: [] }),
    },
    probe: {
      check: (_settings, target, timeoutMs, signal) =>
        asEngineSays.check({ docker: {} }, target, timeoutMs, signal),
    },
    reach: () => Promise.reject(new Failure('registry_unreachable', 'in memory there is no registry')),
    close: () => Promise.resolve(),
  };
}
