import { expect, test } from 'vitest';
import { crash, hang } from '../../examples/stage/faults.ts';
import { Gateway } from '../../examples/stage/gateway.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { isReady } from '../../examples/stage/status.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { allReady, behave, eventsOf, isOf, onStage, untilEvent } from '../support/stage.ts';

/** A deadline has to be longer than the start period. */
const update = { healthy_deadline_seconds: 120 };
/** What the entry gets that says nothing of its health (contracts section 5). */
const health_check = {
  ...{ interval_seconds: 30, timeout_seconds: 5, failure_threshold: 3 },
  ...{ suspect_interval_seconds: 5, start_period_seconds: 30 },
};

const behaves = async (watching: Watching, server: string, as: string): Promise<void> =>
  behave(await watching.status.server(server, isReady), as);

test.concurrent(
  'five servers, four of them in trouble: each is seen and brought back, and the fifth answers all the time',
  onStage(async (stage) => {
    const watching = await stage.watch();
    const [hung, killed, sick, flapping, well] = ['hung', 'killed', 'sick', 'flapping', 'well'].map(
      stage.name,
    ) as [string, string, string, string, string];
    const entries = ['hung', 'killed', 'sick', 'well'].map((name) => stage.entry(name));
    // It is down for less than it takes to be sick: never restarted.
    const patient = { health_check: { failure_threshold: 20 } };
    const revision = await stage.merge([...entries, stage.entry('flapping', patient)], { traceId: 'w3' });
    await allReady(watching, revision, [hung, killed, sick, flapping, well]);
    const gateway = await new Gateway(watching.url).open();
    gateway.load(well, 50);
    try {
      await behaves(watching, flapping, 'flapping');
      const fault = Date.now();
      await Promise.all([hang(stage, hung), crash(stage, killed), behaves(watching, sick, 'answer-503')]);
      const down = await untilEvent(watching, isOf(killed, 'server_down'));
      expect(down).toMatchObject({ reason: 'exited_137', by: 'itself', attempt: 0, trace_id: 'w3' });
      expect(down['seconds_to_detect'], 'a crash is seen within a second').toBeLessThanOrEqual(1);
      const begun = await untilEvent(watching, isOf(killed, 'recovery_started'));
      // backoff_seconds[0] is 1.
      expect((begun.time_ms - down.time_ms) / 1_000).toBeLessThanOrEqual(2);
      const silent = await untilEvent(watching, isOf(hung, 'server_down'));
      // Interval 2 s, timeout 1 s, then asked every second: 5 s from start to end, and a busy machine.
      expect((silent.time_ms - fault) / 1_000).toBeLessThanOrEqual(8);
      expect(silent).toMatchObject({ reason: '3_consecutive_failures' });
      for (const server of [killed, sick, hung]) {
        const back = await untilEvent(watching, isOf(server, 'recovery_successful'), 60_000);
        expect(back).toMatchObject({ recovery_successful: true, attempts: 1 });
        const incident = (await eventsOf(watching, 'server_down', server))[0]?.['incident_id'];
        expect(back['incident_id']).toBe(incident);
      }
      await untilEvent(watching, isOf(flapping, 'server_degraded'));
    } finally {
      await gateway.close();
    }
    expect(gateway.traffic(well, 'short').failed).toEqual([]);
    expect(gateway.traffic(well, 'short').answered).toBeGreaterThan(100);
    for (const server of [well, flapping])
      expect(await eventsOf(watching, 'server_down', server)).toEqual([]);
    for (const server of [well, flapping])
      expect(await eventsOf(watching, 'recovery_started', server)).toEqual([]);
  }),
);

test.concurrent(
  'without the news of the engine, a crash and a hang are seen by asking',
  onStage(async (stage) => {
    const tap = await EngineProxy.open(stage.engine.docker.socket);
    tap.deaf = true;
    try {
      const watching = await stage.watch({ dockerSocket: tap.socket });
      const [a, b] = [stage.name('a'), stage.name('b')];
      await allReady(watching, await stage.merge([stage.entry('a'), stage.entry('b')]), [a, b]);
      const fault = Date.now();
      await Promise.all([behaves(watching, a, 'exit-at-once'), hang(stage, b)]);
      for (const server of [a, b]) {
        const down = await untilEvent(watching, isOf(server, 'server_down'));
        expect((down.time_ms - fault) / 1_000, server).toBeLessThanOrEqual(8);
        await untilEvent(watching, isOf(server, 'recovery_successful'), 60_000);
      }
    } finally {
      await tap.close();
    }
  }),
);

test.concurrent(
  'with the default interval a hang is seen within 45 s, and brought back a second later',
  onStage(async (stage) => {
    const a = stage.name('a');
    const watching = await stage.watch();
    await allReady(watching, await stage.merge([stage.entry('a', { health_check, update })]), [a]);
    await hang(stage, a);
    const fault = Date.now();
    const down = await untilEvent(watching, isOf(a, 'server_down'), 60_000);
    expect((down.time_ms - fault) / 1_000).toBeLessThanOrEqual(45);
    const started = await untilEvent(watching, isOf(a, 'recovery_started'));
    // backoff_seconds[0] of these entries is 1.
    expect((started.time_ms - down.time_ms) / 1_000).toBeLessThanOrEqual(2);
    await untilEvent(watching, isOf(a, 'recovery_successful'), 60_000);
  }),
);

test.concurrent(
  'with the default interval and without the news of the engine a crash and a hang are seen within 60 s',
  onStage(async (stage) => {
    const tap = await EngineProxy.open(stage.engine.docker.socket);
    tap.deaf = true;
    try {
      const [a, b] = [stage.name('a'), stage.name('b')];
      const watching = await stage.watch({ dockerSocket: tap.socket });
      const entries = [
        stage.entry('a', { health_check, update }),
        stage.entry('b', { health_check, update }),
      ];
      await allReady(watching, await stage.merge(entries), [a, b]);
      const fault = Date.now();
      await Promise.all([crash(stage, a), hang(stage, b)]);
      for (const server of [a, b]) {
        const down = await untilEvent(watching, isOf(server, 'server_down'), 70_000);
        expect((down.time_ms - fault) / 1_000, server).toBeLessThanOrEqual(60);
      }
    } finally {
      await tap.close();
    }
  }),
);
