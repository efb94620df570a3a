import { afterEach, expect, it } from 'vitest';
import type { Rooms } from '../../src/reconcile/rooms.ts';
import { entry, manifest, publish } from '../story/stories.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';

let stage: Stage;
afterEach(() => stage.close());

it('a secret that comes while the source is slow is taken up, and its server begins', async () => {
  let isSlow = false;
  const wrap = (rooms: Rooms): Rooms => ({
    ...rooms,
    source: {
      ...rooms.source,
      watch: (hint, signal) => rooms.source.watch(hint, signal),
      // As a fetch over a slow link: nothing for as long as one waits.
      read: (known, signal) =>
        isSlow
          ? new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)))
          : rooms.source.read(known, signal),
    },
  });
  stage = await openStage({ wrap });
  publish(stage, '1.0.0');
  await stage.commit(
    manifest({ a: entry('1.0.0', 'config: { secrets: [{ name: TOKEN, required: true }] }') }),
  );
  await stage.start();
  await stage.pass(20_000);
  expect(stage.engine.controls.instances()).toEqual([]);
  isSlow = true;
  await stage.pass(20_000);
  stage.secrets.set('TOKEN', 'here it is');
  await stage.pass(60_000);
  expect(stage.engine.controls.instances()).toHaveLength(1);
});
