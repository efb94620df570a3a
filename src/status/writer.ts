import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Text, type Answer } from './answer.ts';
import type { Shown } from './board.ts';

interface Told {
  readonly answer: Answer;
  /** What it is made from; null for a refusal. */
  readonly shown: Shown | null;
}

/** Makes bytes of answers: once for each state shown, however many ask. */
export class Writer {
  readonly #made = new WeakMap<Shown, Map<string, Bytes>>();

  async write(request: IncomingMessage, response: ServerResponse, { answer, shown }: Told): Promise<void> {
    for (const [name, value] of Object.entries({ ...always, ...answer.headers }))
      response.setHeader(name, value);
    if (isKnownAlready(request, answer)) return void response.writeHead(304).end();
    const bytes = this.#bytes(request.url ?? '', answer, shown);
    const body = acceptsGzip(request) && bytes.plain.length >= WORTH_ZIPPING ? await bytes.zipped() : null;
    if (body !== null) response.setHeader('Content-Encoding', 'gzip');
    const sent = body ?? bytes.plain;
    response.writeHead(answer.code, { 'Content-Length': sent.length });
    response.end(request.method === 'HEAD' ? undefined : sent);
  }

  #bytes(url: string, answer: Answer, shown: Shown | null): Bytes {
    if (shown === null || answer.code !== 200) return new Bytes(answer.body);
    const kept = this.#made.get(shown) ?? new Map<string, Bytes>();
    this.#made.set(shown, kept);
    // The query of a blocking question changes nothing in its answer.
    const key = answer.headers['ETag'] === undefined ? url : (url.split('?')[0] ?? url);
    const bytes = kept.get(key) ?? new Bytes(answer.body);
    kept.set(key, bytes);
    return bytes;
  }
}

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
