import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { memoryJournal } from '../../src/journal/index.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Failure } from '../../src/model/failure.ts';
import { Recorder } from '../../src/reconcile/recorder.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { entry, manifest, publish } from '../story/stories.ts';
import { openStage } from '../support/orchestrator.ts';

const HOUR = 3_600_000;

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

it('a line that was being written while the clock was set back is of no future', async () => {
  const clock = fakeClock();
  const journal = memoryJournal([]);
  let written = Promise.resolve();
  const nothing = (): void => undefined;
  const recorder = await Recorder.open({
    ...{ clock, log: silentLog, newId: () => 'id', scrub: (text) => text },
    ...{ tell: nothing, recall: nothing, journalState: nothing },
    journal: { ...journal, append: (log, event) => written.then(() => journal.append(log, event)) },
  });
  let go = nothing;
  written = new Promise<void>((resolve) => (go = resolve));
  const about = { instance: 'i', container_id: 'c1', spec: 's', version: null };
  const fields = { ...about, drain_min_seconds: 1, drain_timeout_seconds: 5 };
  const writing = recorder.record({
    event: 'drain_started',
    server: 'a',
    traceId: 't',
    fields,
  });
  await Promise.resolve();
  clock.set(-HOUR);
  expect(recorder.memory.servers).toEqual({});
  go();
  await writing;
  expect(recorder.memory.servers['a']?.drains['c1']).toBeLessThanOrEqual(clock.now());
});
