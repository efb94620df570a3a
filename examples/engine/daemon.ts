import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './commands.ts';
import { isReachable } from './engine-call.ts';
import { letContainersMeet, networkArguments } from './network.ts';
import { endProcess, processesOf, signal, startDetached } from './processes.ts';
import type { NetworkLease } from './record.ts';

/** A private engine: its folder has everything it keeps. */
export interface Daemon {
  readonly directory: string;
  readonly lease: NetworkLease;
}

/** The socket of the engine in a folder. */
export const socketOf = (directory: string): string => join(directory, 'docker.sock');

/** Starts dockerd and waits until it answers; throws with the end of its log when it does not within 30 s. */
export async function startDaemon({ directory, lease }: Daemon): Promise<void> {
  // After a crash these name processes that are gone, or zombies where nobody reaps: dockerd would take them for alive.
  for (const file of ['docker.pid', 'exec/containerd/containerd.pid'])
    await rm(join(directory, file), { force: true });
  // An empty configuration, so that /etc/docker/daemon.json of the machine has no say.
  await writeFile(join(directory, 'daemon.json'), '{}\n');
  const log = join(directory, 'dockerd.log');
  await startDetached('dockerd', await daemonArguments(directory, lease), log);
  if (await until(() => isReachable(socketOf(directory)), 30_000)) return letContainersMeet(lease);
  throw new Error(
    `the private engine did not start; the end of its log:\n${(await readFile(log, 'utf8')).slice(-2_000)}`,
  );
}

/** Ends dockerd as a service manager would; containers are stopped with it. */
export async function stopDaemon({ directory }: Daemon): Promise<void> {
  if (!(await endProcess(directory, 'dockerd', 20_000))) throw new Error('dockerd did not end');
}

/** Kills dockerd as a crash would: containers run on until it starts again. */
export async function killDaemon({ directory }: Daemon): Promise<void> {
  // containerd dies with dockerd, a moment later; a dockerd that starts in that moment would count on it.
  for (const program of ['dockerd', 'containerd']) {
    for (const { pid } of await processesOf(directory, program)) signal(pid, 'SIGKILL');
    await until(async () => (await processesOf(directory, program)).length === 0, 5_000);
  }
}

async function daemonArguments(directory: string, lease: NetworkLease): Promise<string[]> {
  return [
    ...['--host', `unix://${socketOf(directory)}`, '--config-file', join(directory, 'daemon.json')],
    ...['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')],
    ...['--pidfile', join(directory, 'docker.pid'), '--shutdown-timeout', '5'],
    ...(await networkArguments(lease, existsSync(join(directory, 'data')))),
  ];
}
