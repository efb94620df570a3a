import { afterEach, beforeEach, expect, it } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import { toStatus } from '../../src/plan/describe.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { entry, manifest, publish } from './stories.ts';

/** Its volume keeps two copies from running side by side. */
const withVolume = (source: string): string =>
  manifest({ a: entry('1.0.0', '', `volumes: [{ source: ${source}, target: /data }]`) });

const foreign = (): Failure =>
  new Failure('foreign_volume', 'the volume a_db was not made for a', { suggestedAction: 'name another' });

let stage: Stage;
beforeEach(async () => {
  stage = await openStage({ inMemory: true });
  publish(stage, '1.0.0');
  await stage.commit(withVolume('data'));
  await stage.start();
  await stage.settled();
  await stage.pass(60_000);
});
afterEach(() => stage.close());

function record() {
  const { world, plan, inHand, progress } = stage.published();
  const source = stage.orchestrator().intake.status;
  return toStatus(world, plan, { source, inHand, progress, advertise: null }).servers[0];
}

const told = async (): Promise<string[]> => (await stage.events()).map(({ event_type: type }) => type);

it('a server is not stopped for a version that its host would not let come up, and goes there once it may', async () => {
  for (let tries = 0; tries < 3; tries += 1) stage.engine.controls.failNext('admit', foreign());
  const before = stage.engine.controls.writes;
  await stage.commit(withVolume('db'));
  expect(await stage.settled()).toEqual({ outcome: 'partial', failed: ['a'] });
  expect(stage.engine.controls.writes, 'nothing was done to what runs').toBe(before);
  expect(record()).toMatchObject({
    ...{ phase: 'held', reason: 'foreign_volume', suggested_action: 'name another', routable: true },
  });
  expect((await told()).filter((type) => type === 'server_held')).toHaveLength(1);
  await stage.pass(120_000);
  expect(stage.published().world.blocked).toEqual({});
  expect(stage.engine.controls.instances().map(({ spec }) => spec?.mounts[0]?.source)).toEqual(['a_db']);
  expect(record()).toMatchObject({ phase: 'ready', reason: null });
});
