import type { Event, EventType } from '../../src/model/event.ts';

/** An event as the recorder would have made it; only what the test says differs. */
export function event(type: EventType, more: Record<string, unknown> = {}): Event {
  const at = typeof more['time_ms'] === 'number' ? more['time_ms'] : Date.now();
  return {
    event_type: type,
    trace_id: 't',
    timestamp: '2026-11-20T12:00:00Z',
    repo: 'mcp-orchestration',
    seq: 1,
    server_name: 'demo',
    incident_id: 'inc-1',
    ...more,
    time_ms: at,
  } as unknown as Event;
}
