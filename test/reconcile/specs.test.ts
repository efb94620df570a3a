import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { entry, manifest, publish } from '../story/stories.ts';
import { openStage } from '../support/orchestrator.ts';

it('keeps the specs that run or could be gone back to, and no others', async () => {
  const stage = await openStage();
  publish(stage, '1.0.0', '1.1.0', '1.2.0');
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
    await stage.commit(manifest({ a: entry(version) }));
    if (version === '1.0.0') await stage.start();
    await stage.settled();
    await stage.pass(60_000);
  }
  await stage.commit(manifest({ a: entry('1.2.0'), b: entry('1.0.0') }));
  await stage.settled();
  expect(await readdir(join(stage.directory, 'specs'))).toHaveLength(2);
  await stage.close();
});
