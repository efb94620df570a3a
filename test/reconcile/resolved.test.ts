import { afterEach, beforeEach, expect, it } from 'vitest';
import { digestOf, entry, FOLLOWS, manifest, publish } from '../story/stories.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage({ inMemory: true });
  await stage.start();
});
afterEach(() => stage.close());

const resolutions = async () =>
  (await stage.events()).filter(({ event_type: type }) => type === 'version_resolved');

const EVERY_FIELD = [
  'entry',
  'image',
  'image_digest',
  'version',
  'asked',
  'asked_digest',
  'size_bytes',
  'why',
];
const SETTLES = 180_000;

it('what an entry stands for is told with the same fields, whoever found it out', async () => {
  publish(stage, '1.0.0');
  stage.engine.controls.behave(digestOf('1.2.0'), { exitsAfterMs: 500 });
  await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }));
  await stage.pass(SETTLES);
  publish(stage, '1.1.0');
  await stage.pass(SETTLES);
  publish(stage, '1.2.0');
  await stage.pass(SETTLES);
  await stage.commit(manifest({ a: entry('1.0.0', `${FOLLOWS}, restart_token: "2"`) }));
  await stage.pass(SETTLES);
  const told = await resolutions();
  expect(told.slice(0, 5).map((event) => [event, (event as { why?: string }).why])).toMatchObject([
    [
      { version: '1.0.0', asked_digest: digestOf('1.0.0'), size_bytes: null },
      'its entry is new or has changed',
    ],
    [{ version: '1.1.0' }, 'a newer version is in the registry'],
    [{ version: '1.2.0' }, 'a newer version is in the registry'],
    [{ version: '1.1.0' }, 'the version it went to was set aside'],
    [{ version: '1.1.0', size_bytes: null }, 'the entry allows what runs already'],
  ]);
  for (const event of told) {
    expect(Object.keys(event)).toEqual(expect.arrayContaining(EVERY_FIELD));
    expect(event).toMatchObject({ asked: 'docker.io/liminalcommons/server:1.0.0' });
  }
});
