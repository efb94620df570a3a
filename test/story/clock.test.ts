import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { digestOf, entry, manifest, publish } from './stories.ts';

const HOUR = 3_600_000;
let stage: Stage;
beforeEach(async () => {
  stage = await openStage({ inMemory: true });
});
afterEach(() => stage.close());

const eventsOf = async (type: string): Promise<Event[]> =>
  (await stage.events()).filter(({ event_type }) => event_type === type);

async function running(servers: readonly string[]): Promise<void> {
  publish(stage, '1.0.0');
  await stage.start();
  await stage.commit(manifest(Object.fromEntries(servers.map((name) => [name, entry('1.0.0')]))));
  await stage.settled();
  await stage.pass(40_000);
}

const liveOf = (server: string): string =>
  stage.engine.controls.instances().find((one) => one.server === server && one.joined)?.id ?? '';

/** Real seconds from one event to another, whatever the clock was set to in between. */
const between = (from: Event | undefined, to: Event | undefined, set: number): number =>
  ((to?.time_ms ?? NaN) - (from?.time_ms ?? NaN) - set) / 1_000;

describe.each([
  ['an hour forwards', HOUR],
  ['an hour backwards', -HOUR],
])('the clock is set %s', (_says, ms) => {
  it('while a candidate starts: it has as much time as ever, and is promoted', async () => {
    await running(['a']);
    publish(stage, '1.1.0');
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'refused' });
    await stage.commit(manifest({ a: entry('1.1.0') }));
    await stage.pass(5_000);
    stage.clock.set(ms);
    await stage.pass(10_000);
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'ok' });
    await stage.pass(120_000);
    expect(await eventsOf('version_quarantined')).toEqual([]);
    expect(await eventsOf('server_down')).toEqual([]);
    expect(await eventsOf('update_completed')).toHaveLength(2);
  });

  it('while a candidate starts that is bad: it is set aside all the same', async () => {
    await running(['a']);
    publish(stage, '1.1.0');
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
    await stage.commit(manifest({ a: entry('1.1.0') }));
    await stage.pass(5_000);
    stage.clock.set(ms);
    await stage.pass(70_000);
    expect(await eventsOf('version_quarantined')).toMatchObject([{ gate: 'health' }]);
  });

  it('in a drain: the old one stays as long as ever', async () => {
    await running(['a']);
    publish(stage, '1.1.0');
    const times =
      'update: { min_healthy_seconds: 2, healthy_deadline_seconds: 30, soak_seconds: 20, drain_min_seconds: 70, drain_timeout_seconds: 100 }';
    await stage.commit(manifest({ a: entry('1.1.0', times) }));
    await stage.pass(8_000);
    const [began] = await eventsOf('drain_started');
    expect(began).toBeDefined();
    stage.clock.set(ms);
    await stage.pass(50_000);
    expect(await eventsOf('drain_completed')).toEqual([]);
    await stage.pass(100_000);
    const [ended] = await eventsOf('drain_completed');
    expect(between(began, ended, ms)).toBeGreaterThanOrEqual(70);
    expect(between(began, ended, ms)).toBeLessThanOrEqual(130);
  });

  it('in a backoff: attempts go on, none is skipped, and each has its time', async () => {
    await running(['a']);
    stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'down' });
    await stage.pass(12_000);
    expect(await eventsOf('recovery_started')).toHaveLength(1);
    stage.clock.set(ms);
    await stage.pass(60_000);
    const attempts = await eventsOf('recovery_started');
    expect(attempts.slice(0, 2)).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
    expect(between(attempts[0], attempts[1], ms)).toBeGreaterThan(25);
    expect(between(attempts[0], attempts[1], ms)).toBeLessThan(70);
  });

  it('while our view is doubted: nobody is restarted for it', async () => {
    const names = ['a', 'b', 'c', 'd'];
    await running(names);
    for (const name of names) stage.engine.controls.hang(liveOf(name));
    await stage.pass(20_000);
    expect(await eventsOf('view_suspected')).toHaveLength(1);
    stage.clock.set(ms);
    await stage.pass(15_000);
    expect(await eventsOf('recovery_started')).toEqual([]);
  });
});

it('set forwards and back again, it ends a drain when that is over', async () => {
  await running(['a']);
  publish(stage, '1.1.0');
  stage.clock.set(HOUR);
  await stage.pass(5_000);
  await stage.commit(manifest({ a: entry('1.1.0') }));
  while ((await eventsOf('drain_started')).length === 0) await stage.pass(500);
  stage.clock.set(-HOUR);
  await stage.pass(60_000);
  expect(await eventsOf('drain_completed')).toHaveLength(1);
  expect(await eventsOf('update_completed')).toHaveLength(2);
});
