import { isoSeconds } from '../lib/time.ts';
import type { ServerRecord, StatusView } from '../model/status.ts';
import { found, type Answer } from './answer.ts';
import type { Shown } from './board.ts';
import { unknownServer } from './refusals.ts';
import type { Ask, Looked } from './route.ts';

/** How long a reader that loses us may go on with what it has: two polls of 30 s missed, and some. */
export const VALID_FOR_SECONDS = 90;

/** A name, or else a namespace. */
export function serverOf(view: StatusView, id: string): ServerRecord | null {
  const { servers } = view;
  return servers.find((each) => each.name === id) ?? servers.find((each) => each.namespace === id) ?? null;
}

/** Without the engine or the remote we are degraded; without the journal we cannot do anything at all. */
export function ownHealth({ self, programVersion, uptimeSeconds, at }: Shown): Answer {
  const worst = Object.values(self).some((check) => check !== 'ok') ? 'degraded' : 'ok';
  const status = self.journal === 'down' ? 'down' : worst;
  const body = {
    status,
    version: programVersion,
    uptime_seconds: uptimeSeconds,
    timestamp: isoSeconds(at),
    checks: self,
  };
  return found(body, status === 'down' ? 503 : 200);
}

/** The body of `/health/status`. */
export function ecosystemOf({ index, view, at }: Looked) {
  const counted = view.servers.filter((each) => each.desired_state === 'running' && each.phase !== 'stopped');
  const count = (health: ServerRecord['health']): number =>
    counted.filter((each) => each.health === health).length;
  const summary = {
    total: counted.length,
    healthy: count('healthy'),
    degraded: count('degraded'),
    unhealthy: count('unhealthy'),
    unknown: count('unknown'),
  };
  return {
    schema_version: '1.0',
    index,
    generated_at: isoSeconds(at),
    valid_for_seconds: VALID_FOR_SECONDS,
    source: view.source,
    view: view.view,
    status: summary.unhealthy > 0 || summary.degraded * 2 > summary.total ? 'degraded' : 'ok',
    summary,
    servers: view.servers,
  };
}

export function healthOf(record: ServerRecord) {
  const { id, name, namespace, version, health, status, routable, reason, suggested_action, since } = record;
  const { last_check, response_time_ms, consecutive_failures, uptime_seconds, conformant } = record;
  const { departures, health_url, recovery, trace_id, index } = record;
  return {
    ...{ id, name, namespace, version, health, status, routable, reason, suggested_action, since },
    ...{ last_check, response_time_ms, consecutive_failures, uptime_seconds, conformant },
    ...{ departures, health_url, recovery, trace_id, index },
  };
}

export function ofServer(tell: (record: ServerRecord, looked: Looked, ask: Ask) => unknown) {
  return (looked: Looked, ask: Ask): Answer => {
    const record = serverOf(looked.view, ask.id);
    return record === null ? unknownServer(ask.id) : found(tell(record, looked, ask));
  };
}
