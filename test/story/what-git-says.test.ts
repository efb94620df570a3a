import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { digestOf, entry, FOLLOWS, imageOf, manifest, publish, QUICK_TIMES } from './stories.ts';

/** A change of the environment; so slow to be promoted that the registry is asked before it is. */
const DEBUG = `config: { env: { LOG: debug } }, update: { ${QUICK_TIMES.replace('healthy_seconds: 2,', 'healthy_seconds: 29,')} }`;

let stage: Stage;
beforeEach(async () => {
  stage = await openStage({ inMemory: true });
  await stage.start();
});
afterEach(() => stage.close());

const merge = (more: string, version = '1.0.0', docker = ''): Promise<void> =>
  stage.commit(manifest({ a: entry(version, more, docker) }));

/** The version that answers, and the LOG of its environment. */
function answers(): string {
  const live = stage.engine.controls.instances().find(({ joined, state }) => joined && state === 'running');
  return `${live?.spec?.imageDigest.slice(7, 10) ?? 'nothing'} ${live?.spec?.env['LOG'] ?? '-'}`;
}

async function outcomes(): Promise<string[]> {
  const events = await stage.events();
  return events.flatMap((event) =>
    event.event_type === 'revision_settled' && 'outcome' in event ? [String(event.outcome)] : [],
  );
}

async function tried(): Promise<string[]> {
  const events = await stage.events();
  return events.flatMap((event) =>
    event.event_type === 'update_started' && 'version' in event ? [String(event.version)] : [],
  );
}

async function setAside(): Promise<string[]> {
  const events = await stage.events();
  return events.flatMap((event) =>
    event.event_type === 'version_quarantined' && 'version' in event ? [String(event.version)] : [],
  );
}

describe('a change that was merged while the registry has a newer version that is bad', () => {
  it('is carried out with the version that the manifest names, and the revision is applied', async () => {
    publish(stage, '1.0.0');
    await merge(FOLLOWS);
    await stage.pass(30_000);
    publish(stage, '1.1.0');
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
    await merge(`${FOLLOWS}, ${DEBUG}`);
    await stage.pass(400_000);
    expect(answers()).toBe('100 debug');
    expect((await outcomes()).at(-1)).toBe('applied');
    expect(await tried()).toEqual(['1.0.0', '1.0.0', '1.1.0', '1.0.0']);
  });

  it('is carried out while the registry is away, with the version that answers', async () => {
    publish(stage, '1.0.0', '1.1.0');
    await merge(FOLLOWS);
    await stage.pass(30_000);
    expect(answers()).toBe('110 -');
    publish(stage, '1.2.0');
    stage.engine.controls.behave(digestOf('1.2.0'), { answers: 'down' });
    await merge(`${FOLLOWS}, ${DEBUG}`);
    await stage.pass(70_000);
    stage.engine.controls.registry.clear();
    await stage.pass(300_000);
    expect(answers()).toBe('110 debug');
  });

  it('is carried out by a tag that moved to a bad image, with the image of before', async () => {
    const latest = (more: string): Promise<void> =>
      stage.commit(
        manifest({
          a: `docker: { image: "liminalcommons/server:latest", port: 8080 }, version_strategy: latest, auto_update: true${more}`,
        }),
      );
    stage.engine.controls.publish(imageOf('latest'), digestOf('1.0.0'));
    await latest('');
    await stage.pass(30_000);
    stage.engine.controls.publish(imageOf('latest'), digestOf('1.1.0'));
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
    await latest(`, ${DEBUG}`);
    await stage.pass(400_000);
    expect(answers()).toBe('100 debug');
  });

  it('where one copy alone may run, service comes first and the change after it', async () => {
    publish(stage, '1.0.0');
    await merge(FOLLOWS, '1.0.0', 'host_port: 9000');
    await stage.pass(30_000);
    publish(stage, '1.1.0');
    stage.engine.controls.behave(digestOf('1.1.0'), { exitsAfterMs: 500 });
    await merge(`${FOLLOWS}, ${DEBUG}`, '1.0.0', 'host_port: 9000');
    await stage.pass(400_000);
    expect(answers()).toBe('100 debug');
    const told = (await stage.events()).map(({ event_type: type }) => type);
    const back = told.lastIndexOf('rollback_completed');
    expect(told.lastIndexOf('update_started')).toBeGreaterThan(back);
    expect(told.filter((type) => type === 'rollback_completed')).toHaveLength(1);
  });
});

describe('a change that no version bears', () => {
  it('is tried once with each, down to the version that the manifest names, and the one before stays', async () => {
    publish(stage, '1.0.0');
    await merge(FOLLOWS);
    await stage.pass(30_000);
    publish(stage, '1.0.1', '1.0.2');
    for (const version of ['1.0.0', '1.0.1', '1.0.2'])
      stage.engine.controls.behave(digestOf(version), { answers: 'down' });
    const [stands] = stage.engine.controls.instances();
    stage.engine.controls.behave(stands?.id ?? '', { answers: 'ok' });
    await merge(`${FOLLOWS}, ${DEBUG}`);
    await stage.pass(900_000);
    expect(answers()).toBe('100 -');
    expect(await setAside()).toEqual(['1.0.2', '1.0.1', '1.0.0']);
    expect((await outcomes()).at(-1)).toBe('partial');
    const before = await tried();
    await stage.pass(900_000);
    expect(await tried(), 'and then there is rest').toEqual(before);
  });
});

describe('a first deploy whose newest version is bad', () => {
  it('goes on to the version that the manifest names', async () => {
    publish(stage, '1.0.0', '1.1.0');
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
    await merge(FOLLOWS);
    await stage.pass(200_000);
    expect(answers()).toBe('100 -');
    expect(await outcomes()).toEqual(['applied']);
  });

  it('is tried again where the version that the manifest names is bad too', async () => {
    publish(stage, '1.0.0', '1.1.0');
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
    stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'down' });
    await merge(FOLLOWS);
    await stage.pass(300_000);
    stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'ok' });
    await stage.pass(300_000);
    expect(answers()).toBe('100 -');
  });
});

describe('a secret that was rotated', () => {
  const SECRET = 'config: { secrets: [{ name: TOKEN, required: true }] }';
  const tokens = (): unknown =>
    stage.engine.controls.instances().find(({ joined }) => joined)?.spec?.secrets[0]?.version;

  beforeEach(async () => {
    stage.secrets.set('TOKEN', 'first');
    publish(stage, '1.0.0', '1.1.0');
    await merge(`${FOLLOWS}, ${SECRET}`);
    await stage.pass(40_000);
    expect(answers()).toBe('110 -');
  });

  it('is taken up although a newer version is bad', async () => {
    const before = tokens();
    publish(stage, '1.2.0');
    stage.engine.controls.behave(digestOf('1.2.0'), { answers: 'down' });
    await stage.pass(20_000);
    stage.secrets.set('TOKEN', 'second');
    await stage.pass(200_000);
    expect(answers()).toBe('110 -');
    expect(tokens()).not.toBe(before);
  });

  it('and is no good leaves what answers as it is, and is no reason to go below its version', async () => {
    const stands = stage.engine.controls.instances().find(({ joined }) => joined)?.id ?? '';
    publish(stage, '1.0.1');
    stage.engine.controls.behave(stands, { answers: 'ok' });
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
    stage.secrets.set('TOKEN', 'bad');
    await stage.pass(400_000);
    expect(await setAside()).toEqual(['1.1.0']);
    expect(stage.engine.controls.instances()).toMatchObject([{ id: stands, joined: true }]);
    stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'ok' });
    stage.secrets.set('TOKEN', 'good');
    await stage.pass(60_000);
    expect(stage.engine.controls.instances()).toMatchObject([{ joined: true }]);
    expect(answers()).toBe('110 -');
    expect(stage.engine.controls.instances()[0]?.id).not.toBe(stands);
  });
});

it('a bad version found at the same time as a registry that goes away is no end: it is asked when it is back', async () => {
  publish(stage, '1.0.0', '1.1.0');
  await merge(`${FOLLOWS}, update: { version_range: "^1.1.0" }`);
  stage.engine.controls.failNext('pull', new Failure('registry_unreachable', 'away'));
  await stage.pass(120_000);
  expect(answers()).toBe('110 -');
});
