import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine, type PrivateEngine } from '../../examples/engine/engine.ts';
import { crash, hang } from '../../examples/stage/faults.ts';
import { isReady } from '../../examples/stage/status.ts';
import {
  allReady,
  behave,
  eventsOf,
  isOf,
  openTestStage,
  untilEvent,
  type TestStage,
} from '../support/stage.ts';

let engine: PrivateEngine;
let stage: TestStage;
beforeAll(async () => {
  engine = (await openEngine({ alwaysPrivate: true })) as PrivateEngine;
  stage = await openTestStage({ ...engine, stop: () => Promise.resolve() });
});
afterAll(async () => {
  await stage.close();
  await engine.stop();
});

test('the engine is restarted while three servers are sick: all are back, and nobody needs a person', async () => {
  const watching = await stage.watch();
  const names = ['a', 'b', 'c', 'd'].map(stage.name) as [string, string, string];
  const [a, b, c] = names;
  // Long enough that the restart comes in the middle.
  const slow = { recovery: { backoff_seconds: [40] } };
  const entries = ['a', 'b', 'c', 'd'].map((name) => stage.entry(name, slow));
  await allReady(watching, await stage.merge(entries), names);
  await behave(await watching.status.server(b, isReady), 'answer-503');
  await Promise.all([hang(stage, a), crash(stage, c)]);
  for (const name of [a, b, c]) await untilEvent(watching, isOf(name, 'server_down'));
  const { servers } = await watching.status.until('all looked at', (seen) => seen.servers.length === 4);
  const sick = servers.filter((server) => !isReady(server)).map(({ name }) => name);
  expect(sick.sort(), 'nobody was brought back before the restart').toEqual([a, b, c].sort());
  await engine.restartEngine();
  const isBack = (name: string): Promise<unknown> => watching.status.server(name, isReady, 90_000);
  await Promise.all(names.map(isBack));
  expect(await eventsOf(watching, 'recovery_exhausted')).toEqual([]);
  expect(await eventsOf(watching, 'version_quarantined')).toEqual([]);
  // The one that had ended by itself waits for its attempt; to start what the engine ended is nobody's.
  const tried = (await eventsOf(watching, 'recovery_started')).map(({ server_name: name }) => name);
  expect(tried).toEqual([c]);
  expect(await eventsOf(watching, 'view_suspected')).toEqual([]);
  for (const name of [a, b, c]) {
    const ids = (await eventsOf(watching, 'server_down', name)).map(({ incident_id: id }) => id);
    expect(new Set(ids).size, `${name} had one trouble`).toBe(1);
  }
});
