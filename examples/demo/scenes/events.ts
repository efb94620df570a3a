import { jqCommand, readEvents, shortLine } from '../../stage/events.ts';
import { ecosystemServers } from '../../stage/ecosystem.ts';
import type { Scene, Scenery } from '../scene.ts';

export const events: Scene = {
  title: 'What happened, by the trace of the change',
  async play({ watching, screen, claims, traceId }: Scenery) {
    const file = watching.orchestrator.eventsFile;
    const traced = (await readEvents(file)).filter((event) => event.trace_id === traceId);
    screen.command(jqCommand(traceId, file));
    screen.table(traced.map(shortLine));
    const readyEvents = traced.filter(({ event_type }) => event_type === 'server_ready');
    const ready = new Set(readyEvents.map(({ server_name }) => server_name)).size;
    claims.holds(
      'the trace of the commit leads to every server',
      ready === ecosystemServers.length,
      `${traced.length} events, server_ready of ${ready}`,
      'server_ready of each',
    );
  },
};
