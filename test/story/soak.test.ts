import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { digestOf, entry, publish, QUICK_TIMES } from './stories.ts';

/** It is asked far less often than it soaks. */
const rare = (version: string): string =>
  [
    'version: "1.1"',
    'servers:',
    `  - { name: a, ${entry(version)}, update: { ${QUICK_TIMES} }, health_check: { interval_seconds: 120, suspect_interval_seconds: 1, start_period_seconds: 5 } }`,
    '',
  ].join('\n');

let stage: Stage;
beforeEach(async () => {
  stage = await openStage({ inMemory: true });
  publish(stage, '1.0.0', '1.1.0');
  await stage.commit(rare('1.0.0'));
  await stage.start();
  await stage.settled();
  await stage.pass(60_000);
  await stage.commit(rare('1.1.0'));
  await stage.settled();
});
afterEach(() => stage.close());

const of = async (version: string): Promise<string[]> =>
  (await stage.events()).flatMap((event) =>
    'version' in event && event.version === version && 'spec' in event ? [event.event_type] : [],
  );

it('a version is asked as soon as its soak is over, and is stable by that answer', async () => {
  await stage.pass(25_000);
  const [ready] = (await stage.events()).filter(({ event_type: type }) => type === 'server_ready').slice(-1);
  const [done] = (await stage.events())
    .filter(({ event_type: type }) => type === 'update_completed')
    .slice(-1);
  expect((done?.time_ms ?? 0) - (ready?.time_ms ?? 0)).toBeLessThan(21_000);
  expect(await of('1.1.0')).toContain('update_completed');
});

it('a version that fell ill in its soak without anybody asking is set aside when it is asked', async () => {
  await stage.pass(5_000);
  stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
  await stage.pass(60_000);
  expect(await of('1.1.0')).toContain('version_quarantined');
  expect(await of('1.1.0')).not.toContain('update_completed');
});
