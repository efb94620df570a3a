import { Agent, request, type Dispatcher } from 'undici';
import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import { OneQuestion } from './budget.ts';
import { isLoopback } from './reference.ts';

export interface Ask {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

const REQUEST_LIMIT_MS = 20_000;
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_REDIRECTS = 3;
/** Some say so to HEAD. */
const NOT_IMPLEMENTED = 501;

/** HTTP as registries speak it: bounded in time, size and redirects; credentials never cross to another origin. */
export class Transport {
  readonly #clock: Clock;
  readonly #agent = new Agent({ connections: 8, headersTimeout: 0, bodyTimeout: 0 });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One question with its redirects. Any status is an answer but 429 and 5xx. Rejects with a `Failure`. */
  async ask(ask: Ask, signal: AbortSignal): Promise<Reply> {
    const deadline = this.#clock.deadline(REQUEST_LIMIT_MS, signal);
    let next = ask;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
      const reply = await this.#exchange(next, deadline);
      const target = redirectOf(reply, next);
      if (target === null) return answerOf(reply, next.url, this.#clock.now());
      next = { ...ask, url: target, headers: headersFor(target, ask) };
    }
    throw new Failure('registry_answer', `${ask.url.host} redirects more than ${MOST_REDIRECTS} times`);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #exchange({ url, method, headers, body }: Ask, signal: AbortSignal): Promise<Reply> {
    if (url.protocol !== 'https:' && !isLoopback(url.hostname)) {
      throw new Failure('registry_answer', `${url.host} would be asked without encryption, which we do not`);
    }
    const plain = { 'accept-encoding': 'identity', 'user-agent': 'mcp-orchestration', ...headers };
    const options = { dispatcher: this.#agent, method, headers: plain, signal, body: body ?? null };
    try {
      const response = await request(url, options);
      return {
        status: response.statusCode,
        headers: flat(response.headers),
        body: await readAll(response.body),
      };
    } catch (error) {
      throw error instanceof Failure ? error : unreachable(url, error);
    }
  }
}

/** Basic credentials or a token belong to the origin they were made for. */
function headersFor(target: URL, { url, headers = {} }: Ask): Readonly<Record<string, string>> {
  if (target.origin === url.origin) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'authorization'));
}

/** A POST carries its secret in its body and is not sent anywhere else. */
function redirectOf({ status, headers }: Reply, { method, url }: Ask): URL | null {
  if (method === 'POST' || ![301, 302, 303, 307, 308].includes(status)) return null;
  const target = headers['location'] ?? '';
  if (!URL.canParse(target, url.href))
    throw new Failure('registry_answer', `${url.host} redirects to nowhere`);
  return new URL(target, url);
}

function answerOf(reply: Reply, url: URL, now: number): Reply {
  const { status, headers } = reply;
  if (status === NOT_IMPLEMENTED || (status !== 429 && status < 500)) return reply;
  const retryAfterMs = retryAfterOf(headers['retry-after'], now);
  const options = retryAfterMs === null ? {} : { retryAfterMs };
  const message = `${url.host} answers ${status}`;
  // One broken manifest, as a rule: the others of the host may be well.
  if (status === 500) throw new OneQuestion('registry_busy', message, options);
  throw new Failure('registry_busy', message, options);
}

const LONGEST_RETRY_AFTER_MS = 6 * 3600_000;

/** Seconds or a date; what is neither, or beyond six hours, is not believed. */
function retryAfterOf(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return ms >= 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : null;
}

async function readAll(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES)
      throw new Failure('registry_answer', 'an answer of the registry is larger than 4 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const flat = (headers: Dispatcher.ResponseData['headers']): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** The cause of a failed connection is in its code or its message; neither ever holds a header of ours. */
function unreachable(url: URL, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure('registry_unreachable', `${url.host} cannot be asked: ${why}`, { cause });
}
