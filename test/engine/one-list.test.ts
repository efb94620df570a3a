import { expect, test } from 'vitest';
import { EngineProxy } from '../support/engine-proxy.ts';
import { program } from '../support/program.ts';
import { allReady, eventsOf, onStage } from '../support/stage.ts';

test(
  'a pass over a converged world makes no write to the engine and asks for one list',
  onStage(async (stage) => {
    const tap = await EngineProxy.open(stage.engine.docker.socket);
    try {
      const revision = await stage.merge([stage.entry('a'), stage.entry('b')]);
      const watching = await stage.watch({ dockerSocket: tap.socket });
      await allReady(watching, revision, [stage.name('a'), stage.name('b')]);
      await expect.poll(() => eventsOf(watching, 'update_completed')).toHaveLength(2);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      tap.calls.length = 0;
      const retried = await program(['retry', stage.name('a'), '--state', watching.orchestrator.state]);
      expect(retried).toMatchObject({ code: 0 });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(tap.writes).toEqual([]);
      const isList = (call: string): boolean => call.includes('/containers/json');
      expect(tap.calls.filter((call) => !isList(call))).toEqual([]);
      // One pass is one list; on a slow machine a pass of its own (a resync, a waiting that ended) may fall in between.
      expect(tap.calls.filter(isList).length).toBeGreaterThanOrEqual(1);
      expect(tap.calls.filter(isList).length).toBeLessThanOrEqual(2);
    } finally {
      await tap.close();
    }
  }),
);
