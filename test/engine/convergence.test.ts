import { afterEach, beforeEach, expect, test } from 'vitest';
import { containersOf } from '../../examples/stage/containers.ts';
import { runArguments } from '../../examples/stage/orchestrator.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { program } from '../support/program.ts';
import {
  allReady,
  eventsOf,
  openTestStage,
  theServer,
  untilEvent,
  type TestStage,
} from '../support/stage.ts';

let stage: TestStage;
beforeEach(async () => {
  stage = await openTestStage();
});
afterEach(() => stage.close());

test('a push becomes running servers in dependency order, and the trace of the commit is on all of it', async () => {
  const watching = await stage.watch();
  const [a, b] = [stage.name('a'), stage.name('b')];
  const revision = await stage.merge([stage.entry('b', { depends_on: [a] }), stage.entry('a')], {
    traceId: 'first-merge',
  });
  await allReady(watching, revision, [a, b]);
  const ready = await eventsOf(watching, 'server_ready');
  expect(ready.map(({ server_name }) => server_name)).toEqual([a, b]);
  expect(ready.map(({ trace_id }) => trace_id)).toEqual(['first-merge', 'first-merge']);
  const settled = await untilEvent(watching, ({ event_type }) => event_type === 'revision_settled');
  expect(settled).toMatchObject({ revision, outcome: 'applied', servers_failed: [] });
});

test('a second run finds nothing to do: it makes no write to the engine', async () => {
  const tap = await EngineProxy.open(stage.engine.docker.socket);
  try {
    await stage.merge([stage.entry('a'), stage.entry('b'), stage.entry('c')]);
    const order = { ...stage, manifest: stage.repository.url, dockerSocket: tap.socket };
    const args = [...runArguments(order, `${stage.folder}/state`), '--once'];
    expect(await program(args)).toMatchObject({ code: 0 });
    expect(tap.writes).not.toEqual([]);
    tap.calls.length = 0;
    expect(await program(args)).toMatchObject({ code: 0 });
    expect(tap.writes).toEqual([]);
  } finally {
    await tap.close();
  }
});

test('`run --once` settles, prints every server, and its exit code says whether all is as desired', async () => {
  await theServer(stage.engine, '1.0.1', 'exit-at-once');
  const args = runArguments({ ...stage, manifest: stage.repository.url }, `${stage.folder}/state`);
  await stage.merge([stage.entry('a')]);
  const good = await program([...args, '--once']);
  expect(good).toMatchObject({ code: 0 });
  expect(good.stdout).toContain(stage.name('a'));
  await stage.merge([stage.entry('a'), stage.entry('bad', {}, '1.0.1')]);
  const bad = await program([...args, '--once', '--timeout', '15s']);
  expect(bad).toMatchObject({ code: 1 });
  expect(bad.stdout).toMatch(new RegExp(`${stage.name('bad')}.*`));
  await stage.repository.commit({ subject: 'Break it', files: { 'ecosystem-manifest.yaml': 'servers: [' } });
  expect(await program([...args, '--once'])).toMatchObject({ code: 3 });
});

test('a second orchestrator on the same state, or with the same owner, ends and names the first', async () => {
  await stage.merge([stage.entry('a')]);
  const { orchestrator } = await stage.watch();
  const order = { ...stage, manifest: stage.repository.url };
  const sameState = await program(runArguments({ ...order, owner: 'somebody-else' }, orchestrator.state));
  expect(sameState.code).toBe(4);
  expect(sameState.stderr).toContain(String(orchestrator.pid));
  const sameOwner = await program(runArguments(order, `${stage.folder}/other-state`));
  expect(sameOwner.code).toBe(4);
  expect(sameOwner.stderr).toContain(String(orchestrator.pid));
});

test('`desired_state: stopped` stays stopped, and `running` starts it again', async () => {
  const watching = await stage.watch();
  const a = stage.name('a');
  await allReady(watching, await stage.merge([stage.entry('a')]), [a]);
  await stage.merge([stage.entry('a', { desired_state: 'stopped' })]);
  await watching.status.server(a, ({ phase }) => phase === 'stopped');
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect((await containersOf(stage.engine, stage.owner)).map(({ State }) => State)).toEqual(['exited']);
  await allReady(watching, await stage.merge([stage.entry('a')]), [a]);
});

test('a changed restart_token makes a new container of the same version, once', async () => {
  const watching = await stage.watch();
  const a = stage.name('a');
  await allReady(watching, await stage.merge([stage.entry('a')]), [a]);
  const [before] = await containersOf(stage.engine, stage.owner);
  await allReady(watching, await stage.merge([stage.entry('a', { restart_token: 'again' })]), [a]);
  await expect.poll(() => eventsOf(watching, 'server_ready', a)).toHaveLength(2);
  await expect.poll(() => containersOf(stage.engine, stage.owner)).toHaveLength(1);
  const [after] = await containersOf(stage.engine, stage.owner);
  expect(after?.Id).not.toBe(before?.Id);
  await watching.status.server(a, ({ version, endpoints }) => version === '1.0.0' && endpoints.length === 1);
});
