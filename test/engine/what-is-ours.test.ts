import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askEngine } from '../../examples/engine/engine-call.ts';
import { containersOf, removeContainer } from '../../examples/stage/containers.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { importedImage } from '../support/imported-image.ts';
import { isReady } from '../../examples/stage/status.ts';
import { program } from '../support/program.ts';
import { allReady, eventsOf, isOf, openTestStage, untilEvent, type TestStage } from '../support/stage.ts';

let stage: TestStage;
let watching: Watching;
let revision: string;
let names: readonly string[];
const copies: string[] = [];

beforeAll(async () => {
  stage = await openTestStage();
  const image = await importedImage(stage.engine, stage.name('bare'));
  names = [stage.name('plain'), stage.name('bare')];
  watching = await stage.watch();
  const bare = stage.entry('bare', { docker: { image } }, '0.0.0');
  revision = await stage.merge([stage.entry('plain'), bare]);
});
afterAll(async () => {
  for (const id of copies) await removeContainer(stage.engine, id);
  await stage.close();
});

const ask = async (method: 'GET' | 'POST', path: string, body: object = {}): Promise<unknown> => {
  const request = { method, ...(method === 'GET' ? {} : { body: JSON.stringify(body) }), deadlineMs: 60_000 };
  const { text } = await askEngine(stage.engine.docker.socket, path, request);
  return text === '' ? null : JSON.parse(text);
};

/** `docker commit`, then `docker run --name`. */
async function copyOf(id: string, name: string): Promise<string> {
  const { Id: Image } = (await ask('POST', `/commit?container=${id}`)) as { readonly Id: string };
  const made = (await ask('POST', `/containers/create?name=${name}`, { Image })) as { readonly Id: string };
  copies.push(made.Id);
  await ask('POST', `/containers/${made.Id}/start`);
  return made.Id;
}

const isRunning = async (id: string): Promise<boolean> =>
  ((await ask('GET', `/containers/${id}/json`)) as { readonly State: { readonly Running: boolean } }).State
    .Running;

const ours = async (): Promise<string[]> =>
  (await containersOf(stage.engine, stage.owner)).map(({ Id }) => Id).filter((id) => !copies.includes(id));

test('a server whose image is nothing but files and an entrypoint is deployed like any other, and all are seen', async () => {
  await allReady(watching, revision, names);
  const [bare] = await containersOf(stage.engine, stage.owner, stage.name('bare'));
  const { Image } = (await ask('GET', `/containers/${bare?.Id}/json`)) as { readonly Image: string };
  const { Config } = (await ask('GET', `/images/${Image}/json`)) as { readonly Config: object };
  expect(Config).toMatchObject({ Env: null, Cmd: null });
  expect(await eventsOf(watching, 'drift_detected')).toEqual([]);
});

test('a copy that a person made of a container of ours is told once and never touched, also once the state is gone', async () => {
  await allReady(watching, revision, names);
  const before = await ours();
  const [plain] = await containersOf(stage.engine, stage.owner, stage.name('plain'));
  const copy = await copyOf(plain?.Id ?? '', stage.name('a-colleague'));
  const found = await untilEvent(watching, ({ event_type }) => event_type === 'foreign_container_found');
  expect(found['containers']).toEqual([
    { container_id: copy, name: stage.name('a-colleague'), server: stage.name('plain') },
  ]);
  await expect.poll(() => eventsOf(watching, 'update_completed')).toHaveLength(2);
  expect(await eventsOf(watching, 'foreign_container_found')).toHaveLength(1);

  await watching.orchestrator.stop();
  await rm(watching.orchestrator.state, { recursive: true });
  watching = await stage.watch();
  await allReady(watching, revision, names);
  await expect.poll(() => eventsOf(watching, 'update_completed')).toHaveLength(2);
  expect(await eventsOf(watching, 'foreign_container_found')).toHaveLength(1);
  expect(await eventsOf(watching, 'server_starting')).toEqual([]);
  expect((await ours()).sort()).toEqual(before.sort());
  expect(await isRunning(copy)).toBe(true);
});

/** Another tool that changes each new container of a server, until it is ended; how many it changed. */
function startTool(server: string): { readonly end: () => Promise<number> } {
  const changed = new Set<string>();
  let ended = false;
  const change = async ({ Id }: { readonly Id: string }): Promise<void> => {
    if (changed.has(Id)) return;
    const limits = { Memory: 2 ** 28, MemorySwap: 2 ** 28 };
    // One that comes or goes just now may refuse: it is asked again.
    await ask('POST', `/containers/${Id}/update`, limits).then(
      () => changed.add(Id),
      () => undefined,
    );
  };
  const work = async (): Promise<void> => {
    while (!ended) {
      for (const container of await containersOf(stage.engine, stage.owner, server)) await change(container);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const working = work();
  const end = async (): Promise<number> => {
    ended = true;
    await working;
    return changed.size;
  };
  return { end };
}

test('a tool that changes each new container is told, and what serves keeps serving until a person says so', async () => {
  const { servers } = await allReady(watching, revision, names);
  const server = stage.name('bare');
  const url = `${servers.find(({ name }) => name === server)?.url ?? ''}/health`;
  const tool = startTool(server);
  // At once where the second is touched before it answers, else after the third, which waits for its pauses.
  const told = await untilEvent(watching, isOf(server, 'drift_repeats'), 150_000);
  const repairs = told['repairs'] as readonly { readonly what: string }[];
  expect(repairs.map(({ what }) => what)).toContain('memory limit');
  const record = await watching.status.server(server, ({ phase }) => phase === 'held');
  expect(record.reason).toBe('drift_repeats');
  expect(record.suggested_action).toContain('retry');
  await expect.poll(() => containersOf(stage.engine, stage.owner, server)).toHaveLength(1);
  expect((await fetch(url)).status).toBe(200);
  expect(await tool.end()).toBeLessThanOrEqual(4);

  await program(['retry', server, '--state', watching.orchestrator.state]);
  const limitOf = async (): Promise<number> => {
    const [container] = await containersOf(stage.engine, stage.owner, server);
    const said = await ask('GET', `/containers/${container?.Id}/json`);
    return (said as { readonly HostConfig: { readonly Memory: number } }).HostConfig.Memory;
  };
  await expect.poll(limitOf).toBe(2 ** 29);
  await watching.status.server(server, isReady);
});
