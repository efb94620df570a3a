import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Text, type Answer } from './answer.ts';
import type { Shown } from './board.ts';

interface Told {
  readonly answer: Answer;
  /** What it is made from, and which of all answers made from it this is; null: nobody else is told the same. */
  readonly from: { readonly shown: Shown; readonly key: string } | null;
}

/** Makes bytes of answers: once for each state shown, however many ask. */
export class Writer {
  readonly #made = new WeakMap<Shown, Shelf>();

  async write(request: IncomingMessage, response: ServerResponse, { answer, from }: Told): Promise<void> {
    const headers = { ...always, ...answer.headers };
    if (isKnownAlready(request, answer)) return void response.writeHead(304, headers).end();
    const bytes = from === null || answer.code !== 200 ? new Bytes(answer.body) : this.#bytes(answer, from);
    const zipped = acceptsGzip(request) && bytes.plain.length >= WORTH_ZIPPING ? await bytes.zipped() : null;
    // They went while it was made.
    if (response.destroyed) return;
    const sent = zipped ?? bytes.plain;
    // All at once: Node is slow with headers that are set one by one.
    response.writeHead(answer.code, {
      ...headers,
      ...(zipped === null ? {} : { 'Content-Encoding': 'gzip' }),
      'Content-Length': sent.length,
    });
    response.end(request.method === 'HEAD' ? undefined : sent);
  }

  #bytes({ body }: Answer, { shown, key }: NonNullable<Told['from']>): Bytes {
    const shelf = this.#made.get(shown) ?? { bytes: new Map<string, Bytes>(), size: 0 };
    this.#made.set(shown, shelf);
    const bytes = shelf.bytes.get(key) ?? new Bytes(body);
    if (shelf.bytes.has(key) || shelf.size + bytes.plain.length > MAX_KEPT) return bytes;
    shelf.bytes.set(key, bytes);
    shelf.size += bytes.plain.length;
    return bytes;
  }
}

/** The answers made from one state. */
interface Shelf {
  readonly bytes: Map<string, Bytes>;
  size: number;
}

/** Enough for every answer that programs ask for; who asks for each in five hundred lengths waits for it to be made. */
const MAX_KEPT = 32 * 1024 * 1024;

const zip = promisify(gzip);
const WORTH_ZIPPING = 4 * 1024;

const always: Readonly<Record<string, string>> = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-cache',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  Vary: 'Accept-Encoding',
};

class Bytes {
  readonly plain: Buffer;
  #zipped: Promise<Buffer> | null = null;

  constructor(body: unknown) {
    this.plain = Buffer.from(body instanceof Text ? body.text : `${JSON.stringify(body)}\n`);
  }

  zipped(): Promise<Buffer> {
    this.#zipped ??= zip(this.plain);
    return this.#zipped;
  }
}

/** The client has this very answer: its If-None-Match names our ETag (weakly, as all of ours are). */
function isKnownAlready(request: IncomingMessage, answer: Answer): boolean {
  const etag = answer.headers['ETag'] as string | undefined;
  const known = request.headers['if-none-match'];
  if (etag === undefined || known === undefined) return false;
  return (
    known.trim() === '*' || known.split(',').some((each) => each.trim().replace(/^W\//, '') === etag.slice(2))
  );
}

function acceptsGzip(request: IncomingMessage): boolean {
  const accepted = String(request.headers['accept-encoding'] ?? '').split(',');
  return accepted.some((each) => /^\s*gzip\s*(;\s*q=(1|0\.\d*[1-9]\d*)\s*)?$/i.test(each));
}
