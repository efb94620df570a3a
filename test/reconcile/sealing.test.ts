import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import type { ServerRecord } from '../../src/model/status.ts';
import { toStatus } from '../../src/plan/describe.ts';
import { digestOf, entry, imageOf, manifest, publish } from '../story/stories.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

function recordOf(server: string): ServerRecord {
  const { world, plan, inHand, progress } = stage.published();
  const source = stage.orchestrator().intake.status;
  const found = toStatus(world, plan, { source, inHand, progress, advertise: null }).servers.find(
    ({ id }) => id === server,
  );
  if (found === undefined) throw new Error(`no record of ${server}`);
  return found;
}

const running = (): string[] =>
  stage.engine.controls
    .instances()
    .map(({ server, spec, state }) => `${server} ${spec?.imageDigest.slice(7, 10)} ${state}`);

const SECRET = 'config: { secrets: [{ name: TOKEN, required: true }] }';

describe('a tag', () => {
  it('is resolved once per entry change: one that moved is not a change', async () => {
    publish(stage, '1.0.0');
    await stage.commit(manifest({ a: entry('1.0.0') }));
    await stage.start();
    await stage.settled();
    stage.engine.controls.publish(imageOf('1.0.0'), digestOf('9.9.9'));
    await stage.commit(manifest({ a: entry('1.0.0', 'config: { env: { LOG: debug } }') }));
    await stage.settled();
    await stage.pass(60_000);
    expect(running()).toEqual(['a 100 running']);
  });

  it('is asked again, ever less often, while the registry is away, and nothing else waits for it', async () => {
    publish(stage, '1.0.0');
    await stage.commit(manifest({ a: entry('1.0.0'), b: entry('2.0.0') }));
    await stage.start();
    await stage.settled();
    expect(recordOf('a')).toMatchObject({ phase: 'ready' });
    expect(recordOf('b')).toMatchObject({ phase: 'failed', reason: 'image_not_found' });
    publish(stage, '2.0.0');
    await stage.pass(120_000);
    expect(recordOf('b')).toMatchObject({ phase: 'ready', reason: null });
  });
});

describe('a secret', () => {
  it('that cannot be read is the trouble of its server alone: others settle, and their rotated ones are taken up', async () => {
    const unreadable = new Failure('secret_unreadable', 'secret "TOKEN" of "b" is not UTF-8');
    stage = await openStage({
      wrap: (rooms) => ({
        ...rooms,
        secrets: {
          ...rooms.secrets,
          refs: async (server, wanted) => {
            if (server === 'b') throw unreadable;
            return rooms.secrets.refs(server, wanted);
          },
        },
      }),
    });
    publish(stage, '1.0.0');
    stage.secrets.set('TOKEN', 'first');
    await stage.start();
    await stage.commit(manifest({ b: entry('1.0.0', SECRET), a: entry('1.0.0', SECRET) }));
    expect(await stage.settled(20_000)).toMatchObject({ outcome: 'partial', failed: ['b'] });
    expect(recordOf('b')).toMatchObject({ phase: 'refused', reason: 'secret_unreadable' });
    const before = stage.engine.controls.instances()[0]?.specDigest;
    stage.secrets.set('TOKEN', 'second');
    await stage.pass(60_000);
    expect(stage.engine.controls.instances().at(-1)?.specDigest).not.toBe(before);
  });

  it('that is required and missing refuses the entry, says which, and is taken up when it comes', async () => {
    publish(stage, '1.0.0');
    await stage.commit(manifest({ a: entry('1.0.0', SECRET) }));
    await stage.start();
    await stage.pass(5_000);
    expect(recordOf('a')).toMatchObject({
      phase: 'refused',
      reason: 'missing_secret',
      suggested_action: expect.stringContaining('a/TOKEN') as string,
    });
    stage.secrets.set('TOKEN', 'abcdef');
    await stage.pass(40_000);
    expect(recordOf('a')).toMatchObject({ phase: 'ready' });
  });

  it('that is rotated is a new version', async () => {
    publish(stage, '1.0.0');
    stage.secrets.set('TOKEN', 'abcdef');
    await stage.commit(manifest({ a: entry('1.0.0', SECRET) }));
    await stage.start();
    await stage.settled();
    const [first] = stage.engine.controls.instances();
    stage.secrets.set('TOKEN', 'ghijkl');
    await stage.pass(90_000);
    const now = stage.engine.controls.instances();
    expect(now).toMatchObject([{ state: 'running', joined: true }]);
    expect(now[0]?.id).not.toBe(first?.id);
    expect(JSON.stringify(await stage.events())).not.toMatch(/abcdef|ghijkl/);
  });
});

describe('a deed that the engine refuses', () => {
  it('is tried again when it was the world, and says so meanwhile', async () => {
    publish(stage, '1.0.0');
    const full = new Failure('disk_full', 'no space left on device');
    for (let times = 0; times < 3; times += 1) stage.engine.controls.failNext('create', full);
    await stage.commit(manifest({ a: entry('1.0.0') }));
    await stage.start();
    await stage.pass(2_000);
    expect(recordOf('a')).toMatchObject({
      reason: 'disk_full',
      suggested_action: expect.stringContaining('free space') as string,
    });
    await stage.pass(60_000);
    expect(recordOf('a')).toMatchObject({ phase: 'ready' });
    const failed = (await stage.events()).filter(({ event_type }) => event_type === 'update_gate_failed');
    expect(failed).toMatchObject(Array(3).fill({ gate: 'create', class: 'world', code: 'disk_full' }));
  });

  it.each(['promote', 'stop', 'leave', 'remove'] as const)(
    '%s is tried again until it is done',
    async (verb) => {
      publish(stage, '1.0.0', '1.1.0');
      await stage.commit(manifest({ a: entry('1.0.0') }));
      await stage.start();
      await stage.settled();
      await stage.pass(40_000);
      for (let times = 0; times < 2; times += 1) {
        stage.engine.controls.failNext(verb, new Failure('engine_timeout', 'too slow'));
      }
      await stage.commit(manifest({ a: entry('1.1.0') }));
      await stage.pass(120_000);
      expect(running()).toEqual(['a 110 running']);
    },
  );

  it('does not stop the watch when the engine goes away and comes back', async () => {
    publish(stage, '1.0.0');
    await stage.commit(manifest({ a: entry('1.0.0') }));
    await stage.start();
    await stage.settled();
    stage.engine.controls.stopEngine();
    await stage.pass(120_000);
    stage.engine.controls.startEngine();
    await stage.pass(60_000);
    expect(running()).toEqual(['a 100 running']);
    expect((await stage.events()).filter(({ event_type }) => event_type === 'recovery_started')).toEqual([]);
  });
});
