import { open, type FileHandle } from 'node:fs/promises';
import type { Event } from '../model/event.ts';
import { absent } from './disk.ts';
import { fromLine } from './line.ts';

interface Line {
  readonly text: string;
  /** Byte offset just behind it, its newline included. */
  readonly end: number;
  /** False for a last line that has no newline yet. */
  readonly whole: boolean;
}

/**
 * The lines of a file from a byte offset on; nothing where the file does not exist. Only `\n` ends a line: node's
 * readline would also split at U+2028, which JSON leaves as it is.
 */
export async function* readLines(path: string, from = 0): AsyncGenerator<Line> {
  const handle = await openToRead(path);
  if (handle === null) return;
  try {
    yield* linesOf(handle, from);
  } finally {
    await handle.close();
  }
}

/** The last event of ours in a file, read from its end; null where there is none. */
export async function lastEvent(path: string): Promise<Event | null> {
  const handle = await openToRead(path);
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    for (let window = FIRST_WINDOW; ; window *= 4) {
      const found = lastIn(await endOf(handle, size, window));
      if (found !== null || window >= size) return found;
    }
  } finally {
    await handle.close();
  }
}

/** The first event of ours in a file; null where there is none. */
export async function firstEvent(path: string): Promise<Event | null> {
  for await (const { text } of readLines(path)) {
    const event = fromLine(text);
    if (event !== null) return event;
  }
  return null;
}

const openToRead = (path: string): Promise<FileHandle | null> => open(path, 'r').catch(absent);

const CHUNK = 256 * 1024;
const FIRST_WINDOW = 64 * 1024;
const NEWLINE = 0x0a;

async function* linesOf(handle: FileHandle, from: number): AsyncGenerator<Line> {
  let begun: Buffer[] = [];
  let end = from;
  for (let at = from; ;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    const { ended, rest } = cut(buffer.subarray(0, bytesRead));
    for (const piece of ended) {
      const bytes = Buffer.concat([...begun, piece]);
      begun = [];
      end += bytes.length + 1;
      yield { text: bytes.toString('utf8'), end, whole: true };
    }
    begun.push(rest);
  }
  const torn = Buffer.concat(begun);
  if (torn.length > 0) yield { text: torn.toString('utf8'), end: end + torn.length, whole: false };
}

function cut(chunk: Buffer): { readonly ended: readonly Buffer[]; readonly rest: Buffer } {
  const ended: Buffer[] = [];
  let from = 0;
  for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
    ended.push(chunk.subarray(from, to));
    from = to + 1;
  }
  return { ended, rest: chunk.subarray(from) };
}

async function endOf(handle: FileHandle, size: number, window: number): Promise<string[]> {
  const length = Math.min(window, size);
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
  const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
  // Unless it begins where the file begins, the first piece is the end of some line.
  return length < size ? lines.slice(1) : lines;
}

function lastIn(lines: readonly string[]): Event | null {
  for (const text of lines.toReversed()) {
    const event = fromLine(text);
    if (event !== null) return event;
  }
  return null;
}
