import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.ts';
import { Failure } from '../../src/model/failure.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { leaveRequest } from '../../src/state/index.ts';
import { digestOf, entry, imageOf, manifest, publish } from '../story/stories.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';

const TELLS = 'version_strategy: semantic';
const FOLLOWS = 'version_strategy: semantic, auto_update: true';
const SLOW = 'docker.io/liminalcommons/slow';
const slowly = (version: string, more: string): string =>
  entry(version, more).replace('liminalcommons/server', 'liminalcommons/slow');

let stage: Stage;
let asked: string[];
let slow: string | null;

beforeEach(async () => {
  asked = [];
  slow = null;
  stage = await openStage({ wrap: (rooms) => ({ ...rooms, registry: watched(rooms.registry) }) });
});
afterEach(() => stage.close());

/** Notes who is asked for tags; one registry may answer nobody until the one who asks gives up. */
const watched = (registry: Registry): Registry => ({
  ...registry,
  tags: async (repository, options, signal) => {
    asked.push(repository);
    if (repository === slow) await givenUp(signal);
    return registry.tags(repository, options, signal);
  },
});

const givenUp = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(new Failure('registry_unreachable', 'no answer'))),
  );

it('a registry that does not answer delays the checks of no other', async () => {
  publish(stage, '1.0.0');
  stage.engine.controls.publish(`${SLOW}:1.0.0`, `sha256:${'5'.repeat(64)}`);
  await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS), b: entry('1.0.0', FOLLOWS) }));
  await stage.start();
  await stage.settled();
  await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS), slow: slowly('1.0.0', FOLLOWS) }));
  await stage.settled();
  slow = SLOW;
  asked.length = 0;
  await stage.pass(600_000);
  expect(asked).toContain(SLOW);
  expect(asked.filter((one) => one !== SLOW)).toHaveLength(Math.floor(600 / 54));
});

it('a person who asks to look gets an answer of now', async () => {
  publish(stage, '1.0.0');
  await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }));
  await stage.start();
  await stage.settled();
  await stage.pass(60_000);
  publish(stage, '1.1.0');
  await stage.pass(6_000);
  const asking = { request: 'sync', server: null, forSeconds: null, reason: null } as const;
  await leaveRequest(stage.directory, { ...asking, id: 'now', at: stage.clock.now() });
  await stage.pass(2_000);
  expect(stage.orchestrator().recorder.memory.servers['a']?.resolved?.version).toBe('1.1.0');
});

describe('an update that nobody allowed', () => {
  const told = async (): Promise<string[]> =>
    (await stage.events())
      .filter((event): event is Event<'update_available' | 'update_withdrawn'> =>
        ['update_available', 'update_withdrawn'].includes(event.event_type),
      )
      .map(({ event_type, version }) => `${event_type} ${version}`);
  const available = (): string | null =>
    stage.orchestrator().recorder.memory.servers['a']?.updateNoted ?? null;
  const unpublish = (version: string): void => void stage.engine.controls.registry.delete(imageOf(version));

  beforeEach(async () => {
    publish(stage, '1.0.0', '1.1.0');
    await stage.commit(manifest({ a: entry('1.0.0', TELLS) }));
    await stage.start();
    await stage.settled();
    await stage.pass(120_000);
  });

  it('is not told again when something else of its entry changes, nor after our own restart', async () => {
    await stage.commit(manifest({ a: entry('1.0.0', `${TELLS}, config: { env: { LOG: debug } }`) }));
    await stage.settled();
    await stage.pass(120_000);
    await stage.stop();
    await stage.start();
    await stage.pass(120_000);
    expect(await told()).toEqual(['update_available 1.1.0']);
    expect(available()).toBe(digestOf('1.1.0'));
  });

  it('is withdrawn when it goes from the registry, and told anew when it comes back', async () => {
    unpublish('1.1.0');
    await stage.pass(120_000);
    expect(available()).toBeNull();
    publish(stage, '1.1.0');
    await stage.pass(120_000);
    expect(await told()).toEqual([
      'update_available 1.1.0',
      'update_withdrawn 1.1.0',
      'update_available 1.1.0',
    ]);
  });

  it('gives way to a newer one, and stands again without a word when that one goes', async () => {
    publish(stage, '1.2.0');
    await stage.pass(120_000);
    expect(available()).toBe(digestOf('1.2.0'));
    unpublish('1.2.0');
    await stage.pass(120_000);
    expect(available()).toBe(digestOf('1.1.0'));
    expect(await told()).toEqual([
      'update_available 1.1.0',
      'update_available 1.2.0',
      'update_withdrawn 1.2.0',
    ]);
  });

  it('is withdrawn when its entry is pinned, and not when its registry is away', async () => {
    slow = 'docker.io/liminalcommons/server';
    await stage.pass(120_000);
    expect(available()).toBe(digestOf('1.1.0'));
    await stage.commit(manifest({ a: entry('1.0.0') }));
    await stage.pass(120_000);
    expect(available()).toBeNull();
  });
});
