import { secondsSince } from '../../stage/claims.ts';
import { readEvents, type LoggedEvent } from '../../stage/events.ts';
import { crash, hang } from '../../stage/faults.ts';
import { isReady } from '../../stage/status.ts';
import type { Scene, Scenery } from '../scene.ts';

export const crashed: Scene = {
  title: 'A server crashes, and is brought back',
  play: (scenery) => fall('mcp-server-coda', scenery, { says: 'kill -9 in', commit: crash, seenWithin: 1 }),
};

export const hung: Scene = {
  title: 'A server hangs, and is brought back',
  // Asked every 5 s, after a failure every 2 s, 2 s to answer: 11 s from start to end.
  play: (scenery) =>
    fall('mcp-server-lightrag', scenery, { says: 'kill -STOP in', commit: hang, seenWithin: 12 }),
};

interface Fault {
  readonly says: string;
  readonly commit: typeof crash;
  readonly seenWithin: number;
}

async function fall(name: string, { stage, watching, screen, claims }: Scenery, fault: Fault): Promise<void> {
  await watching.status.server(name, isReady);
  const firstNew = (await readEvents(watching.orchestrator.eventsFile)).length;
  screen.command(`${fault.says} ${name}`);
  const started = Date.now();
  await fault.commit(stage, name);
  const happened = async (type: string): Promise<LoggedEvent | undefined> =>
    (await readEvents(watching.orchestrator.eventsFile))
      .slice(firstNew)
      .find((event) => event.event_type === type && event.server_name === name);
  await watching.status.server(name, ({ recovery }) => recovery.attempts > 0);
  await watching.status.server(name, isReady);
  const seen = ((await happened('server_down'))?.time_ms ?? Infinity) - started;
  screen.say(`${name} was seen after ${(seen / 1_000).toFixed(1)} s and is ready again`);
  claims.within(`${fault.says} ${name}: until it is seen`, seen / 1_000, fault.seenWithin);
  claims.within(`${fault.says} ${name}: until it is ready again`, secondsSince(started), 60);
}
