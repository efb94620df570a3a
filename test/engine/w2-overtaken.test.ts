import { beforeAll, describe, inject, test } from 'vitest';
import { attachEngine } from '../../examples/engine/engine.ts';
import { Gateway } from '../../examples/stage/gateway.ts';
import { craftImage } from '../support/crafted-image.ts';
import { RegistryProxy } from '../support/registry-proxy.ts';
import {
  allReady,
  behave,
  eventsOf,
  isLive,
  isOf,
  onStage,
  theServer,
  untilEvent,
} from '../support/stage.ts';

const update = {
  ...{ min_healthy_seconds: 1, healthy_deadline_seconds: 90, soak_seconds: 12 },
  ...{ drain_min_seconds: 2, drain_timeout_seconds: 3 },
};

describe('what comes in between an update', () => {
  beforeAll(async () => {
    const engine = attachEngine(inject('engine'));
    await theServer(engine, '2.1.0', 'never-listen');
    await theServer(engine, '2.1.1');
  });

  test.concurrent(
    'a newer commit overtakes a version that never listens at once, and nobody is blamed',
    onStage(async (stage, { expect }) => {
      const watching = await stage.watch();
      const a = stage.name('a');
      await allReady(watching, await stage.merge([stage.entry('a', { update })]), [a]);
      const gateway = await new Gateway(watching.url).open();
      gateway.load(a, 20);
      await stage.merge([stage.entry('a', { update }, '2.1.0')]);
      await untilEvent(watching, isOf(a, 'server_started', '2.1.0'));
      const merged = Date.now();
      await stage.merge([stage.entry('a', { update }, '2.1.1')]);
      await watching.status.server(a, isLive('2.1.1'));
      expect(Date.now() - merged).toBeLessThan(60_000);
      await untilEvent(watching, isOf(a, 'instance_removed', '2.1.0'));
      await gateway.close();
      expect(gateway.failed).toEqual([]);
      expect(await eventsOf(watching, 'version_quarantined')).toEqual([]);
    }),
  );

  test.concurrent(
    'without rollback a version that falls ill after its drain is left, and the reason is told',
    onStage(async (stage, { expect }) => {
      const watching = await stage.watch();
      const a = stage.name('a');
      const left = { update: { ...update, soak_seconds: 30 }, rollback_on_failure: false };
      const soon = { ...left, update: { ...update, soak_seconds: 3 } };
      await allReady(watching, await stage.merge([stage.entry('a', soon)]), [a]);
      await untilEvent(watching, isOf(a, 'update_completed', '1.0.0'), 60_000);
      await stage.merge([stage.entry('a', left, '2.1.1')]);
      const live = await watching.status.server(a, isLive('2.1.1'));
      await untilEvent(watching, isOf(a, 'server_stopped', '1.0.0'));
      await behave(live, 'answer-503');
      const failed = await untilEvent(watching, isOf(a, 'update_gate_failed'));
      expect(failed).toMatchObject({
        gate: 'soak',
        class: 'version',
        version: '2.1.1',
        code: 'rollback_off',
      });
      expect(failed['error']).toContain('rollback_on_failure is false');
      const back = await watching.status.server(a, isLive('2.1.1'));
      expect(back.update.quarantined).toEqual([]);
      expect(await eventsOf(watching, 'rollback_started')).toEqual([]);
    }),
  );

  test.concurrent(
    'a new version waits for what it depends on, and the old one answers meanwhile',
    onStage(async (stage, { expect }) => {
      const watching = await stage.watch();
      const [a, b] = [stage.name('a'), stage.name('b')];
      // Nothing is tried for as long as the test looks: what is down stays down until the commit.
      const patient = { update, recovery: { backoff_seconds: [60] } };
      const both = (version: string): Promise<string> =>
        stage.merge([
          stage.entry('a', patient, version),
          stage.entry('b', { ...patient, depends_on: [a] }, version),
        ]);
      await allReady(watching, await both('1.0.0'), [a, b]);
      const gateway = await new Gateway(watching.url).open();
      gateway.load(b, 20);
      const old = await watching.status.server(a, isLive('1.0.0'));
      await behave(old, 'answer-503');
      await watching.status.server(a, ({ health }) => health === 'unhealthy');
      await both('2.1.1');
      await Promise.all([a, b].map((name) => watching.status.server(name, isLive('2.1.1'))));
      await gateway.close();
      const ready = await untilEvent(watching, isOf(a, 'server_ready', '2.1.1'));
      const begun = await untilEvent(watching, isOf(b, 'server_starting', '2.1.1'));
      expect(ready.seq).toBeLessThan(begun.seq);
      expect(gateway.failed).toEqual([]);
    }),
  );

  test.concurrent(
    'while a pull stalls in the registry a crash is recovered, and a newer commit goes past it',
    onStage(async (stage, { expect }) => {
      const proxy = await RegistryProxy.open(stage.engine.registry.port);
      try {
        await craftImage(stage.engine, stage.name('a'), '1.0.0');
        proxy.fail('slow', await craftImage(stage.engine, stage.name('a'), '1.1.0'));
        await craftImage(stage.engine, stage.name('a'), '1.2.0');
        const image = `${proxy.host}/liminalcommons/${stage.name('a')}`;
        const watching = await stage.watch({ options: ['--trust', `${proxy.host}/liminalcommons/*`] });
        const a = stage.name('a');
        const merge = (version: string): Promise<string> =>
          stage.merge([stage.entry('a', { update, docker: { image } }, version)]);
        await allReady(watching, await merge('1.0.0'), [a]);
        await merge('1.1.0');
        await expect.poll(() => proxy.struck).toBeGreaterThan(0);
        const live = await watching.status.server(a, isLive('1.0.0'));
        await behave(live, 'exit-at-once');
        const recovered = await untilEvent(watching, isOf(a, 'recovery_successful'));
        expect(recovered['seconds_down']).toBeLessThan(60);
        const merged = Date.now();
        await merge('1.2.0');
        await watching.status.server(a, isLive('1.2.0'));
        expect(Date.now() - merged).toBeLessThan(60_000);
        expect(await eventsOf(watching, 'version_quarantined')).toEqual([]);
        expect(await eventsOf(watching, 'update_gate_failed')).toEqual([]);
      } finally {
        await proxy.close();
      }
    }),
  );
});
