import { readFile } from 'node:fs/promises';

/** A line of `events.jsonl`, as a reader who knows nothing else takes it. */
export interface LoggedEvent {
  readonly event_type: string;
  readonly trace_id: string;
  readonly timestamp: string;
  readonly time_ms: number;
  readonly seq: number;
  readonly server_name?: string;
  readonly version?: string | null;
  readonly [field: string]: unknown;
}

/** The events of a log; a last line that is still being written is left out. */
export async function readEvents(file: string): Promise<LoggedEvent[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''; // nothing has happened yet
    throw error;
  });
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedEvent);
}

/** One event as people read it; jqCommand gives the same. */
export function shortLine(event: LoggedEvent): string[] {
  return [event.timestamp, event.event_type, event.server_name ?? '-', event.version ?? '-'];
}

/** What a person types to see the events of a trace. */
export function jqCommand(traceId: string, file: string): string {
  const fields = '[.timestamp, .event_type, .server_name // "-", .version // "-"] | @tsv';
  return `jq -r 'select(.trace_id=="${traceId}") | ${fields}' ${file}`;
}
