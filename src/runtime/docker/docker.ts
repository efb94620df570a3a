import type { Clock } from '../../lib/clock.ts';
import { Failure } from '../../model/failure.ts';
import type { Runtime } from '../runtime.ts';
import { about } from './about.ts';
import { EngineClient } from './client.ts';
import type { ClientOptions } from './client.ts';
import { Deeds } from './deeds.ts';
import { linesOf } from './demux.ts';
import { EngineIdentity } from './engine-facts.ts';
import { HostPaths, type HostRules } from './host-paths.ts';
import { Images } from './images.ts';
import { Networks } from './networks.ts';
import { News } from './news.ts';
import { Observer } from './observe.ts';
import { Ports } from './ports.ts';
import { pull } from './pull.ts';
import type { RegistryAuth } from './pull.ts';
import { Volumes } from './volumes.ts';
import { Watching } from './watch.ts';

export interface DockerOptions extends ClientOptions {
  readonly clock: Clock;
  readonly owner: string;
  /** Where ports are published, e.g. `127.0.0.1`. */
  readonly publishAddress: string;
  /** Credentials for a repository such as `docker.io/a/b`; none by default. */
  readonly authFor?: (repository: string) => Promise<RegistryAuth | null>;
  /** Which paths of the engine's host may be given to servers; none by default. */
  readonly hostPaths?: HostRules;
  /** Most milliseconds a pull may bring no news; 120,000 by default. */
  readonly pullStallMs?: number;
}

const PULL_STALL_MS = 120_000;

/** Instances as containers of a Docker Engine, or of what speaks its API. Asks nothing of it before its first verb. */
export function dockerRuntime(options: DockerOptions): Runtime {
  const { clock, owner, publishAddress } = options;
  const client = new EngineClient(options);
  const news = new News();
  const images = new Images(client, news);
  const networks = new Networks(client, owner);
  const identity = new EngineIdentity(client, news);
  const observer = new Observer({ client, images, identity, news, clock, owner });
  const takenPorts = (): ReadonlySet<number> => observer.portsOfOurs();
  const ports = new Ports(publishAddress);
  const volumes = new Volumes(client, owner);
  const rules = options.hostPaths ?? { allowed: [], closed: [] };
  const hostPaths = new HostPaths({ client, address: options.address, owner, rules });
  const deeds = new Deeds({
    ...{ client, images, networks, volumes, hostPaths, ports, news },
    ...{ owner, publishAddress, takenPorts, address: options.address },
  });
  const authFor = options.authFor ?? (() => Promise.resolve(null));
  const puller = { client, images, news, clock, authFor, stallMs: options.pullStallMs ?? PULL_STALL_MS };
  return {
    observe: (references, signal) => observer.look(references, signal),
    pull: (spec, progress, signal) => pull(puller, spec, progress, signal),
    admit: (spec, ownVolumes, signal) => deeds.admit(spec, ownVolumes, signal),
    create: (birth, signal) => deeds.create(birth, signal),
    start: (instance, signal) => deeds.start(instance, signal),
    restart: (instance, signal) => deeds.restart(instance, signal),
    promote: (instance, signal) => networks.joinLive(instance, signal).finally(() => news.touch(instance.id)),
    leave: (instance, signal) => networks.leaveLive(instance, signal).finally(() => news.touch(instance.id)),
    stop: (instance, signal) => deeds.stop(instance, signal),
    remove: (instance, signal) => deeds.remove(instance, signal),
    removeImage: (image, signal) => images.remove(image, signal),
    logs: (container, lines, signal) => logs(client, container, lines, signal),
    localDigest: (image, signal) => images.digest(image, signal),
    platform: (signal) => platform(client, signal),
    about: (signal) => about(client, signal),
    watch: (hint, signal) => new Watching({ client, news, clock, owner }, hint).run(signal),
  };
}

/** Evidence is welcome but never worth a failed step: the engine's own trouble gives no lines. */
async function logs(
  client: EngineClient,
  container: string,
  lines: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const wanted = { follow: false as const, stdout: true, stderr: true, tail: lines };
  try {
    const { bytes } = await client.ask(
      `read the log of ${container.slice(0, 12)}`,
      (docker) =>
        docker
          .getContainer(container)
          .logs(wanted)
          .then((bytes) => ({ bytes })),
      signal,
    );
    return linesOf(bytes, lines);
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

async function platform(client: EngineClient, signal: AbortSignal): ReturnType<Runtime['platform']> {
  const { Os: os, Arch: architecture } = await client.version(signal);
  return { os, architecture };
}
