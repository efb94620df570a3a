import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.ts';
import { Failure } from '../../src/model/failure.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { toStatus } from '../../src/plan/describe.ts';
import { leaveRequest } from '../../src/state/index.ts';
import { exampleSource } from '../../src/status/examples.ts';
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
let broken: Failure | null;
/** By digest: what it is instead of an image, or why it cannot be read. */
let odd: Map<string, Failure | string>;

beforeEach(async () => {
  asked = [];
  slow = null;
  broken = null;
  odd = new Map();
  stage = await openStage({ wrap: (rooms) => ({ ...rooms, registry: watched(rooms.registry) }) });
});
afterEach(() => stage.close());

/** Notes who is asked for tags; one registry may answer nobody until the one who asks gives up. */
const watched = (registry: Registry): Registry => ({
  ...registry,
  tags: async (repository, options, signal) => {
    asked.push(repository);
    if (repository === slow) await givenUp(signal);
    if (broken !== null) throw broken;
    return registry.tags(repository, options, signal);
  },
  inspect: async (image, ...rest) => {
    const found = odd.get(image.slice(image.indexOf('@') + 1));
    if (found instanceof Failure) throw found;
    return found === undefined
      ? registry.inspect(image, ...rest)
      : { sizeBytes: null, offers: [], instead: found };
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

describe('a search for newer versions that fails or is cut', () => {
  const recordOf = () => toStatus(stage.published().world, stage.published().plan, around).servers[0];
  const around = {
    source: exampleSource,
    ...{ inHand: {}, advertise: null, progress: {} },
  };

  it('is told with reason and time until one comes to its end, and is as desired in no word', async () => {
    publish(stage, '1.0.0');
    await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }));
    await stage.start();
    await stage.settled();
    await stage.pass(90_000);
    expect(recordOf()).toMatchObject({
      why: 'as desired',
      update: { state: 'none', reason: null, at: null },
    });
    broken = new Failure('registry_answer', 'a list without an end');
    const from = stage.clock.now();
    await stage.pass(60_000);
    const failed = recordOf();
    expect(failed).toMatchObject({
      ...{ phase: 'ready', why: 'newer versions could not be looked for: a list without an end' },
      update: { state: 'check_failed', reason: 'registry_answer' },
    });
    expect(Date.parse(failed?.update.at ?? '')).toBeGreaterThanOrEqual(from);
    await stage.pass(180_000);
    expect(recordOf()?.update.at, 'since when, and not when last').toBe(failed?.update.at);
    broken = null;
    await stage.pass(60_000);
    expect(recordOf()).toMatchObject({ why: 'as desired', update: { state: 'none' } });
  });

  it('of one odd tag takes the version below it, and names what is no image', async () => {
    publish(stage, '1.0.0');
    await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }));
    await stage.start();
    await stage.settled();
    publish(stage, '1.1.0', '1.2.0', '1.3.0');
    odd.set(digestOf('1.3.0'), new Failure('registry_answer', '1.3.0 is not what it says'));
    odd.set(digestOf('1.2.0'), 'application/x-chart');
    await stage.pass(120_000);
    expect(recordOf()).toMatchObject({
      version: '1.1.0',
      update: {
        ...{ state: 'check_failed', reason: 'registry_answer' },
        passed_over: [{ image: imageOf('1.2.0'), reason: 'it is no image but application/x-chart' }],
      },
    });
  });
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
