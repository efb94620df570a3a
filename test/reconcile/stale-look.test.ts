import { afterEach, expect, it } from 'vitest';
import { entry, manifest, publish } from '../story/stories.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';

let stage: Stage | null = null;
afterEach(() => stage?.close());

/** A look whose answer is on its way while deeds end: what it says is older than they are. */
async function slowToLook(): Promise<Stage> {
  const opened = await openStage({
    inMemory: true,
    wrap: (rooms) => {
      const observe: typeof rooms.runtime.observe = async (images, signal) => {
        const seen = await rooms.runtime.observe(images, signal);
        await rooms.clock.sleep(100);
        return seen;
      };
      return { ...rooms, runtime: { ...rooms.runtime, observe } };
    },
  });
  stage = opened;
  return opened;
}

/** There is always a reason to look. */
async function busy(at: Stage, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 30) {
    at.engine.controls.strangerGone('nobody');
    await at.pass(30);
  }
}

it('what a look saw before a deed ended makes nobody do the deed again', async () => {
  const at = await slowToLook();
  publish(at, '1.0.0', '1.1.0');
  for (const verb of ['pull', 'create', 'promote', 'stop', 'remove', 'leave'] as const)
    at.engine.controls.takes(verb, 60);
  const both = (version: string): string => manifest({ a: entry(version), b: entry(version) });
  await at.commit(both('1.0.0'));
  await at.start();
  await busy(at, 30_000);
  await at.commit(both('1.1.0'));
  await busy(at, 60_000);
  const done = at.engine.controls.deeds.map((deed) => deed.replace(/^(\w+) .*/, '$1'));
  const count = (verb: string): number => done.filter((one) => one === verb).length;
  expect({ pull: count('pull'), create: count('create'), remove: count('remove') }).toEqual({
    pull: 4,
    create: 4,
    remove: 2,
  });
});
