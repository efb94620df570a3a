import { readFile, rm } from 'node:fs/promises';
import { run, until } from './commands.ts';
import { askEngine } from './engine-call.ts';
import { linksOfNetworks, releaseNetwork } from './network.ts';
import { endProcess, killTree, processesOf } from './processes.ts';
import type { EngineRecord } from './record.ts';

/** The label that every image built by the examples carries, so that a borrowed engine can be left as it was found. */
export const exampleLabel = 'io.liminalcommons.mcp-orchestration.example';

/** Takes down all that was started for a record and deletes its folder. Each step tries its best, whatever the one before met. */
export async function cleanUp(record: EngineRecord): Promise<void> {
  const { directory, lease } = record;
  const links = lease === undefined ? [] : await linksOfNetworks(record.socket).catch(() => []);
  if (lease === undefined) await attempt(removeImages(record));
  else await attempt(killContainers(record.socket));
  await attempt(
    Promise.all([endProcess(directory, 'dockerd', 15_000), endProcess(directory, 'docker-registry', 5_000)]),
  );
  await attempt(killTree(directory));
  await attempt(until(async () => (await processesOf(directory)).length === 0, 5_000));
  await attempt(unmountBelow(directory));
  if (lease !== undefined) await attempt(releaseNetwork(lease, links));
  await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/** Without this dockerd would wait for every container's own stop time. */
async function killContainers(socket: string): Promise<void> {
  const { text } = await askEngine(socket, '/containers/json', { deadlineMs: 3_000 });
  const running = JSON.parse(text) as { readonly Id: string }[];
  const kills = running.map(({ Id }) => askEngine(socket, `/containers/${Id}/kill`, { method: 'POST' }));
  await Promise.allSettled(kills);
}

/** Containers of our images as well: they carry the label of their image, and one that was killed left them running. */
async function removeImages({ socket, registryPort }: EngineRecord): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${exampleLabel}=${registryPort}`] }));
  const listed = await askEngine(socket, `/containers/json?all=1&filters=${filters}`);
  for (const { Id } of JSON.parse(listed.text) as { readonly Id: string }[])
    await attempt(askEngine(socket, `/containers/${Id}?force=1&v=1`, { method: 'DELETE' }));
  const { text } = await askEngine(socket, `/images/json?filters=${filters}`);
  const images = JSON.parse(text) as { readonly Id: string }[];
  for (const { Id } of images)
    await attempt(askEngine(socket, `/images/${Id}?force=1`, { method: 'DELETE' }));
}

async function unmountBelow(directory: string): Promise<void> {
  const points = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${directory}/`));
  for (const point of points.reverse()) await attempt(run('umount', ['-l', point]));
}

async function attempt(step: Promise<unknown>): Promise<void> {
  await step.catch((error: unknown) => console.error(`clean-up goes on after: ${String(error)}`));
}
