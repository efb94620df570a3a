import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { until } from './commands.ts';
import { endProcess, startDetached } from './processes.ts';

/** A registry process: its folder has its configuration and its images. */
interface Registry {
  readonly directory: string;
  readonly port: number;
}

/** Starts the registry on its loopback port; throws with the end of its log when it does not answer within 10 s. */
export async function startRegistry({ directory, port }: Registry): Promise<void> {
  const configuration = join(directory, 'registry.yml');
  await writeFile(configuration, configurationOf(join(directory, 'registry'), port));
  const log = join(directory, 'registry.log');
  await startDetached('docker-registry', ['serve', configuration], log);
  if (await until(() => answers(port), 10_000)) return;
  throw new Error(
    `the registry did not start; the end of its log:\n${(await readFile(log, 'utf8')).slice(-2_000)}`,
  );
}

/** Ends the registry process; what was pushed stays in its folder. */
export async function stopRegistry({ directory }: Registry): Promise<void> {
  if (!(await endProcess(directory, 'docker-registry', 5_000)))
    throw new Error('docker-registry did not end');
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function configurationOf(root: string, port: number): string {
  return `version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: ${JSON.stringify(root)} }
  delete: { enabled: true }
http: { addr: "127.0.0.1:${port}" }
`;
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/v2/`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
