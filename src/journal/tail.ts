import { stat } from 'node:fs/promises';
import type { Clock } from '../lib/clock.ts';
import type { Event } from '../model/event.ts';
import { absent } from './disk.ts';
import { toFailure } from './failures.ts';
import { currentFile, filesOf, placeOf, type Place } from './files.ts';
import type { LogName } from './journal.ts';
import { fromLine, readLine } from './line.ts';
import { firstEvent, readLines } from './lines.ts';

export interface EventQuery {
  readonly directory: string;
  readonly eventsFile?: string | undefined;
  /** Default `events`. */
  readonly log?: LogName | undefined;
  /** Unix ms: nothing older. */
  readonly since?: number | undefined;
  readonly filter?: ((event: Event) => boolean) | undefined;
  /** Told of every line that cannot be read. */
  readonly skipped?: (() => void) | undefined;
}

/**
 * Everything that is written, oldest first, over all rotated files. For readers: it changes nothing. Rejects with a
 * `Failure` (`state_unusable`) where a file cannot be read.
 */
export async function* readEvents(query: EventQuery): AsyncGenerator<Event> {
  const place = placeFor(query);
  try {
    for (const path of await filesSince(place, query.since)) yield* wantedIn(path, query);
  } catch (error) {
    throw toFailure(error, currentFile(place));
  }
}

/**
 * As `readEvents`, and then whatever is added, until `signal` aborts. Looks twice a second; survives rotation, a
 * truncated file, and a state folder that is deleted and begun anew.
 */
export async function* followEvents(
  query: EventQuery,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Event> {
  const place = placeFor(query);
  const tail = new Tail(place, query.since ?? 0);
  try {
    while (!signal.aborted) {
      for await (const event of tail.news()) if (isWanted(event, query)) yield event;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  } catch (error) {
    throw toFailure(error, currentFile(place));
  }
}

const LOOK_EVERY_MS = 500;

const placeFor = (query: EventQuery): Place =>
  placeOf(query.directory, query.log ?? 'events', query.eventsFile);

const isWanted = (event: Event, { since, filter }: EventQuery): boolean =>
  event.time_ms >= (since ?? 0) && (filter?.(event) ?? true);

async function* wantedIn(path: string, query: EventQuery): AsyncGenerator<Event> {
  for await (const { text, whole } of readLines(path)) {
    const reading = readLine(text);
    if (reading.kind === 'event' && isWanted(reading.event, query)) yield reading.event;
    // What is being written at this moment is not unreadable.
    if (reading.kind === 'unreadable' && whole) query.skipped?.();
  }
}

/** The files that can hold something as young as `since`: from the newest that begins before it. */
async function filesSince(place: Place, since = 0): Promise<string[]> {
  const files = await filesOf(place);
  for (let index = files.length - 1; index > 0; index -= 1) {
    const first = await firstEvent(files[index] ?? '');
    if (first !== null && first.time_ms < since) return files.slice(index);
  }
  return files;
}

interface Mark {
  readonly seq: number;
  readonly time_ms: number;
}

/** Where a reader is in a log that others write, rotate and cut. */
class Tail {
  readonly #place: Place;
  readonly #since: number;
  #inode: number | null = null;
  #offset = 0;
  #last: Mark = { seq: 0, time_ms: 0 };

  constructor(place: Place, since: number) {
    this.#place = place;
    this.#since = since;
  }

  async *news(): AsyncGenerator<Event> {
    const there = await stat(currentFile(this.#place)).catch(absent);
    const sameFile = there !== null && there.ino === this.#inode && there.size >= this.#offset;
    this.#inode = there?.ino ?? null;
    if (there === null) return;
    if (!sameFile) {
      yield* this.#missed();
      this.#offset = 0;
    }
    yield* this.#added(sameFile ? null : this.#last);
  }

  /** What was added to files that have meanwhile been rotated away. */
  async *#missed(): AsyncGenerator<Event> {
    const current = currentFile(this.#place);
    for (const path of await filesSince(this.#place, this.#from())) {
      if (path === current) continue;
      for await (const { text } of readLines(path)) yield* this.#take(fromLine(text), this.#last);
    }
  }

  async *#added(behind: Mark | null): AsyncGenerator<Event> {
    let limit = behind;
    for await (const { text, end, whole } of readLines(currentFile(this.#place), this.#offset)) {
      if (!whole) return;
      this.#offset = end;
      const event = fromLine(text);
      // Numbers that begin again at a later time belong to a log that began again.
      if (event !== null && limit !== null && isNewHistory(event, limit)) limit = null;
      yield* this.#take(event, limit);
    }
  }

  #from(): number {
    return Math.max(this.#since, this.#last.time_ms);
  }

  *#take(event: Event | null, behind: Mark | null): Generator<Event> {
    if (event === null || (behind !== null && event.seq <= behind.seq)) return;
    this.#last = event;
    yield event;
  }
}

const isNewHistory = (event: Mark, last: Mark): boolean =>
  event.seq <= last.seq && event.time_ms > last.time_ms;
