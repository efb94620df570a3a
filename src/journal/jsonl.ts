import type { Event } from '../model/event.ts';
import { nodeDisk, type Disk } from './disk.ts';
import { toFailure } from './failures.ts';
import { currentFile, filesOf, placeOf, type Place } from './files.ts';
import type { Journal, LogName } from './journal.ts';
import { readLine } from './line.ts';
import { readLines } from './lines.ts';
import { LogFile } from './log-file.ts';

export interface JournalOptions {
  readonly directory: string;
  /** Where events go instead of `<directory>/events.jsonl`: a file that others write to as well. */
  readonly eventsFile?: string | undefined;
  /** Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Rotated files kept of each log, default 14. */
  readonly keep?: number | undefined;
  readonly disk?: Disk | undefined;
}

/** `events.jsonl` and `health.jsonl`. Rejects with a `Failure` (`state_unusable`, `disk_full`). */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const limits = { maxBytes: options.maxBytes ?? MAX_BYTES, keep: options.keep ?? KEEP };
  const disk = options.disk ?? nodeDisk;
  const events = await LogFile.open(placeOf(options.directory, 'events', options.eventsFile), limits, disk);
  const health = await LogFile.open(placeOf(options.directory, 'health'), limits, disk).catch(
    async (error: unknown) => {
      await events.close();
      throw error;
    },
  );
  const logs: Readonly<Record<LogName, LogFile>> = { events, health };
  return {
    next: (log) => logs[log].next,
    append: (log, event) => logs[log].append(event),
    replay: (log) => replay(logs[log]),
    bytes: (log) => logs[log].bytes,
    isFull: (log) => logs[log].isFull,
    rotate: (log, first) => logs[log].rotate(first),
    close: async () => void (await Promise.all([events.close(), health.close()])),
  };
}

const MAX_BYTES = 64 * 1024 * 1024;
const KEEP = 14;

interface Found {
  readonly events: readonly Event[];
  readonly skipped: number;
}

async function replay(log: LogFile): Promise<Found> {
  try {
    const found = await sinceCheckpoint(log.place);
    return { ...found, skipped: found.skipped + log.cutLines };
  } catch (error) {
    throw toFailure(error, currentFile(log.place));
  }
}

/** File by file backwards, to the newest that has a checkpoint: usually the first one looked at. */
async function sinceCheckpoint(place: Place): Promise<Found> {
  let later: Found = { events: [], skipped: 0 };
  for (const path of (await filesOf(place)).toReversed()) {
    const { events, skipped } = await readFile(path);
    const checkpoint = events.findLastIndex((event) => event.event_type === 'memory_checkpoint');
    const wanted = events.slice(Math.max(checkpoint, 0));
    later = { events: [...wanted, ...later.events], skipped: skipped + later.skipped };
    if (checkpoint !== -1) break;
  }
  return later;
}

async function readFile(path: string): Promise<Found> {
  const events: Event[] = [];
  let skipped = 0;
  for await (const { text } of readLines(path)) {
    const reading = readLine(text);
    if (reading.kind === 'event') events.push(reading.event);
    if (reading.kind === 'unreadable') skipped += 1;
  }
  return { events, skipped };
}
