import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../examples/engine/registry.ts';
import { containersOf } from '../../examples/stage/containers.ts';
import { readEvents, type LoggedEvent } from '../../examples/stage/events.ts';
import { Gateway } from '../../examples/stage/gateway.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import {
  allReady,
  eventsOf,
  isLive,
  isOf,
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

const update = {
  ...{ min_healthy_seconds: 1, healthy_deadline_seconds: 60, soak_seconds: 2 },
  ...{ drain_min_seconds: 3, drain_timeout_seconds: 8 },
};

/** Lines about one server, as they are written down by whichever life. */
async function linesOf(watching: Watching, server: string, after: number): Promise<LoggedEvent[]> {
  const events = await readEvents(watching.orchestrator.eventsFile);
  return events.filter(({ seq, server_name: about }) => seq > after && about === server);
}

/** Kills it as soon as there are more lines than `seen`; how many there are then. */
async function killAtNextLine(
  watching: Watching,
  server: string,
  after: number,
  seen: number,
): Promise<number> {
  await expect.poll(async () => (await linesOf(watching, server, after)).length).toBeGreaterThan(seen);
  await watching.orchestrator.kill();
  return (await linesOf(watching, server, after)).length;
}

/** Begins `change`, and kills the orchestrator after each line that is written about the server until `end` is. */
async function killAfterEachLine(
  begun: Watching,
  { server, options }: { readonly server: string; readonly options: readonly string[] },
  end: (event: LoggedEvent) => boolean,
): Promise<{ readonly deaths: number; readonly watching: Watching }> {
  const before = (await readEvents(begun.orchestrator.eventsFile)).at(-1)?.seq ?? 0;
  let [watching, seen, deaths] = [begun, 0, 0];
  while (!(await linesOf(watching, server, before)).some(end)) {
    seen = await killAtNextLine(watching, server, before, seen);
    deaths += 1;
    watching = await stage.watch({ options });
  }
  return { deaths, watching };
}

test('killed after each line of an update and of a restart by token, no request of a gateway is lost', async () => {
  await theServer(stage.engine, '1.1.0');
  const a = stage.name('a');
  const options = ['--listen', `127.0.0.1:${await freePort()}`];
  const first = await stage.watch({ options });
  await allReady(first, await stage.merge([stage.entry('a', { update })]), [a]);
  await untilEvent(first, isOf(a, 'update_completed'));
  const gateway = await new Gateway(first.url).open();
  gateway.load(a, 50);
  const changes = [
    [stage.entry('a', { update }, '1.1.0')],
    [stage.entry('a', { update, restart_token: 'again' }, '1.1.0')],
  ];
  let watching = first;
  for (const entries of changes) {
    await stage.merge(entries);
    const isOver = (event: LoggedEvent): boolean => isOf(a, 'update_completed', '1.1.0')(event);
    const killed = await killAfterEachLine(watching, { server: a, options }, isOver);
    expect(killed.deaths).toBeGreaterThanOrEqual(6);
    watching = killed.watching;
    await watching.status.server(a, isLive('1.1.0'));
    await watching.status.server(a, ({ endpoints }) => endpoints.length === 1);
  }
  await gateway.close();
  expect(gateway.failed).toEqual([]);
  expect(gateway.traffic(a, 'short').versions).toEqual(['1.0.0', '1.1.0']);
  await expect
    .poll(async () => (await containersOf(stage.engine, stage.owner)).map(({ State }) => State))
    .toEqual(['running']);
  const events = await readEvents(watching.orchestrator.eventsFile);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, position) => position + 1));
  for (const bad of ['version_quarantined', 'recovery_started', 'server_down', 'update_failed'])
    expect(await eventsOf(watching, bad), bad).toEqual([]);
}, 600_000);
