import { constants } from 'node:fs';
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { syncFolder } from '../lib/atomic-file.ts';
import type { Event } from '../model/event.ts';
import { endOf, inodeOf, writeAll, type Disk } from './disk.ts';
import { toFailure } from './failures.ts';
import { currentFile, filesOf, pruneRotated, rotatedName, type Place } from './files.ts';
import { fromLine, toLine } from './line.ts';
import { firstEvent, lastEvent, readLines } from './lines.ts';
import { finishRotation, writeNext } from './rotation.ts';

interface Limits {
  /** Bytes behind its first line at which a file is full. */
  readonly maxBytes: number;
  /** Rotated files that are kept. */
  readonly keep: number;
}

/** One log: the file that is written to, which always ends in a whole line, and the rotated ones beside it. */
export class LogFile {
  readonly place: Place;
  readonly #limits: Limits;
  readonly #disk: Disk;
  #handle: FileHandle;
  #next = 1;
  #size = 0;
  /** Counting towards `maxBytes` begins behind a checkpoint, which alone must never make a file full. */
  #countsFrom = 0;
  /** Somebody took the file away, and with it what memory is folded from. */
  #replaced = false;
  #cutLines = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(place: Place, options: { limits: Limits; disk: Disk; handle: FileHandle }) {
    this.place = place;
    this.#limits = options.limits;
    this.#disk = options.disk;
    this.#handle = options.handle;
  }

  /** Ends what a death left half done. Rejects with `state_unusable` or `disk_full`. */
  static async open(place: Place, limits: Limits, disk: Disk): Promise<LogFile> {
    try {
      await mkdir(place.directory, { recursive: true });
      await finishRotation(place);
      const file = new LogFile(place, { limits, disk, handle: await openToAppend(place) });
      await file.#begin();
      return file;
    } catch (error) {
      throw toFailure(error, currentFile(place));
    }
  }

  get next(): number {
    return this.#next;
  }

  get bytes(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#replaced || this.#size - this.#countsFrom >= this.#limits.maxBytes;
  }

  /** Torn lines that could not be read and were taken away when the file was opened: 0 or 1. */
  get cutLines(): number {
    return this.#cutLines;
  }

  append(event: Event): Promise<void> {
    return this.#inTurn(() => this.#append(event));
  }

  rotate(first: Event | null): Promise<void> {
    return this.#inTurn(() => (this.#isShared ? this.#mark(first) : this.#rotate(first)));
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#handle.close());
  }

  async #append(event: Event): Promise<void> {
    await this.#followFile();
    const { size, whole } = await endOf(this.#handle);
    const bytes = Buffer.from(`${whole ? '' : '\n'}${toLine(event)}\n`);
    await writeAll(this.#handle, bytes, this.#disk).catch((error: unknown) =>
      this.#takeBack(size, bytes, error),
    );
    this.#size = size + bytes.length;
    this.#next = event.seq + 1;
  }

  /** A shared file stays where it is: a checkpoint in the middle of it serves as well. */
  async #mark(first: Event | null): Promise<void> {
    if (first !== null) await this.#append(first);
    this.#countFrom(this.#size);
  }

  /** The new file is whole on disk before the old one moves; a death in between is ended by `finishRotation`. */
  async #rotate(first: Event | null): Promise<void> {
    await this.#followFile();
    const text = first === null ? '' : `${toLine(first)}\n`;
    await writeNext(this.place, text, this.#disk);
    const begun = (await firstEvent(currentFile(this.place)))?.seq ?? this.#next;
    await rename(currentFile(this.place), await rotatedName(this.place, begun));
    await finishRotation(this.place);
    await this.#reopen();
    this.#next = first === null ? this.#next : first.seq + 1;
    this.#size = Buffer.byteLength(text);
    this.#countFrom(this.#size);
    await pruneRotated(this.place, this.#limits.keep);
  }

  #countFrom(bytes: number): void {
    this.#countsFrom = bytes;
    this.#replaced = false;
  }

  /** A file that was deleted or moved away under us is begun anew: lines into a file without a name are lost. */
  async #followFile(): Promise<void> {
    const [ours, there] = await Promise.all([this.#handle.stat(), inodeOf(currentFile(this.place))]);
    if (there === ours.ino) return;
    await mkdir(this.place.directory, { recursive: true });
    await this.#reopen();
    this.#replaced = true;
  }

  async #reopen(): Promise<void> {
    const old = this.#handle;
    this.#handle = await openToAppend(this.place);
    await old.close();
  }

  /** What of a line reached the disk is taken away again, unless somebody else has written behind it. */
  async #takeBack(size: number, line: Buffer, error: unknown): Promise<never> {
    const found = Buffer.alloc(line.length + 1);
    const { bytesRead } = await this.#handle.read(found, 0, found.length, size);
    const isOurs = line.subarray(0, bytesRead).equals(found.subarray(0, bytesRead));
    if (isOurs) await this.#handle.truncate(size);
    throw error;
  }

  async #begin(): Promise<void> {
    try {
      await this.#repair();
      this.#next = await nextSeq(this.place);
      await syncFolder(this.place.directory);
    } catch (error) {
      await this.#handle.close();
      throw error;
    }
  }

  /** A last line without its end is ended when it reads, else taken away; of a shared file nothing is taken. */
  async #repair(): Promise<void> {
    let firstEnds = 0;
    let wholeEnds = 0;
    let torn: string | null = null;
    for await (const { text, end, whole } of readLines(currentFile(this.place))) {
      if (firstEnds === 0) firstEnds = end;
      if (whole) wholeEnds = end;
      else torn = text;
    }
    if (torn !== null) await this.#mend(torn, wholeEnds);
    this.#size = (await endOf(this.#handle)).size;
    this.#countsFrom = this.#isShared ? this.#size : firstEnds;
  }

  async #mend(torn: string, wholeEnds: number): Promise<void> {
    if (this.#isShared || fromLine(torn) !== null) {
      await writeAll(this.#handle, Buffer.from('\n'), this.#disk);
    } else {
      await this.#handle.truncate(wholeEnds);
      this.#cutLines = 1;
    }
  }

  get #isShared(): boolean {
    return this.place.sharedFile !== undefined;
  }

  /** One after the other, whatever became of the one before: its caller has heard of that. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work).catch((error: unknown) => {
      throw toFailure(error, currentFile(this.place));
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** Read too: to see how it ends. */
const openToAppend = (place: Place): Promise<FileHandle> =>
  open(currentFile(place), constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o644);

async function nextSeq(place: Place): Promise<number> {
  for (const path of (await filesOf(place)).toReversed()) {
    const last = await lastEvent(path);
    if (last !== null) return last.seq + 1;
  }
  return 1;
}
