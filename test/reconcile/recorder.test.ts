import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import { entry, manifest, publish } from '../story/stories.ts';
import { openStage } from '../support/orchestrator.ts';

it('needs no old file to remember: a new one begins with what is known', async () => {
  const stage = await openStage({ maxBytes: 6_000 });
  publish(stage, '1.0.0', '1.1.0');
  await stage.commit(manifest({ a: entry('1.0.0') }));
  await stage.start();
  await stage.settled();
  await stage.pass(60_000);
  await stage.commit(manifest({ a: entry('1.1.0') }));
  await stage.settled();
  await stage.pass(60_000);
  const before = stage.orchestrator().recorder.memory;
  const files = (await readdir(stage.directory)).filter((name) => /^events-\d+\.jsonl$/.test(name));
  expect(files.length).toBeGreaterThan(0);
  await stage.die();
  await stage.start();
  const after = stage.orchestrator().recorder.memory;
  expect(after.servers['a']).toMatchObject({
    stable: before.servers['a']?.stable,
    promoted: before.servers['a']?.promoted,
  });
  await stage.close();
});

it('does no deed whose intent cannot be written down, and goes on when there is room again', async () => {
  let full = false;
  const stage = await openStage({
    wrap: (rooms) => ({
      ...rooms,
      journal: {
        ...rooms.journal,
        append: (log, event) =>
          full ? Promise.reject(new Failure('disk_full', 'no room')) : rooms.journal.append(log, event),
      },
    }),
  });
  publish(stage, '1.0.0', '1.1.0');
  await stage.commit(manifest({ a: entry('1.0.0') }));
  await stage.start();
  await stage.settled();
  const before = stage.engine.controls.writes;
  full = true;
  await stage.commit(manifest({ a: entry('1.1.0') }));
  await stage.pass(60_000);
  expect(stage.engine.controls.writes).toBe(before);
  full = false;
  await stage.pass(120_000);
  expect(stage.engine.controls.instances().find(({ joined }) => joined)?.spec?.settings.version).toBe(
    '1.1.0',
  );
  await stage.close();
});
