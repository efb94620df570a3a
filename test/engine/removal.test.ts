import { afterEach, beforeEach, expect, test } from 'vitest';
import { containersOf } from '../../examples/stage/containers.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { allReady, eventsOf, openTestStage, untilEvent, type TestStage } from '../support/stage.ts';

let stage: TestStage;
let watching: Watching;
const shorts = ['a', 'b', 'c', 'd'];

beforeEach(async () => {
  stage = await openTestStage();
  watching = await stage.watch();
  const revision = await stage.merge(shorts.map((short) => stage.entry(short)));
  await allReady(watching, revision, shorts.map(stage.name));
});
afterEach(() => stage.close());

const count = async (): Promise<number> => (await containersOf(stage.engine, stage.owner)).length;

test('one of four is removed; three at once, or all, are held until the commit allows it', async () => {
  await stage.merge(['a', 'b', 'c'].map((short) => stage.entry(short)));
  await expect.poll(count).toBe(3);
  await expect.poll(() => eventsOf(watching, 'server_removed', stage.name('d'))).toHaveLength(1);

  await stage.merge([]);
  const held = await untilEvent(watching, ({ event_type }) => event_type === 'removal_held');
  expect(held['servers']).toHaveLength(3);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await count()).toBe(3);
  const { servers } = await watching.status.until('held', (seen) =>
    seen.servers.every(({ phase }) => phase === 'held'),
  );
  expect(servers.map(({ reason }) => reason)).toEqual(Array(3).fill('removal_held'));

  const allowed = [stage.name('b'), stage.name('c')].join(', ');
  await stage.merge([stage.entry('a')], { subject: `Remove two\n\nAllow-Removal: ${allowed}` });
  await expect.poll(count).toBe(1);
});

test('an orchestrator that is given another manifest holds all removals', async () => {
  await watching.orchestrator.stop();
  await stage.merge([stage.entry('e')]);
  await stage.repository.git(
    'clone',
    '--quiet',
    '--bare',
    stage.repository.bare,
    `${stage.folder}/other.git`,
  );
  const other = await stage.watch({ manifest: `${stage.folder}/other.git` });
  await other.status.until('held', ({ servers }) => {
    const old = servers.filter(({ name }) => name !== stage.name('e'));
    return old.length === 4 && old.every(({ reason }) => reason === 'source_changed');
  });
  await expect.poll(count).toBe(5);
});
