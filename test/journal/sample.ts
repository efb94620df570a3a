import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyMemory } from '../../src/model/memory.ts';
import type { Event } from '../../src/model/event.ts';

export const START = Date.UTC(2026, 10, 20, 12, 0, 0);

export const stateFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'journal-'));

/** The n-th event, a second after the one before. */
export function event(seq: number, more: Record<string, unknown> = {}): Event {
  return {
    event_type: 'server_removed',
    trace_id: 'ecosystem-w3',
    timestamp: new Date(START + seq * 1000).toISOString().replace(/\.\d+/, ''),
    repo: 'mcp-orchestration',
    seq,
    time_ms: START + seq * 1000,
    server_name: 'mcp-server-github',
    version: '1.0.0',
    ...more,
  } as unknown as Event;
}

export const checkpoint = (seq: number): Event =>
  event(seq, {
    event_type: 'memory_checkpoint',
    memory: { ...emptyMemory, seq: seq - 1 },
    server_name: undefined,
    version: undefined,
  });

/** Lines of others, in the shapes found in the wild. */
export const foreign = [
  '# Cross-Repository Inbox Event Log',
  '',
  '{"event_type": "task_started", "task_id": "task-301", "trace_id": "x", "timestamp": "2025-10-28T04:30:56Z", "repo": "chora-base"}\r',
  '{"timestamp":"2025-10-31T21:05:00Z","trace_id":"launch","event_type":"coordination_submitted","source":"mcp-orchestration","metadata":{"w3":true}}',
  '{"event_type": "recovery_started", "trace_id": "w3", "timestamp": "2025-10-27T10:31:00Z", "repo": "mcp-orchestration", "server_name": "mcp-server-a", "attempt": 1}',
];
