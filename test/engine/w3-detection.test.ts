import { expect, test } from 'vitest';
import { crash, hang, goOn } from '../../examples/stage/faults.ts';
import { isReady } from '../../examples/stage/status.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { allReady, eventsOf, isOf, onStage, untilEvent } from '../support/stage.ts';

/** A deadline has to be longer than the start period. */
const update = { healthy_deadline_seconds: 120 };
/** What the entry gets that says nothing of its health (contracts section 5). */
const health_check = {
  ...{ interval_seconds: 30, timeout_seconds: 5, failure_threshold: 3 },
  ...{ suspect_interval_seconds: 5, start_period_seconds: 30 },
};

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

test.concurrent(
  'when all servers fall silent at once our view is doubted, nobody is touched, and it clears by itself',
  onStage(async (stage) => {
    const names = ['a', 'b', 'c', 'd'].map(stage.name);
    const watching = await stage.watch();
    const entries = ['a', 'b', 'c', 'd'].map((name) => stage.entry(name));
    await allReady(watching, await stage.merge(entries), names);
    await Promise.all(names.map((name) => hang(stage, name)));
    const suspected = await untilEvent(watching, ({ event_type }) => event_type === 'view_suspected');
    expect(suspected['of']).toBe(4);
    const seen = await watching.status.until('view suspect', ({ view }) => view === 'suspect');
    expect(seen.view).toBe('suspect');
    for (const name of names) await untilEvent(watching, isOf(name, 'server_down'));
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(await eventsOf(watching, 'recovery_started')).toEqual([]);
    await Promise.all(names.map((name) => goOn(stage, name)));
    await untilEvent(watching, ({ event_type }) => event_type === 'view_cleared');
    await watching.status.until(
      'all ready',
      ({ servers, view }) => view === 'clear' && servers.every(isReady),
    );
    expect(await eventsOf(watching, 'recovery_started')).toEqual([]);
    expect(await eventsOf(watching, 'server_started')).toHaveLength(4);
  }),
);
