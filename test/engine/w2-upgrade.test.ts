import { afterEach, beforeEach, expect, test } from 'vitest';
import { isReady } from '../../examples/stage/status.ts';
import { Gateway } from '../../examples/stage/gateway.ts';
import {
  allReady,
  eventsOf,
  openTestStage,
  theServer,
  untilEvent,
  type TestStage,
} from '../support/stage.ts';

let stage: TestStage;
beforeEach(async () => {
  stage = await openTestStage();
});
afterEach(() => stage.close());

/** A gateway that polls every second learns of a change in the first of three. */
const update = {
  ...{ min_healthy_seconds: 2, healthy_deadline_seconds: 30, soak_seconds: 5 },
  ...{ drain_min_seconds: 3, drain_timeout_seconds: 8 },
};

test('an upgrade under more than 200 requests a second loses none, long ones, streams and sessions included', async () => {
  await theServer(stage.engine, '1.1.0');
  const watching = await stage.watch();
  const a = stage.name('a');
  await allReady(watching, await stage.merge([stage.entry('a', { update })]), [a]);
  const gateway = await new Gateway(watching.url).open();
  gateway.load(a, 220);
  gateway.long(a, 4_000, 500);
  gateway.streams(a, 3_000, 500);
  gateway.session(a);
  const merged = Date.now();
  await stage.merge([stage.entry('a', { update }, '1.1.0')], { traceId: 'upgrade' });
  await watching.status.server(a, (server) => isReady(server) && server.version === '1.1.0');
  const seconds = (Date.now() - merged) / 1_000;
  const alone = await watching.status.server(a, ({ endpoints }) => endpoints.length === 1);
  await untilEvent(
    watching,
    ({ event_type, version }) => event_type === 'update_completed' && version === '1.1.0',
  );
  await gateway.close();

  expect(gateway.failed).toEqual([]);
  const short = gateway.traffic(a, 'short');
  expect(short.versions).toEqual(['1.0.0', '1.1.0']);
  expect(short.answered / short.seconds).toBeGreaterThan(200);
  for (const kind of ['long', 'stream', 'session'] as const)
    expect(gateway.traffic(a, kind).versions, kind).toEqual(['1.0.0', '1.1.0']);
  expect(seconds, 'deployment in less than 30 s').toBeLessThan(30);
  expect(alone.endpoints).toMatchObject([{ role: 'active' }]);
  const [drained] = await eventsOf(watching, 'drain_completed', a);
  expect(drained).toMatchObject({ version: '1.0.0', trace_id: 'upgrade' });
});
