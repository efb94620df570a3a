import type { Clock } from '../lib/clock.ts';
import { isoSeconds } from '../lib/time.ts';
import type { Board, Change, Shown } from './board.ts';
import { ecosystemOf } from './bodies.ts';
import { hasLooked, type Looked } from './route.ts';

/** Somebody who follows the stream, over whichever wire. */
export interface Reader {
  send(frame: Frame): void;
  /** Bytes that were sent and have not gone out. */
  unsent(): number;
  /** Ends politely: we are closing. */
  end(): void;
  /** Ends now: they do not read, or are gone. */
  cut(): void;
}

interface Message {
  readonly index: number;
  readonly event_type: string;
  readonly timestamp?: string;
}

/** One message, its bytes made once for all readers, when the first of them gets it. */
export class Frame {
  readonly #message: Message;
  #json: Buffer | null = null;
  #event: Buffer | null = null;

  constructor(message: Message) {
    this.#message = message;
  }

  get json(): Buffer {
    this.#json ??= Buffer.from(JSON.stringify(this.#message));
    return this.#json;
  }

  /** As text/event-stream. A heartbeat has a name of its own, and no id: nobody resumes behind it. */
  get event(): Buffer {
    const { event_type: type, index } = this.#message;
    const head = type === 'heartbeat' ? 'event: heartbeat\n' : `id: ${index}\n`;
    this.#event ??= Buffer.concat([Buffer.from(`${head}data: `), this.json, Buffer.from('\n\n')]);
    return this.#event;
  }
}

/** A snapshot, then every change, to each of many readers; who comes back behind a change gets only what followed. */
export class Stream {
  readonly #board: Board;
  readonly #clock: Clock;
  /** The index each of them knows; null while they wait for our first look. */
  readonly #readers = new Map<Reader, number | null>();
  readonly #closed = new AbortController();
  #changes: { readonly index: number; readonly frame: Frame }[] = [];
  /** The index behind which `#changes` is complete. */
  #completeFrom: number;
  #snapshot: { readonly of: Shown; readonly frame: Frame } | null = null;
  #cutOff = 0;

  constructor(board: Board, clock: Clock) {
    this.#board = board;
    this.#clock = clock;
    this.#completeFrom = board.shown().index;
    board.watch((change) => this.#take(change));
    void this.#beat();
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** How many were cut off because they did not read. */
  get cutOff(): number {
    return this.#cutOff;
  }

  get isFull(): boolean {
    return this.#readers.size >= MAX_READERS || this.#closed.signal.aborted;
  }

  /** From now on until `leave`; who comes when we are closed is sent away. `since`: what they know already; null: nothing. */
  admit(reader: Reader, since: number | null): void {
    if (this.#closed.signal.aborted) return reader.end();
    this.#readers.set(reader, null);
    this.begin(reader, since);
  }

  /** What they do not know yet: the changes behind `since` where all of them are kept, else a snapshot. */
  begin(reader: Reader, since: number | null): void {
    const shown = this.#board.shown();
    if (!this.#readers.has(reader) || !hasLooked(shown)) return;
    const canResume = since !== null && since >= this.#completeFrom && since <= shown.index;
    this.#readers.set(reader, shown.index);
    if (!canResume) return this.#send(reader, this.#snapshotOf(shown));
    for (const { index, frame } of this.#changes) if (index > since) this.#send(reader, frame);
  }

  leave(reader: Reader): void {
    this.#readers.delete(reader);
  }

  close(): void {
    this.#closed.abort();
    for (const reader of this.#readers.keys()) reader.end();
    this.#readers.clear();
  }

  #take(change: Change): void {
    const frame = new Frame(change);
    this.#changes.push({ index: change.index, frame });
    const dropped = this.#changes.length > MAX_CHANGES ? this.#changes.shift() : undefined;
    if (dropped !== undefined) this.#completeFrom = dropped.index;
    for (const [reader, known] of this.#readers) {
      if (known === null) this.begin(reader, null);
      else if (known < change.index) this.#pass(reader, change.index, frame);
    }
  }

  #pass(reader: Reader, index: number, frame: Frame): void {
    this.#readers.set(reader, index);
    this.#send(reader, frame);
  }

  /** The same bytes for everybody who comes within a second. */
  #snapshotOf(shown: Looked): Frame {
    if (this.#snapshot?.of !== shown) {
      const frame = new Frame({ event_type: 'snapshot', ...ecosystemOf(shown) });
      this.#snapshot = { of: shown, frame };
    }
    return this.#snapshot.frame;
  }

  #heartbeat(): Frame {
    const { index } = this.#board.shown();
    return new Frame({ event_type: 'heartbeat', index, timestamp: isoSeconds(this.#clock.now()) });
  }

  /** A reader who leaves so much unread is cut off: it can come back and go on where it was. */
  #send(reader: Reader, frame: Frame): void {
    const allowed = Math.max(MAX_UNSENT, 2 * (this.#snapshot?.frame.json.length ?? 0));
    if (reader.unsent() <= allowed) return reader.send(frame);
    this.#cutOff += 1;
    this.leave(reader);
    reader.cut();
  }

  async #beat(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await this.#clock.sleep(HEARTBEAT_MS, signal);
      const frame = this.#heartbeat();
      for (const reader of this.#readers.keys()) this.#send(reader, frame);
    }
  }
}

const HEARTBEAT_MS = 15_000;
const MAX_CHANGES = 1_000;
const MAX_READERS = 1_024;
/** For each reader; the bytes themselves are shared between them. */
const MAX_UNSENT = 1024 * 1024;
