import { ownValue, without } from '../../lib/own-value.ts';
import type { Event, Transition } from '../../model/event.ts';
import { isOwnSpec, type ServerMemory } from '../../model/memory.ts';
import type { Health } from '../../model/observed.ts';
import { withoutIncident, type Folds } from './fold.ts';

/** What became of each instance: its ends, our stops, its health. */
export const exits: Folds<ServerMemory> = {
  server_down: (server, event) => fell(withHealth(server, event, 'unhealthy'), event),
  server_degraded: (server, event) => withHealth(server, event, event.to ?? 'degraded'),
  server_healthy: (server, event) => {
    const healthy = withHealth(server, event, 'healthy');
    return isOwnSpec(server, event.spec) ? withoutIncident(healthy) : healthy;
  },
  health_check_completed: (server, event) =>
    event.to === undefined ? server : withHealth(server, event, event.to),
  server_stopping: weBeginToStop,
  instance_removing: weBeginToStop,
  server_stopped: (server, event) =>
    event.by === 'person' ? personStopped(server, event) : weStopped(server, event),
  server_started: (server, { container_id: id }) => ({
    ...server,
    exits: without(server.exits, id),
    stopped: without(server.stopped, id),
    ending: without(server.ending, id),
    drains: without(server.drains, id),
  }),
  instance_removed: (server, { container_id: id }) => ({
    ...server,
    drains: without(server.drains, id),
    exits: without(server.exits, id),
    stopped: without(server.stopped, id),
    ending: without(server.ending, id),
    health: without(server.health, id),
    driftNoted: without(server.driftNoted, id),
    condemned: server.condemned.filter((one) => one !== id),
  }),
};

function fell(server: ServerMemory, event: Event<'server_down'>): ServerMemory {
  const at = event.at ?? event.time_ms;
  const incident = server.incident ?? newIncident(server, event);
  if (event.by === undefined) return { ...server, incident };
  const exit = { at, by: event.by, code: event.exit_code ?? null, sure: event.by !== 'person' };
  return { ...server, incident, exits: { ...server.exits, [event.container_id]: exit } };
}

/** A candidate that falls is a failed gate, not an incident: the server never hung on it. */
function newIncident(server: ServerMemory, event: Event<'server_down'>): ServerMemory['incident'] {
  if (event.incident_id === undefined || !isOwnSpec(server, event.spec)) return null;
  return { id: event.incident_id, downAt: event.at ?? event.time_ms };
}

type About = { readonly container_id: string; readonly time_ms: number };

function weBeginToStop(server: ServerMemory, event: About): ServerMemory {
  const { container_id: id, time_ms: at } = event;
  return { ...weStopped(server, event), ending: { ...server.ending, [id]: at } };
}

function weStopped(server: ServerMemory, { container_id: id, time_ms: at }: About): ServerMemory {
  return { ...server, stopped: { ...server.stopped, [id]: at } };
}

function personStopped(server: ServerMemory, event: Event<'server_stopped'>): ServerMemory {
  const { container_id: id, time_ms: at, exit_code: code = null } = event;
  const known = ownValue(server.exits, id) ?? { at, code };
  return { ...server, exits: { ...server.exits, [id]: { ...known, by: 'person', sure: true } } };
}

/** A pulse that was unknown is that of a new start: what it was before counts no longer. */
function withHealth(server: ServerMemory, event: About & Partial<Transition>, state: Health): ServerMemory {
  const { container_id: id, from, at = event.time_ms } = event;
  const was = state === 'healthy' || (from !== 'unknown' && (ownValue(server.health, id)?.was ?? false));
  return { ...server, health: { ...server.health, [id]: { state, at, was } } };
}
