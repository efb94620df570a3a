import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openEngine, type PrivateEngine } from '../../examples/engine/engine.ts';
import { containersOf } from '../../examples/stage/containers.ts';
import { readEvents } from '../../examples/stage/events.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { allReady, openTestStage, type TestStage } from '../support/stage.ts';

let engine: PrivateEngine;
let stage: TestStage;
let watching: Watching;
let names: string[];
let ids: string[];

beforeAll(async () => {
  engine = (await openEngine({ alwaysPrivate: true })) as PrivateEngine;
});
afterAll(() => engine.stop());

beforeEach(async () => {
  stage = await openTestStage({ ...engine, stop: () => Promise.resolve() });
  names = ['a', 'b', 'c'].map(stage.name);
  watching = await stage.watch();
  const [a, b] = names;
  const revision = await stage.merge([
    stage.entry('c', { depends_on: [b] }),
    stage.entry('b', { depends_on: [a] }),
    stage.entry('a'),
  ]);
  await allReady(watching, revision, names);
  ids = await running();
});
afterEach(() => stage.close());

const running = async (): Promise<string[]> =>
  (await containersOf(engine, stage.owner))
    .filter(({ State }) => State === 'running')
    .map(({ Id }) => Id)
    .sort();

/** They run again, and nobody was blamed. */
async function upAgain(now: Watching, since: number): Promise<void> {
  await expect.poll(running, { interval: 200 }).toEqual(ids);
  const { servers } = await now.status.until('all healthy', (seen) =>
    names.every((name) => seen.servers.some((one) => one.name === name && one.health === 'healthy')),
  );
  expect(servers.map(({ recovery }) => recovery.attempts)).toEqual([0, 0, 0]);
  const events = (await readEvents(now.orchestrator.eventsFile)).filter(({ time_ms }) => time_ms >= since);
  expect(events.filter(({ event_type }) => /recovery|quarantined|failed$/.test(event_type))).toEqual([]);
  const started = events.filter(({ event_type }) => event_type === 'server_starting');
  expect(started.map(({ server_name }) => server_name)).toEqual(names);
}

test('the engine is restarted under us: what should run is started again at once, in dependency order', async () => {
  const since = Date.now();
  await engine.restartEngine();
  const back = Date.now();
  await upAgain(watching, since);
  expect(Date.now() - back).toBeLessThan(60_000);
});

test('after a reboot, in which engine and orchestrator end, everything is as before', async () => {
  await watching.orchestrator.stop();
  const since = Date.now();
  await engine.restartEngine();
  await upAgain(await stage.watch(), since);
});

test('the engine is away for a while: we say so, and go on when it is back', async () => {
  await engine.killEngine();
  const self = async (): Promise<string> => (await fetch(`${watching.url}/health`)).text();
  await expect.poll(self).toMatch(/"engine": ?"(down|degraded)"/);
  await engine.startEngine();
  await expect.poll(self).toMatch(/"engine": ?"ok"/);
  await expect.poll(running).toHaveLength(3);
});
