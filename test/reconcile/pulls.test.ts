import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.ts';
import { Failure } from '../../src/model/failure.ts';
import { digestOf, entry, manifest, publish } from '../story/stories.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage({ inMemory: true });
});
afterEach(() => stage.close());

const SECOND = 1_000;
const away = new Failure('registry_unreachable', 'the registry is away');

async function runsOn(version: string, ...servers: readonly string[]): Promise<void> {
  publish(stage, version);
  await stage.commit(manifest(Object.fromEntries(servers.map((name) => [name, entry(version)]))));
  await stage.start();
  await stage.settled();
  await stage.pass(60 * SECOND);
}

const live = (server: string): string =>
  stage.engine.controls.instances().find((one) => one.server === server && one.joined)?.id ?? '';

/** Seconds from `since` to the first such event of a server; Infinity: there is none. */
async function secondsTo(type: Event['event_type'], server: string, since: number): Promise<number> {
  const found = (await stage.events()).find(
    (one) => one.event_type === type && one.server_name === server && one.time_ms >= since,
  );
  return found === undefined ? Infinity : (found.time_ms - since) / SECOND;
}

async function failedPulls(count: number): Promise<void> {
  for (let n = 0; n <= count; n += 1) stage.engine.controls.failNext('pull', away);
  await stage.commit(manifest({ a: entry('1.1.0') }));
  const failed = async (): Promise<number> =>
    (await stage.events()).filter(({ event_type: type }) => type === 'update_gate_failed').length;
  while ((await failed()) < count) await stage.pass(500);
}

describe('while an image is on its way', () => {
  beforeEach(async () => {
    await runsOn('1.0.0', 'a');
    publish(stage, '1.1.0', '1.2.0');
    stage.engine.controls.takes('pull', Infinity);
    await stage.commit(manifest({ a: entry('1.1.0') }));
    await stage.pass(5 * SECOND);
  });

  it('a server that crashes is brought back as ever', async () => {
    const at = stage.clock.now();
    stage.engine.controls.crash(live('a'), 1);
    await stage.pass(10 * SECOND);
    expect(await secondsTo('recovery_started', 'a', at)).toBeLessThan(2);
    expect(await secondsTo('recovery_successful', 'a', at)).toBeLessThan(10);
  });

  it('a newer commit overtakes it, and it is given up without a word of failure', async () => {
    stage.engine.controls.takes('pull', 0);
    const at = stage.clock.now();
    await stage.commit(manifest({ a: entry('1.2.0') }));
    await stage.settled();
    expect(await secondsTo('server_starting', 'a', at)).toBeLessThan(2);
    expect(await secondsTo('update_gate_failed', 'a', 0)).toBe(Infinity);
  });

  it('the orchestrator ends at once, and the next start goes on', async () => {
    const at = stage.clock.now();
    await stage.orchestrator().stop(8 * SECOND);
    expect(stage.clock.now() - at).toBe(0);
    stage.engine.controls.takes('pull', 0);
    await stage.die();
    await stage.start();
    await stage.settled();
    expect(live('a')).not.toBe('');
  });
});

describe('after pulls that failed again and again', () => {
  beforeEach(async () => {
    await runsOn('1.0.0', 'a');
    publish(stage, '1.1.0', '1.2.0');
    await failedPulls(7);
  });

  it('a server that crashes waits for nothing', async () => {
    const at = stage.clock.now();
    stage.engine.controls.crash(live('a'), 1);
    await stage.pass(10 * SECOND);
    expect(await secondsTo('recovery_started', 'a', at)).toBeLessThan(2);
  });

  it('a commit of a version that can be had waits for nothing', async () => {
    stage.engine.controls.publish('docker.io/liminalcommons/other:1.0.0', digestOf('9.0.0'));
    const other = 'version: "1.0.0", docker: { image: liminalcommons/other, port: 8080 }';
    const at = stage.clock.now();
    stage.engine.controls.failNext('pull', away);
    await stage.commit(manifest({ a: other }));
    await stage.pass(10 * SECOND);
    expect(await secondsTo('update_started', 'a', at)).toBeLessThan(2);
  });
});

it('pulls that hang delay the images of others for seconds, not for as long as they hang', async () => {
  const many = ['a', 'b', 'c', 'd'];
  await runsOn('1.0.0', ...many, 'e');
  publish(stage, '1.1.0', '1.2.0');
  const at = stage.clock.now();
  const hung = many.map((name) => [name, entry('1.1.0')] as const);
  stage.engine.controls.takes('pull', Infinity);
  await stage.commit(manifest(Object.fromEntries([...hung, ['e', entry('1.0.0')]])));
  await stage.pass(5 * SECOND);
  stage.engine.controls.takes('pull', 0);
  await stage.commit(manifest(Object.fromEntries([...hung, ['e', entry('1.2.0')]])));
  await stage.pass(30 * SECOND);
  expect(await secondsTo('image_pulled', 'e', at)).toBeLessThan(20);
});

it('a clock that is set back keeps no image away', async () => {
  await runsOn('1.0.0', 'a');
  publish(stage, '1.1.0');
  stage.clock.set(-3_600 * SECOND);
  await stage.commit(manifest({ a: entry('1.1.0') }));
  await stage.pass(10 * SECOND);
  expect(stage.engine.controls.deeds.filter((deed) => deed.startsWith('pull '))).toHaveLength(2);
});

it('an image that is seen here before its pull has ended was pulled, and that is told', async () => {
  await stage.close();
  stage = await openStage({
    inMemory: true,
    wrap: (rooms) => {
      const pull: typeof rooms.runtime.pull = async (spec, progress, signal) => {
        await rooms.runtime.pull(spec, progress, signal);
        await rooms.clock.sleep(SECOND, signal);
        if (signal.aborted) throw new Failure('engine_timeout', 'it was given up');
      };
      return { ...rooms, runtime: { ...rooms.runtime, pull } };
    },
  });
  publish(stage, '1.0.0');
  await stage.commit(manifest({ a: entry('1.0.0') }));
  await stage.start();
  for (let looks = 0; looks < 20; looks += 1) {
    stage.engine.controls.strangerGone('nobody');
    await stage.pass(SECOND / 10);
  }
  await stage.settled();
  expect(await secondsTo('image_pulled', 'a', 0)).not.toBe(Infinity);
  expect(await secondsTo('update_gate_failed', 'a', 0)).toBe(Infinity);
});

describe('an image', () => {
  const ref = `docker.io/liminalcommons/server@${digestOf('1.1.0')}`;
  const isOurs = (): boolean => stage.published().world.memory.servers['a']?.pulled.includes(ref) ?? false;

  it('that came while we died is ours all the same, and goes with the others', async () => {
    await runsOn('1.0.0', 'a');
    publish(stage, '1.1.0');
    const told = async (): Promise<string[]> => (await stage.events()).map(({ event_type: type }) => type);
    const before = stage.writes();
    // manifest_synced, version_resolved, update_started, image_pulling, and then image_pulled.
    stage.dieAtWrite(5, 'before');
    await stage.commit(manifest({ a: entry('1.1.0') }));
    await stage.settled();
    expect(stage.writes()).toBeGreaterThan(before + 5);
    const types = (await told()).slice(-30);
    expect(types.filter((type) => type === 'image_pulled')).toHaveLength(1);
    expect(types.filter((type) => type === 'image_pulling')).toHaveLength(2);
    expect(isOurs()).toBe(true);
  });

  it('that a person brought a moment before us stays theirs', async () => {
    await runsOn('1.0.0', 'a');
    publish(stage, '1.1.0');
    stage.engine.controls.takes('localDigest', SECOND);
    await stage.commit(manifest({ a: entry('1.1.0') }));
    stage.engine.controls.pullByHand(ref);
    await stage.settled();
    expect(isOurs()).toBe(false);
    const pulls = (await stage.events()).filter(({ event_type: type }) => type.startsWith('image_pull'));
    expect(pulls.map(({ event_type: type }) => type)).toEqual(['image_pulling', 'image_pulled']);
  });
});
