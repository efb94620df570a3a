import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import { entry, manifest, publish } from '../story/stories.ts';
import { openStage, type Stage, type StageOptions } from '../support/orchestrator.ts';

let stage: Stage | null = null;
afterEach(() => stage?.close());

async function running(options: StageOptions = {}): Promise<Stage> {
  stage = await openStage(options);
  publish(stage, '1.0.0', '1.1.0');
  await stage.commit(manifest({ a: entry('1.0.0') }));
  await stage.start();
  await stage.settled();
  return stage;
}

const statusOf = (at: Stage): ReturnType<Stage['orchestrator']>['intake']['status'] =>
  at.orchestrator().intake.status;

const lastOf = async (at: Stage, type: string): Promise<Record<string, unknown> | undefined> =>
  (await at.events()).filter(({ event_type }) => event_type === type).at(-1) as
    Record<string, unknown> | undefined;

describe('a manifest that is refused', () => {
  it('changes nothing, says why once, and the last good one stays in force', async () => {
    const at = await running();
    const before = at.engine.controls.writes;
    await at.commit('version: "1.1"\nservers: {}\n', { traceId: 'broken' });
    await at.pass(60_000);
    expect(statusOf(at)).toMatchObject({
      state: 'refused',
      error: expect.stringContaining('servers') as string,
    });
    expect(statusOf(at).attempted_revision).not.toBe(statusOf(at).applied_revision);
    const refusals = (await at.events()).filter(({ event_type }) => event_type === 'registry_read_failed');
    expect(refusals).toMatchObject([
      { trace_id: 'broken', details: { error: expect.stringContaining('servers') as string } },
    ]);
    expect(at.engine.controls.writes).toBe(before);
  });

  it('is forgotten when a good one follows', async () => {
    const at = await running();
    await at.commit('servers: 1\n');
    await at.commit(manifest({ a: entry('1.1.0') }));
    await at.settled();
    expect(statusOf(at)).toMatchObject({ state: 'synced', error: null });
  });
});

describe('a source that is away', () => {
  it('is said, and what runs is watched on; when it is back, it is said too', async () => {
    const at = await running();
    at.remote(new Failure('source_unreachable', 'no answer', { suggestedAction: 'Look at the network.' }));
    await at.pass(60_000);
    expect(statusOf(at)).toMatchObject({ state: 'unreachable', error: 'no answer (Look at the network.)' });
    expect(
      (await at.events()).filter(({ event_type }) => event_type === 'registry_read_failed'),
    ).toHaveLength(1);
    at.remote(null);
    await at.pass(20_000);
    expect(statusOf(at)).toMatchObject({ state: 'synced', error: null });
  });

  it('does not keep a start from bringing back what should run', async () => {
    const at = await running();
    await at.die();
    at.remote(new Failure('source_unreachable', 'no answer'));
    at.engine.controls.restartEngine();
    await at.start();
    await at.pass(30_000);
    expect(at.engine.controls.instances()).toMatchObject([{ server: 'a', state: 'running', joined: true }]);
  });
});

describe('what was found of the newest revision', () => {
  it.each([
    ['refused', 'servers: 1\n', false, 'missing'],
    ['rewind', manifest({ a: entry('1.1.0') }), true, '--allow-rewind'],
  ] as const)(
    'stays %s, with its reason, when the source was away in between',
    async (state, text, rewind, says) => {
      const at = await running();
      await at.commit(text, { rewind });
      at.remote(new Failure('source_unreachable', 'no answer'));
      await at.pass(20_000);
      expect(statusOf(at)).toMatchObject({ state: 'unreachable' });
      at.remote(null);
      await at.pass(20_000);
      expect(statusOf(at)).toMatchObject({ state, error: expect.stringContaining(says) as string });
    },
  );
});

it('a clone that finds no room is the source’s trouble, and the status says what to do', async () => {
  const at = await running();
  at.remote(new Failure('disk_full', 'the clone cannot be written', { suggestedAction: 'Free space.' }));
  await at.pass(20_000);
  expect(statusOf(at)).toMatchObject({
    state: 'unreachable',
    error: 'the clone cannot be written (Free space.)',
  });
});

describe('a history that was rewritten', () => {
  it('is refused as a rewind', async () => {
    const at = await running();
    await at.commit(manifest({ a: entry('1.1.0') }), { rewind: true });
    await at.pass(20_000);
    expect(statusOf(at)).toMatchObject({
      state: 'rewind',
      error: expect.stringContaining('--allow-rewind') as string,
    });
  });

  it('is taken when the operator allows it', async () => {
    const at = await running({ allowRewind: true });
    await at.commit(manifest({ a: entry('1.1.0') }), { rewind: true });
    await at.settled();
    expect(statusOf(at)).toMatchObject({ state: 'synced' });
  });
});

describe('the trace', () => {
  it('is the trailer of the commit, else the manifest says it, else it is made of the revision', async () => {
    const at = await running();
    const first = await lastOf(at, 'manifest_synced');
    expect(first?.['trace_id']).toBe(`manifest-${String(first?.['revision']).slice(0, 12)}`);
    await at.commit(`${manifest({ a: entry('1.1.0') })}trace_id: from-the-manifest\n`);
    expect(await lastOf(at, 'manifest_synced')).toMatchObject({ trace_id: 'from-the-manifest' });
    await at.commit(`${manifest({ a: entry('1.0.0') })}trace_id: from-the-manifest\n`, {
      traceId: 'trailer',
    });
    expect(await lastOf(at, 'manifest_synced')).toMatchObject({ trace_id: 'trailer', changed: ['a'] });
  });

  it('of a server is that of the revision that changed it', async () => {
    const at = await running();
    await at.commit(manifest({ a: entry('1.0.0'), b: entry('1.0.0') }), { traceId: 'adds-b' });
    await at.settled();
    const ready = (await at.events()).filter(({ event_type }) => event_type === 'server_ready');
    expect(ready.map(({ server_name, trace_id }) => [server_name, trace_id])).toEqual([
      ['a', expect.stringMatching(/^manifest-/) as string],
      ['b', 'adds-b'],
    ]);
  });
});

it('a newer revision supersedes one that has not settled', async () => {
  const at = await running();
  await at.commit(manifest({ a: entry('9.9.9') }));
  await at.clock.advance(0);
  await at.commit(manifest({ a: entry('1.1.0') }));
  await at.settled();
  const settled = (await at.events()).filter(({ event_type }) => event_type === 'revision_settled');
  expect(settled.at(-1)).toMatchObject({ outcome: 'applied' });
});
