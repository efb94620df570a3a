import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event, EventType } from '../../src/model/event.ts';
import { Failure } from '../../src/model/failure.ts';
import { toStatus } from '../../src/plan/describe.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { digestOf, entry, manifest, publish } from './stories.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage({ inMemory: true });
  publish(stage, '1.0.0', '1.1.0');
  await stage.commit(manifest({ a: entry('1.0.0') }));
  await stage.start();
  await stage.settled();
  await stage.pass(60_000);
});
afterEach(() => stage.close());

const live = (): string => stage.engine.controls.instances().find(({ joined }) => joined)?.id ?? '';

/** 1.1.0 answers and soaks. */
async function upgraded(more = ''): Promise<void> {
  await stage.commit(manifest({ a: entry('1.1.0', more) }));
  await stage.settled();
  await stage.pass(13_000);
}

const all = async <T extends EventType>(type: T): Promise<readonly Event<T>[]> =>
  (await stage.events()).filter(({ event_type }) => event_type === type) as unknown as readonly Event<T>[];

function record() {
  const { world, plan, inHand, progress } = stage.published();
  const source = stage.orchestrator().intake.status;
  const { servers } = toStatus(world, plan, { source, inHand, progress, advertise: null });
  return servers[0];
}

const image = (version: string): string => `docker.io/liminalcommons/server@${digestOf(version)}`;

function never(verb: 'pull' | 'create' | 'start' | 'restart', failure: Failure): void {
  for (let n = 0; n < 1_000; n += 1) stage.engine.controls.failNext(verb, failure);
}

describe('a version that fails', () => {
  it('says which gate it did not pass, once, and the way back has the id of its rollout', async () => {
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
    await stage.commit(manifest({ a: entry('1.1.0') }));
    await stage.settled();
    await stage.pass(60_000);
    const [{ rollout_id: id } = { rollout_id: '' }] = (await all('update_started')).slice(-1);
    const told = (await stage.events()).filter(({ event_type: type }) =>
      /^(update_gate_failed|version_quarantined|update_failed|rollback_\w+)$/.test(type),
    );
    expect(told.map((one) => one.event_type)).toEqual([
      'update_gate_failed',
      'version_quarantined',
      'update_failed',
      'rollback_started',
      'rollback_completed',
    ]);
    expect(told.map((one) => 'rollout_id' in one && one.rollout_id)).toEqual(told.map(() => id));
    const [verdict] = await all('version_quarantined');
    expect(verdict?.evidence).toMatchObject({ reason: 'down', answers: Array(5).fill('down') });
  });

  it('is brought back, and not set aside, while the one before cannot be had', async () => {
    await upgraded();
    for (const { id, joined } of stage.engine.controls.instances())
      if (!joined) stage.engine.controls.removeByHand(id);
    stage.engine.controls.removeImageByHand(image('1.0.0'));
    never('pull', new Failure('registry_unreachable', 'the registry is away'));
    stage.engine.controls.crash(live(), 1);
    await stage.pass(30_000);
    expect(await all('version_quarantined')).toEqual([]);
    expect(await all('recovery_successful')).toHaveLength(1);
    expect(live()).not.toBe('');
  });

  it('says that it is left as it is where its entry says rollback_on_failure: false', async () => {
    await upgraded('rollback_on_failure: false');
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
    await stage.pass(8_000);
    const [failed] = await all('update_gate_failed');
    expect(failed).toMatchObject({ gate: 'soak', code: 'rollback_off', version: '1.1.0' });
    expect(failed?.error).toContain('rollback_on_failure is false');
    expect(record()).toMatchObject({ reason: 'rollback_off', version: '1.1.0' });
    expect(record()?.suggested_action).toContain('rollback_on_failure');
  });
});

describe('a server that has to be made anew', () => {
  it('needs a person when its image is gone from here and from the registry', async () => {
    stage.engine.controls.hang(live());
    never('restart', new Failure('engine_refused', 'not now'));
    stage.engine.controls.removeImageByHand(image('1.0.0'));
    never('pull', new Failure('image_not_found', 'the registry does not have it'));
    await stage.pass(180_000);
    expect(await all('recovery_exhausted')).toMatchObject([{ attempts: 3, requires_manual: true }]);
    expect(record()).toMatchObject({ recovery: { requires_manual: true } });
  });

  it('comes back by itself when it can be made again', async () => {
    stage.engine.controls.hang(live());
    for (let n = 0; n < 6; n += 1)
      stage.engine.controls.failNext('create', new Failure('network_missing', 'no network'));
    await stage.pass(400_000);
    expect(await all('recovery_exhausted')).toHaveLength(1);
    expect(await all('recovery_successful')).toHaveLength(1);
    expect(record()).toMatchObject({ health: 'healthy', recovery: { requires_manual: false } });
  });
});

it('a restart that stops and does not start counts as an attempt, and the next one follows', async () => {
  stage.engine.controls.hang(live());
  const lost = new Failure('network_missing', 'the network is gone');
  const victim = live();
  const meanwhile = (): void => stage.engine.controls.crash(victim, 137);
  stage.engine.controls.failNext('restart', lost, { meanwhile });
  never('start', lost);
  await stage.pass(300_000);
  expect((await all('recovery_started')).map(({ attempt }) => attempt).slice(0, 3)).toEqual([1, 2, 3]);
  expect(record()).toMatchObject({ health: 'healthy' });
});

it('an engine that was away for long is looked at as soon as it is back', async () => {
  stage.engine.controls.stopEngine();
  await stage.pass(200_000);
  stage.engine.controls.startEngine();
  const backAt = stage.clock.now();
  await stage.pass(5_000);
  const [started] = (await all('server_started')).slice(-1);
  expect((started?.time_ms ?? Infinity) - backAt).toBeLessThan(1_000);
});
