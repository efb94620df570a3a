import { afterAll, beforeAll, expect, test } from 'vitest';
import { containersOf } from '../../examples/stage/containers.ts';
import { manifestPath } from '../../examples/stage/manifest.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { allReady, eventsOf, openTestStage, untilEvent, type TestStage } from '../support/stage.ts';

let stage: TestStage;
let watching: Watching;
let good: string;
let running: string;

beforeAll(async () => {
  stage = await openTestStage();
  watching = await stage.watch();
  good = await stage.merge([stage.entry('a')]);
  await allReady(watching, good, [stage.name('a')]);
  running = (await containersOf(stage.engine, stage.owner))[0]?.Id ?? '';
});
afterAll(() => stage.close());

const bomb = [
  'version: "1.1"',
  'x-0: &n0 [a, a, a, a, a, a, a, a, a]',
  ...Array.from({ length: 30 }, (_, n) => `x-${n + 1}: &n${n + 1} [${Array(9).fill(`*n${n}`).join(', ')}]`),
  'servers: []',
].join('\n');

test.each<[string, string | Uint8Array, RegExp]>([
  ['broken', 'version: "1.1"\nservers: [{name: a', /.+/],
  ['empty', '', /empty/i],
  ['truncated', 'version: "1.1"\nservers:\n  - name: mcp-server-github\n    docker:\n      ima', /.+/],
  ['huge', `version: "1.1"\nservers: []\n# ${'x'.repeat(4 * 1024 * 1024)}`, /4 MiB|large|bytes/i],
  ['not UTF-8', Buffer.from([0x76, 0x3a, 0x20, 0xff, 0xfe, 0x0a]), /UTF-8/i],
  ['an alias bomb', bomb, /alias/i],
  ['of an unknown version', 'version: "2.0"\nservers: []\n', /version|2\.0/i],
])('a manifest that is %s leaves everything running and says why', async (_, content, why) => {
  const revision = await stage.repository.commit({ subject: 'Change', files: { [manifestPath]: content } });
  const status = await watching.status.until(
    'refused',
    ({ source }) => source.attempted_revision === revision && source.state === 'refused',
  );
  expect(status.source).toMatchObject({
    applied_revision: good,
    error: expect.stringMatching(why) as string,
  });
  expect(status.servers[0]).toMatchObject({ name: stage.name('a'), phase: 'ready', health: 'healthy' });
  expect((await containersOf(stage.engine, stage.owner)).map(({ Id }) => Id)).toEqual([running]);
  const refusal = await untilEvent(
    watching,
    (event) => event.event_type === 'registry_read_failed' && event['revision'] === revision,
  );
  expect(refusal['details']).toMatchObject({ error: expect.stringMatching(why) as string });
});

test('the next good manifest is taken up as if nothing had been', async () => {
  const revision = await stage.merge([stage.entry('a')], { subject: 'Mend it' });
  await allReady(watching, revision, [stage.name('a')]);
  expect((await containersOf(stage.engine, stage.owner)).map(({ Id }) => Id)).toEqual([running]);
  expect(await eventsOf(watching, 'server_ready')).toHaveLength(1);
});
