import { askEngine, callEngine } from '../engine/engine-call.ts';
import type { OpenedEngine } from '../engine/engine.ts';

export interface Container {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
}

const label = 'io.liminalcommons.mcp-orchestration';

/** All containers of an owner, those of one server alone if it is given; stopped ones too. */
export async function containersOf(
  engine: OpenedEngine,
  owner: string,
  server?: string,
): Promise<Container[]> {
  const labels = [`${label}.owner=${owner}`, ...(server === undefined ? [] : [`${label}.server=${server}`])];
  const filters = encodeURIComponent(JSON.stringify({ label: labels }));
  const { text } = await askEngine(engine.docker.socket, `/containers/json?all=1&filters=${filters}`);
  return JSON.parse(text) as Container[];
}

/** Removes a container by hand, running or not; one that is gone already is no error. */
export async function removeContainer(engine: OpenedEngine, id: string): Promise<void> {
  const path = `/containers/${id}?force=1&v=1`;
  const { status, text } = await callEngine(engine.docker.socket, path, {
    method: 'DELETE',
    deadlineMs: 20_000,
  });
  if (status >= 400 && status !== 404 && status !== 409)
    throw new Error(`the engine did not remove ${id}: ${status} ${text}`);
}

/** Leaves nothing of an owner: its containers, and on an engine that was there before us the networks that it made. */
export async function removeAllOf(engine: OpenedEngine, owner: string): Promise<void> {
  const all = await containersOf(engine, owner);
  await Promise.all(all.map(({ Id }) => removeContainer(engine, Id)));
  if (!engine.private) await removeNetworks(engine, owner);
}

/** One that somebody else uses meanwhile is refused by the engine, and stays. */
async function removeNetworks(engine: OpenedEngine, owner: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${label}.owner=${owner}`] }));
  const { text } = await askEngine(engine.docker.socket, `/networks?filters=${filters}`);
  for (const { Id } of JSON.parse(text) as { readonly Id: string }[])
    await callEngine(engine.docker.socket, `/networks/${Id}`, { method: 'DELETE' });
}
