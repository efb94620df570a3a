import { secondsSince } from '../../stage/claims.ts';
import { containersOf, removeContainer } from '../../stage/containers.ts';
import { readEvents } from '../../stage/events.ts';
import { isReady } from '../../stage/status.ts';
import type { Scene, Scenery } from '../scene.ts';

const name = 'mcp-server-coda';

export const drift: Scene = {
  title: 'A container is removed by hand, and comes back',
  async play({ stage, watching, screen, claims }: Scenery) {
    const [before] = await containersOf(stage.engine, stage.owner, name);
    const instance = before?.Names[0]?.slice(1) ?? '';
    const firstNew = (await readEvents(watching.orchestrator.eventsFile)).length;
    screen.command(`docker rm --force ${instance}`);
    const started = Date.now();
    await removeContainer(stage.engine, before?.Id ?? '');
    const after = await watching.status.server(
      name,
      (server) => isReady(server) && !server.endpoints.some((one) => instance.endsWith(one.instance)),
    );
    const seconds = secondsSince(started);
    screen.say(`${name} is ready again after ${seconds.toFixed(1)} s at ${after.url ?? '-'}`);
    claims.within('from docker rm until the server is ready again', seconds, 60);
    await seenAt(firstNew, started, { watching, claims });
  },
};

async function seenAt(
  firstNew: number,
  started: number,
  { watching, claims }: Pick<Scenery, 'watching' | 'claims'>,
): Promise<void> {
  const events = (await readEvents(watching.orchestrator.eventsFile)).slice(firstNew);
  const seen = events.find(({ server_name }) => server_name === name);
  if (seen === undefined) return claims.failed('the removal is seen', 'no event tells of it');
  claims.within('from docker rm until it is seen', (seen.time_ms - started) / 1_000, 1);
}
