import { isoSeconds } from '../../lib/time.ts';
import type { ServerRecord, StatusView } from '../../model/status.ts';
import type { World } from '../../model/world.ts';

/** Servers about which a mistake of ours is known now, and what the status said before. */
export interface Aside {
  readonly servers: readonly string[];
  readonly before: StatusView | null;
}

export const nobody: Aside = { servers: [], before: null };

export const internalError = 'internal_error';

const ADVICE =
  'it is a mistake in mcp-orchestration itself: send us its internal_error line of events.jsonl and the log of run around it';

/** What runs may well serve: addresses and health stay what they were. */
export const asMistaken = (record: ServerRecord): ServerRecord => ({
  ...record,
  phase: 'failed',
  reason: internalError,
  suggested_action: ADVICE,
});

/** Nothing can be said of it now but what was said before; nothing at all where that was nothing. */
export function recordAside(name: string, world: World, { before }: Aside): ServerRecord {
  const known = before?.servers.find((record) => record.name === name);
  return asMistaken(known ?? unknownRecord(name, world));
}

function unknownRecord(name: string, { now, desired }: World): ServerRecord {
  return {
    ...{ id: name, name, namespace: name, description: null, repository: null, maintainers: [] },
    ...{ tags: [], capabilities: [], quality_tier: null, tools: [] },
    ...{ version: null, desired_version: null, image: null, image_digest: null, desired_state: 'running' },
    ...{
      phase: 'failed',
      health: 'unknown',
      status: 'down',
      routable: false,
      conformant: null,
      departures: [],
    },
    ...{ reason: internalError, suggested_action: ADVICE, since: isoSeconds(now), why: ADVICE },
    ...{ last_check: null, response_time_ms: null, consecutive_failures: 0, uptime_seconds: null },
    ...{ transport: 'http', url: null, mcp_url: null, health_url: null, endpoints: [] },
    recovery: { attempts: 0, max_attempts: 0, next_attempt_at: null, requires_manual: true },
    update: {
      ...{ strategy: 'pinned', available: null, state: 'none', reason: null, at: null },
      ...{ passed_over: [], quarantined: [] },
    },
    ...{ revision: desired.revision, trace_id: desired.traceId, index: 0 },
  };
}
