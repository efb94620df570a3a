import { expect, test } from 'vitest';
import { openEngine } from '../../examples/engine/engine.ts';
import { containersOf } from '../../examples/stage/containers.ts';
import { readEvents, type LoggedEvent } from '../../examples/stage/events.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { allReady, eventsOf, isLive, isOf, openTestStage, theServer, untilEvent } from '../support/stage.ts';

const update = {
  ...{ min_healthy_seconds: 1, healthy_deadline_seconds: 60, soak_seconds: 2 },
  ...{ drain_min_seconds: 1, drain_timeout_seconds: 5 },
};

/** Kinds of events about a server since then, each once. */
async function kindsOf(watching: Watching, server: string, since: number): Promise<string[]> {
  const events = await readEvents(watching.orchestrator.eventsFile);
  const own = events.filter(({ seq, server_name }: LoggedEvent) => seq > since && server_name === server);
  return [...new Set(own.map(({ event_type }) => event_type))];
}

test('the engine killed at each step of an update: nobody is blamed for it, and the update ends right', async () => {
  const engine = await openEngine({ alwaysPrivate: true });
  if (!engine.private) throw new Error('only an engine of our own may be killed');
  const stage = await openTestStage(engine);
  try {
    await theServer(engine, '1.1.0');
    const a = stage.name('a');
    const watching = await stage.watch();
    await allReady(watching, await stage.merge([stage.entry('a', { update })]), [a]);
    await untilEvent(watching, isOf(a, 'update_completed'));
    const since = (await readEvents(watching.orchestrator.eventsFile)).at(-1)?.seq ?? 0;
    await stage.merge([stage.entry('a', { update }, '1.1.0')]);
    const killedAt = new Set<string>();
    const over = async (): Promise<boolean> =>
      (await kindsOf(watching, a, since)).includes('update_completed');
    while (!(await over())) {
      const isNew = async (): Promise<string | undefined> =>
        (await kindsOf(watching, a, since)).find((kind) => !killedAt.has(kind));
      await expect.poll(isNew).toBeDefined();
      for (const kind of await kindsOf(watching, a, since)) killedAt.add(kind);
      await engine.killEngine();
      await engine.startEngine();
    }
    expect(killedAt.size).toBeGreaterThanOrEqual(5);
    await watching.status.server(a, isLive('1.1.0'));
    await expect
      .poll(async () => (await containersOf(engine, stage.owner)).map(({ State }) => State))
      .toEqual(['running']);
    for (const blame of ['version_quarantined', 'update_failed', 'recovery_failed', 'recovery_exhausted'])
      expect(await eventsOf(watching, blame), blame).toEqual([]);
  } finally {
    await stage.close();
  }
}, 600_000);
