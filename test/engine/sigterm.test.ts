import { test } from 'vitest';
import { containersOf } from '../../examples/stage/containers.ts';
import { readEvents } from '../../examples/stage/events.ts';
import { startOrchestrator } from '../../examples/stage/orchestrator.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { allReady, eventsOf, isLive, isOf, onStage, theServer, untilEvent } from '../support/stage.ts';

const ENDED_WELL = { code: 0, signal: null };

test.concurrent(
  'ended with SIGTERM at any moment of its start, it ends well, or had not begun',
  onStage(async (stage, { expect }) => {
    const order = { ...stage, manifest: stage.repository.url };
    for (const afterMs of [0, 60, 120, 200, 300, 450, 700, 1_000]) {
      const orchestrator = startOrchestrator(order);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const exit = await orchestrator.stop();
      const begun =
        (await readEvents(orchestrator.eventsFile)).length > 0 || (await orchestrator.log()) !== '';
      // Until the program has been read nobody listens for signals, and nothing has been done.
      if (begun || exit.signal !== 'SIGTERM') expect(exit, `after ${afterMs} ms`).toEqual(ENDED_WELL);
    }
    const last = startOrchestrator(order);
    await last.url();
    expect(await last.stop()).toEqual(ENDED_WELL);
    const kinds = (await readEvents(last.eventsFile)).map(({ event_type }) => event_type);
    const starts = kinds.filter((kind) => kind === 'orchestrator_started');
    expect(kinds.filter((kind) => kind === 'orchestrator_stopped')).toHaveLength(starts.length);
  }),
  600_000,
);

test.concurrent(
  'ended with SIGTERM while the engine does not answer, and in every part of an update, it ends well and the next one goes on',
  onStage(async (stage, { expect }) => {
    await theServer(stage.engine, '1.1.0');
    const proxy = await EngineProxy.open(stage.engine.docker.socket);
    const [a, dockerSocket] = [stage.name('a'), proxy.socket];
    let watching = await stage.watch({ dockerSocket });
    await allReady(watching, await stage.merge([stage.entry('a')]), [a]);
    await untilEvent(watching, isOf(a, 'update_completed'));
    proxy.trouble = 'hangs';
    await stage.merge([stage.entry('a', {}, '1.1.0')]);
    await expect.poll(() => proxy.calls.at(-1)).toContain('/containers/json');
    expect(await watching.orchestrator.stop()).toEqual(ENDED_WELL);
    proxy.trouble = { delayMs: 0 };
    const parts = [
      ...[isOf(a, 'server_starting', '1.1.0'), isOf(a, 'server_ready', '1.1.0')],
      ...[isOf(a, 'drain_started', '1.0.0'), isOf(a, 'update_completed', '1.1.0')],
    ];
    for (const reached of parts) {
      watching = await stage.watch({ dockerSocket });
      const { seq } = await untilEvent(watching, reached);
      expect(await watching.orchestrator.stop(), `after line ${seq}`).toEqual(ENDED_WELL);
    }
    watching = await stage.watch({ dockerSocket });
    await watching.status.server(a, isLive('1.1.0'));
    await expect.poll(async () => (await containersOf(stage.engine, stage.owner)).length).toBe(1);
    for (const blame of ['version_quarantined', 'update_failed', 'server_down', 'recovery_started'])
      expect(await eventsOf(watching, blame), blame).toEqual([]);
    await watching.orchestrator.stop();
    await proxy.close();
  }),
  600_000,
);
