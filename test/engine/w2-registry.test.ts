import { afterEach, beforeEach, expect, test } from 'vitest';
import { containersOf } from '../../examples/stage/containers.ts';
import type { LoggedEvent } from '../../examples/stage/events.ts';
import { isReady } from '../../examples/stage/status.ts';
import { craftImage } from '../support/crafted-image.ts';
import { Gateway } from '../../examples/stage/gateway.ts';
import { RegistryProxy, type Fault } from '../support/registry-proxy.ts';
import { allReady, eventsOf, isOf, openTestStage, untilEvent, type TestStage } from '../support/stage.ts';

const faults: readonly Fault[] = ['missing', 'busy', 'cut', 'slow'];
const update = {
  ...{ min_healthy_seconds: 1, healthy_deadline_seconds: 30, soak_seconds: 5 },
  ...{ drain_min_seconds: 2, drain_timeout_seconds: 3 },
};

let stage: TestStage;
const proxies = new Map<Fault, RegistryProxy>();
beforeEach(async () => {
  stage = await openTestStage();
  for (const fault of faults) proxies.set(fault, await RegistryProxy.open(stage.engine.registry.port));
});
afterEach(async () => {
  await stage.close();
  for (const proxy of proxies.values()) await proxy.close();
});

test('a registry that fails in the middle of a pull delays an update, and nothing else: no fault of the version', async () => {
  const proxyOf = (fault: Fault): RegistryProxy => proxies.get(fault) as RegistryProxy;
  const entryOf = (fault: Fault, version: string): ReturnType<TestStage['entry']> => {
    const image = `${proxyOf(fault).host}/liminalcommons/${stage.name(fault)}`;
    return stage.entry(fault, { docker: { image }, update }, version);
  };
  const merge = (version: string): Promise<string> =>
    stage.merge(faults.map((fault) => entryOf(fault, version)));
  for (const fault of faults) {
    await craftImage(stage.engine, stage.name(fault), '1.0.0');
    proxyOf(fault).fail(fault, await craftImage(stage.engine, stage.name(fault), '1.1.0'));
  }
  const trust = faults.flatMap((fault) => ['--trust', `${proxyOf(fault).host}/liminalcommons/*`]);
  const watching = await stage.watch({ options: trust });
  await allReady(watching, await merge('1.0.0'), faults.map(stage.name));
  const before = await containersOf(stage.engine, stage.owner);
  const gateway = await new Gateway(watching.url).open();
  for (const fault of faults) gateway.load(stage.name(fault), 10);

  await merge('1.1.0');
  const refused = await Promise.all(
    (['missing', 'busy'] as const).map((fault) =>
      untilEvent(watching, isOf(stage.name(fault), 'update_gate_failed')),
    ),
  );
  for (const event of refused)
    expect(event).toMatchObject({ gate: 'pull', class: 'world', version: '1.1.0' });
  await expect.poll(() => faults.map((fault) => proxyOf(fault).struck > 0)).toEqual([true, true, true, true]);
  const during = await containersOf(stage.engine, stage.owner);
  expect(during.map(({ Id, State }) => [Id, State])).toEqual(before.map(({ Id, State }) => [Id, State]));

  for (const fault of faults) proxyOf(fault).heal();
  const isNew = (server: Parameters<typeof isReady>[0]): boolean =>
    isReady(server) && server.version === '1.1.0';
  await Promise.all(faults.map((fault) => watching.status.server(stage.name(fault), isNew, 120_000)));
  await gateway.close();
  expect(gateway.failed).toEqual([]);
  expect(await eventsOf(watching, 'version_quarantined')).toEqual([]);

  const gates = (fault: Fault): Promise<LoggedEvent[]> =>
    eventsOf(watching, 'update_gate_failed', stage.name(fault));
  for (const event of (await Promise.all(faults.map(gates))).flat()) {
    expect(event).toMatchObject({ gate: 'pull', class: 'world', version: '1.1.0' });
    expect(event['retry_at'], 'it is tried again, and that is told').toBeGreaterThan(event.time_ms);
  }
  expect(await gates('slow'), 'what is slow has not failed').toEqual([]);
  const pulled = await Promise.all(
    faults.map((fault) => eventsOf(watching, 'image_pulled', stage.name(fault))),
  );
  expect(Math.min(...pulled.map((all) => all.length)), 'one for each version').toBeGreaterThanOrEqual(2);
});
