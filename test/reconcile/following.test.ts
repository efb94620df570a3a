import { afterEach, beforeEach, expect, it } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { entry, manifest, publish } from '../story/stories.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';

const FOLLOWS = 'version_strategy: semantic, auto_update: true';
const SLOW = 'docker.io/liminalcommons/slow';
const slowly = (version: string, more: string): string =>
  entry(version, more).replace('liminalcommons/server', 'liminalcommons/slow');

let stage: Stage;
let asked: string[];
let isSlow: boolean;

beforeEach(async () => {
  asked = [];
  isSlow = false;
  stage = await openStage({ wrap: (rooms) => ({ ...rooms, registry: watched(rooms.registry) }) });
});
afterEach(() => stage.close());

/** Notes who is asked for tags; one registry may answer nobody until the one who asks gives up. */
const watched = (registry: Registry): Registry => ({
  ...registry,
  tags: async (repository, options, signal) => {
    asked.push(repository);
    if (isSlow && repository === SLOW) await givenUp(signal);
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
  isSlow = true;
  asked.length = 0;
  await stage.pass(600_000);
  expect(asked).toContain(SLOW);
  expect(asked.filter((one) => one !== SLOW)).toHaveLength(Math.floor(600 / 54));
});
