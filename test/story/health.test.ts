import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judge, type Incidents } from '../../src/notify/incident.ts';
import { openNotifier } from '../../src/notify/index.ts';
import type { Event } from '../../src/model/event.ts';
import { silentLog } from '../../src/lib/log.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { digestOf, entry, manifest, publish } from './stories.ts';

const HOUR = 3_600_000;
let stage: Stage;
beforeEach(async () => {
  stage = await openStage({ inMemory: true });
});
afterEach(() => stage.close());

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `s${index}`);

/** So many servers, ready and proven. */
async function running(servers: readonly string[], more = ''): Promise<void> {
  publish(stage, '1.0.0');
  await stage.start();
  await stage.commit(manifest(Object.fromEntries(servers.map((name) => [name, entry('1.0.0', more)]))));
  await stage.settled();
  await stage.pass(40_000);
}

function liveOf(server: string): string {
  const found = stage.engine.controls.instances().find((one) => one.server === server && one.joined);
  if (found === undefined) throw new Error(`nothing of ${server} is live`);
  return found.id;
}

const eventsOf = async (type: string, server?: string): Promise<Event[]> =>
  (await stage.events()).filter(
    ({ event_type, server_name }) => event_type === type && (server === undefined || server_name === server),
  );

const healthOf = (server: string): string =>
  stage.published().world.pulses[liveOf(server)]?.state ?? 'unknown';

/** What people would be told of servers, in order. */
async function heard(): Promise<string[]> {
  let open: Incidents = {};
  return (await stage.events()).flatMap((event) => {
    const judged = judge(open, event);
    open = judged.open;
    return judged.notice?.server == null ? [] : [`${judged.notice.kind} ${event.event_type}`];
  });
}

describe('an incident', () => {
  it('has one id from the fall to the recovery, and says attempt and seconds down all the way', async () => {
    await running(['a']);
    stage.engine.controls.crash(liveOf('a'), 1);
    await stage.pass(10_000);
    const told = (await stage.events()).filter((event) => 'incident_id' in event);
    expect(told.map(({ event_type }) => event_type)).toEqual([
      'server_down',
      'recovery_started',
      'server_healthy',
      'recovery_successful',
    ]);
    expect(new Set(told.map((event) => ('incident_id' in event ? event.incident_id : '')))).toHaveLength(1);
    expect(told[0]).toMatchObject({ attempt: 0, seconds_down: 0, seconds_to_detect: 0 });
    expect(told[1]).toMatchObject({ attempt: 1, seconds_down: 1, strategy: 'restart' });
    expect(told[2]).toMatchObject({ attempt: 1, seconds_down: 2 });
    expect(told[3]).toMatchObject({ attempts: 1, seconds_down: 2 });
  });

  it('of a hang is seen by asking sooner after the first failure, and says how long it took', async () => {
    await running(['a']);
    const before = stage.clock.now();
    stage.engine.controls.hang(liveOf('a'));
    await stage.pass(20_000);
    const [down] = await eventsOf('server_down');
    expect(down).toMatchObject({ reason: '3_consecutive_failures' });
    // At most the interval of 5 s and two suspect intervals of 1 s.
    expect((down?.time_ms ?? 0) - before).toBeLessThanOrEqual(7_000);
    expect(down).toHaveProperty(
      'seconds_to_detect',
      expect.toSatisfy((it: number) => it > 0 && it <= 7),
    );
  });

  it('is over when the next one begins: ids are not used twice', async () => {
    await running(['a']);
    for (const code of [1, 2]) {
      stage.engine.controls.crash(liveOf('a'), code);
      await stage.pass(60_000);
    }
    const downs = await eventsOf('server_down');
    expect(new Set(downs.map((event) => ('incident_id' in event ? event.incident_id : '')))).toHaveLength(2);
  });

  it('of a new version that falls before it answers is none of the server', async () => {
    await running(['a']);
    publish(stage, '1.1.0');
    stage.engine.controls.behave(digestOf('1.1.0'), { exitsAfterMs: 500 });
    await stage.commit(manifest({ a: entry('1.1.0') }));
    await stage.pass(60_000);
    const downs = await eventsOf('server_down');
    expect(downs.length).toBeGreaterThan(0);
    for (const down of downs) expect(down).not.toHaveProperty('incident_id');
  });
});

describe('how it ended is told apart', () => {
  it('an exit 0, an exit for want of memory and a stop by a person', async () => {
    await running(['a', 'b', 'c', 'd', 'e'], 'restart_policy: unless-stopped');
    stage.engine.controls.crash(liveOf('a'), 0);
    stage.engine.controls.crash(liveOf('b'), 137, { oomKilled: true });
    stage.engine.controls.stopByHand(liveOf('c'));
    await stage.pass(60_000);
    expect((await eventsOf('server_down', 'a'))[0]).toMatchObject({
      reason: 'exited_0',
      by: 'itself',
      exit_code: 0,
    });
    expect((await eventsOf('server_down', 'b'))[0]).toMatchObject({
      reason: 'oom_killed',
      by: 'itself',
      oom: true,
    });
    expect((await eventsOf('server_down', 'c'))[0]).toMatchObject({ by: 'person', exit_code: 143 });
    expect(await eventsOf('server_stopped', 'c')).toMatchObject([{ by: 'person' }]);
    const phases = Object.fromEntries(
      stage.engine.controls.instances().map(({ server, state }) => [server, state]),
    );
    expect(phases).toEqual({ a: 'running', b: 'running', c: 'exited', d: 'running', e: 'running' });
  });
});

describe('a server that never comes back', () => {
  it('is tried three times, then once per slow retry, and never in a storm', async () => {
    await running(['a']);
    stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'down' });
    await stage.pass(10 * 60_000);
    const attempts = await eventsOf('recovery_started');
    expect(attempts.slice(0, 3)).toMatchObject([
      { attempt: 1, strategy: 'restart' },
      { attempt: 2, strategy: 'restart' },
      { attempt: 3, strategy: 'recreate' },
    ]);
    expect(await eventsOf('recovery_exhausted')).toMatchObject([{ attempts: 3, requires_manual: true }]);
    const slow = attempts.slice(3).map(({ time_ms }) => time_ms);
    expect(slow.length).toBeGreaterThan(2);
    for (const [index, time] of slow.slice(1).entries())
      expect(time - (slow[index] ?? 0)).toBeGreaterThanOrEqual(60_000);
  });

  it.each([
    ['at once', 500],
    ['after a moment of health', 3_000],
    ['after some health', 15_000],
  ])(
    'says once that it needs a person, though each slow retry ends %s, over a death of ours',
    async (_says, ms) => {
      await running(['a']);
      stage.engine.controls.behave(digestOf('1.0.0'), { exitsAfterMs: ms });
      stage.engine.controls.crash(liveOf('a'), 1);
      await stage.pass(HOUR / 2);
      await stage.die();
      await stage.start();
      await stage.pass(HOUR / 2);
      expect((await eventsOf('recovery_started')).length).toBeGreaterThan(50);
      expect(await eventsOf('recovery_exhausted')).toMatchObject([{ attempts: 3, requires_manual: true }]);
    },
  );

  it('says so anew when its attempts count from one again', async () => {
    await running(['a']);
    const falls = async (): Promise<number> => {
      stage.engine.controls.behave(digestOf('1.0.0'), { exitsAfterMs: 3_000 });
      stage.engine.controls.crash(liveOf('a'), 1);
      await stage.pass(HOUR / 6);
      return (await eventsOf('recovery_exhausted')).length;
    };
    expect(await falls()).toBe(1);
    stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'ok' });
    await stage.pass(HOUR / 2);
    expect(healthOf('a')).toBe('healthy');
    expect(await falls()).toBe(2);
    await stage.commit(manifest({ a: entry('1.0.0', 'restart_token: "2"') }));
    await stage.pass(HOUR / 6);
    expect((await eventsOf('recovery_exhausted')).length).toBe(3);
  });

  it('comes back by itself when its health does', async () => {
    await running(['a']);
    stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'down' });
    await stage.pass(5 * 60_000);
    stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'ok' });
    await stage.pass(2 * 60_000);
    expect(healthOf('a')).toBe('healthy');
    expect((await eventsOf('recovery_successful')).length).toBe(1);
  });
});

describe('many at once', () => {
  it('all cut off: it is our view that is doubted, and nobody is restarted', async () => {
    await running(names(5));
    for (const name of names(5)) stage.engine.controls.hang(liveOf(name));
    await stage.pass(30_000);
    expect(await eventsOf('view_suspected')).toHaveLength(1);
    expect(await eventsOf('recovery_started')).toEqual([]);
    for (const name of names(5)) stage.engine.controls.behave(liveOf(name), { answers: 'ok' });
    await stage.pass(30_000);
    expect(await eventsOf('view_cleared')).toHaveLength(1);
    expect(await eventsOf('recovery_started')).toEqual([]);
    for (const name of names(5)) expect(healthOf(name)).toBe('healthy');
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'and our own death does not heal it, %i s later: nobody is restarted because it is asked first',
    async (seconds) => {
      await running(names(5));
      for (const name of names(5)) stage.engine.controls.hang(liveOf(name));
      await stage.pass(20_000 + seconds * 1_000);
      await stage.die();
      await stage.start();
      await stage.pass(50_000);
      expect(await eventsOf('view_suspected')).toHaveLength(1);
      expect(await eventsOf('view_cleared')).toEqual([]);
      expect(await eventsOf('recovery_started')).toEqual([]);
    },
  );

  it('an engine that starts again is no reason to doubt our view, and no trouble of any server', async () => {
    await running(names(4));
    stage.engine.controls.behave(digestOf('1.0.0'), { answersAfterMs: 4_000 });
    stage.engine.controls.restartEngine();
    await stage.pass(60_000);
    expect(await eventsOf('view_suspected')).toEqual([]);
    expect(await eventsOf('recovery_started')).toEqual([]);
    expect(await heard()).toEqual([]);
    expect(names(4).map(healthOf)).toEqual(Array.from({ length: 4 }, () => 'healthy'));
  });

  it('a sick server delays no other: while one is restarted for ever, another is back in seconds', async () => {
    await running(names(10));
    stage.engine.controls.takes('restart', Infinity);
    stage.engine.controls.crash(liveOf('s0'), 1);
    await stage.pass(5_000);
    stage.engine.controls.takes('restart', 0);
    stage.engine.controls.crash(liveOf('s1'), 1);
    await stage.pass(5_000);
    expect((await eventsOf('recovery_successful', 's1')).length).toBe(1);
    expect(await eventsOf('recovery_successful', 's0')).toEqual([]);
  });

  it('at most a fifth of them has an attempt in flight', async () => {
    await running(names(10));
    for (const name of names(4)) stage.engine.controls.crash(liveOf(name), 1);
    await stage.pass(1_500);
    expect((await eventsOf('recovery_started')).length).toBeLessThanOrEqual(2);
  });
});

describe('the clock is set', () => {
  const cases = [
    ['an hour forwards', HOUR],
    ['an hour backwards', -HOUR],
  ] as const;

  it.each(cases)('%s: what is well stays well, and nothing is done', async (_says, ms) => {
    await running(names(3));
    const deeds = stage.engine.controls.writes;
    stage.clock.set(ms);
    await stage.pass(60_000);
    expect(stage.engine.controls.writes).toBe(deeds);
    expect(await eventsOf('server_down')).toEqual([]);
    expect(names(3).map(healthOf)).toEqual(['healthy', 'healthy', 'healthy']);
  });

  it.each(cases)('%s: a crash and a hang after it are recovered as ever', async (_says, ms) => {
    await running(names(5));
    stage.clock.set(ms);
    await stage.pass(2_000);
    stage.engine.controls.crash(liveOf('s0'), 1);
    await stage.pass(10_000);
    stage.engine.controls.hang(liveOf('s1'));
    await stage.pass(9_000);
    stage.engine.controls.behave(liveOf('s1'), { answers: 'ok' });
    await stage.pass(30_000);
    expect(await eventsOf('server_down', 's0')).toHaveLength(1);
    expect(await eventsOf('recovery_successful', 's0')).toHaveLength(1);
    expect(await eventsOf('recovery_successful', 's1')).toHaveLength(1);
    expect(names(5).map(healthOf)).toEqual(Array.from({ length: 5 }, () => 'healthy'));
    expect((await stage.events()).length).toBeLessThan(150);
  });

  it.each(cases)('%s in the middle of an incident: it is recovered all the same', async (_says, ms) => {
    await running(names(3));
    stage.engine.controls.crash(liveOf('s0'), 1);
    await stage.pass(500);
    stage.clock.set(ms);
    await stage.pass(30_000);
    expect(await eventsOf('recovery_successful', 's0')).toHaveLength(1);
    expect(healthOf('s0')).toBe('healthy');
    expect((await stage.events()).length).toBeLessThan(120);
  });

  it.each(cases)('%s in the middle of an upgrade: it ends, and drops nobody at once', async (_says, ms) => {
    await running(['a']);
    publish(stage, '1.1.0');
    await stage.commit(manifest({ a: entry('1.1.0') }));
    await stage.pass(4_000);
    stage.clock.set(ms);
    await stage.pass(120_000);
    expect(await eventsOf('update_completed', 'a')).toHaveLength(2);
    expect(await eventsOf('version_quarantined')).toEqual([]);
    const live = stage.engine.controls.instances().filter(({ joined }) => joined);
    expect(live.map(({ spec }) => spec?.settings.version)).toEqual(['1.1.0']);
  });

  it('an hour backwards while we were away: waits do not last that hour longer', async () => {
    await running(['a']);
    stage.engine.controls.crash(liveOf('a'), 1);
    await stage.pass(500);
    await stage.die();
    stage.clock.set(-HOUR);
    await stage.start();
    await stage.pass(30_000);
    expect(await eventsOf('recovery_successful', 'a')).toHaveLength(1);
  });
});

describe('people', () => {
  it('are told once when it falls, once when it needs them, and once when it is back, over deaths of ours', async () => {
    const said: string[] = [];
    const log = {
      ...silentLog,
      warn: (fields: object, text: string) => said.push(`${JSON.stringify(fields)} ${text}`),
    };
    await stage.close();
    stage = await openStage({
      wrap: (rooms) => ({
        ...rooms,
        notifier: {
          tell: (event) => notifier.tell(event),
          recall: () => undefined,
          close: () => Promise.resolve(),
        },
      }),
    });
    const notifier = await openNotifier({
      file: { channels: { ops: { log: {} } }, default: ['ops'] },
      folder: `${stage.directory}/outbox`,
      ...{
        channelOf: () => null,
        clock: stage.clock,
        random: () => 0,
        newId: () => String(said.length),
        log,
      },
    });
    await running(['a']);
    stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'down' });
    await stage.pass(60_000);
    await stage.die();
    await stage.start();
    await stage.pass(300_000);
    stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'ok' });
    await stage.pass(120_000);
    await notifier.close();
    const kinds = said
      .filter((line) => line.includes('"server":"a"'))
      .map((line) => /"kind":"(\w+)"/.exec(line)?.[1]);
    expect(kinds).toEqual(['opened', 'escalated', 'resolved']);
  });
});
