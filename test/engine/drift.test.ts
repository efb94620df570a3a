import { afterAll, beforeAll, expect, test } from 'vitest';
import { askEngine } from '../../examples/engine/engine-call.ts';
import { containersOf, removeContainer } from '../../examples/stage/containers.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { isReady } from '../../examples/stage/status.ts';
import { startContainer } from '../support/running-container.ts';
import { allReady, openTestStage, untilEvent, type TestStage } from '../support/stage.ts';

let stage: TestStage;
let watching: Watching;
const byHandTo = ['removed', 'stopped', 'killed', 'renamed', 'limited'] as const;
/** Container ids before anybody laid hands on them. */
const before = new Map<string, string>();

beforeAll(async () => {
  stage = await openTestStage();
  watching = await stage.watch();
  const names = byHandTo.map(stage.name);
  await allReady(watching, await stage.merge(byHandTo.map((short) => stage.entry(short))), names);
  for (const { Id, Names } of await containersOf(stage.engine, stage.owner)) before.set(Names[0] ?? '', Id);
});
afterAll(() => stage.close());

const byHand = (id: string, action: string, body: object = {}): Promise<unknown> =>
  askEngine(stage.engine.docker.socket, `/containers/${id}/${action}`, {
    method: 'POST',
    body: JSON.stringify(body),
    deadlineMs: 60_000,
  });

test.each<[(typeof byHandTo)[number], (id: string) => Promise<unknown>]>([
  ['removed', (id) => removeContainer(stage.engine, id)],
  ['stopped', (id) => byHand(id, 'stop?t=0')],
  ['killed', (id) => byHand(id, 'kill')],
  ['renamed', (id) => byHand(id, `rename?name=${stage.name('by-hand')}`)],
  ['limited', (id) => byHand(id, 'update', { Memory: 2 ** 28, MemorySwap: 2 ** 28 })],
])('a container that is %s by hand is noticed within a second', async (short, disturb) => {
  const server = stage.name(short);
  const [container] = await containersOf(stage.engine, stage.owner, server);
  const started = Date.now();
  await disturb(container?.Id ?? '');
  const done = Date.now();
  const noticed = await untilEvent(
    watching,
    ({ server_name, time_ms, event_type }) =>
      server_name === server && time_ms >= started && event_type !== 'update_completed',
  );
  expect(noticed.time_ms - done).toBeLessThan(1_000);
});

test('and all of them are put right', async () => {
  const isRight = async (): Promise<boolean> => {
    const containers = await containersOf(stage.engine, stage.owner);
    const named = containers.every(({ Names }) => !Names[0]?.includes('by-hand'));
    return containers.length === 5 && named && containers.every(({ State }) => State === 'running');
  };
  await expect.poll(isRight, { interval: 200 }).toBe(true);
  const { servers } = await watching.status.until('all ready', (seen) => seen.servers.every(isReady));
  for (const { url } of servers) expect((await fetch(`${url}/health`)).status).toBe(200);
  const limited = await containersOf(stage.engine, stage.owner, stage.name('limited'));
  expect([...before.values()]).not.toContain(limited[0]?.Id);
});

test("a stranger's container with our name is reported and never touched", async () => {
  const image = `127.0.0.1:${stage.engine.registry.port}/liminalcommons/the-server:1.0.0`;
  const stranger = await startContainer(stage.engine, { image });
  const [held, free] = [stage.name('held'), stage.name('free')];
  try {
    await byHand(stranger.id, `rename?name=${held}`);
    const entries = [...byHandTo, 'held', 'free'].map((short) => stage.entry(short));
    await stage.merge(entries);
    const record = await watching.status.server(held, ({ phase }) => phase === 'held');
    expect(record.reason).toBe('foreign_container');
    expect(record.suggested_action).toMatch(/\w+/);
    await watching.status.server(free, isReady);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const { text } = await askEngine(stage.engine.docker.socket, `/containers/${stranger.id}/json`);
    expect(JSON.parse(text)).toMatchObject({ Name: `/${held}`, State: { Running: true } });
    await stranger.remove();
    await watching.status.server(held, isReady);
  } finally {
    await stranger.remove().catch(() => undefined); // the test itself removes it on its way
  }
});
