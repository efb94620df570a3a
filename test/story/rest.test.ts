import { afterEach, beforeEach, expect, it } from 'vitest';
import { judge, type Incidents } from '../../src/notify/incident.ts';
import { emptyLedger, enter, reportOf } from '../../src/plan/report.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { digestOf, entry, manifest, publish } from './stories.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage({ inMemory: true });
});
afterEach(() => stage.close());

const liveOf = (server: string): string =>
  stage.engine.controls.instances().find((one) => one.server === server && one.joined)?.id ?? '';

it('what is stopped and may stay so is in no trouble: said once, over our own death too', async () => {
  publish(stage, '1.0.0');
  await stage.start();
  const a = entry('1.0.0', 'restart_policy: on-failure');
  const b = entry('1.0.0', 'restart_policy: unless-stopped');
  await stage.commit(manifest({ a, b, c: entry('1.0.0') }));
  await stage.settled();
  await stage.pass(40_000);
  stage.engine.controls.crash(liveOf('a'), 0);
  stage.engine.controls.stopByHand(liveOf('b'));
  stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'down' });
  await stage.pass(60_000);
  await stage.commit(manifest({ a, b, c: entry('1.0.0', 'desired_state: stopped') }));
  await stage.pass(60_000);
  await stage.die();
  await stage.start();
  await stage.pass(60_000);

  const events = await stage.events();
  const resting = events.filter(({ event_type }) => event_type === 'server_resting');
  expect(resting.map((event) => `${event.server_name} ${'reason' in event ? event.reason : ''}`)).toEqual([
    'a exited_0',
    'b stopped_by_hand',
    'c desired_state',
  ]);
  const open = events.reduce<Incidents>((before, event) => judge(before, event).open, {});
  expect(Object.keys(open)).toEqual([]);
  const to = stage.clock.now();
  const { servers } = reportOf(events.reduce(enter, emptyLedger), { from: to - 86_400_000, to });
  expect(servers).toMatchObject([
    { server: 'a', incidents: 0, availability: 1 },
    { server: 'b', incidents: 0, availability: 1 },
    { server: 'c', incidents: 1, open_incidents: 0 },
  ]);
});
