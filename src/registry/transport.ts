import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import { OneQuestion } from './budget.ts';
import { Connections, type Reply, type Sent } from './connections.ts';
import type { Route, Routes } from './route.ts';

export type { Reply } from './connections.ts';

export interface Ask extends Sent {
  /** `https`, or `http` where somebody else named it; what is spoken, the route says. */
  readonly url: URL;
  /** The host on whose behalf it is asked: its certificates count for its token server. */
  readonly registry: string;
}

const REQUEST_LIMIT_MS = 20_000;
const MOST_REDIRECTS = 3;
/** Some say so to HEAD. */
const NOT_IMPLEMENTED = 501;

/** HTTP as registries speak it: bounded in time, size and redirects; credentials never cross to another origin. */
export class Transport {
  readonly #clock: Clock;
  readonly #routes: Routes;
  readonly #connections = new Connections();
  /** What was spoken last to a host that need not speak TLS. */
  readonly #spoken = new Map<string, 'https:' | 'http:'>();

  constructor(clock: Clock, routes: Routes) {
    this.#clock = clock;
    this.#routes = routes;
  }

  /** One question with its redirects. Any status is an answer but 429 and 5xx. Rejects with a `Failure`. */
  async ask(ask: Ask, signal: AbortSignal): Promise<Reply> {
    const deadline = this.#clock.deadline(REQUEST_LIMIT_MS, signal);
    let next = ask;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
      const reply = await this.#reach(next, deadline);
      const target = redirectOf(reply, next);
      if (target === null) return answerOf(reply, this.#clock.now());
      next = { ...next, url: target, headers: headersFor(target, reply.url, next) };
    }
    throw new Failure('registry_answer', `${ask.url.host} redirects more than ${MOST_REDIRECTS} times`);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async #reach(ask: Ask, signal: AbortSignal): Promise<Reply> {
    const { url, registry } = ask;
    const finding = this.#routes.to(url.host, registry);
    try {
      const route = await finding;
      const send = route.insecure === null ? this.#securely : this.#anyhow;
      return await send.call(this, ask, route, signal);
    } catch (error) {
      if (isUnreachable(error)) {
        this.#routes.forget(url.host, registry);
        await finding.then((route) => this.#connections.drop(route), nothing);
      }
      throw error;
    }
  }

  #securely(ask: Ask, route: Route, signal: AbortSignal): Promise<Reply> {
    if (ask.url.protocol === 'https:') return this.#connections.send(ask, route, signal);
    const message = `${ask.url.host} would be asked without encryption, which we do not`;
    throw new Failure('registry_answer', message);
  }

  /** TLS first, as the engine does; once it was spoken, nothing less will do. */
  async #anyhow(ask: Ask, route: Route, signal: AbortSignal): Promise<Reply> {
    const { host } = ask.url;
    const spoken = ask.url.protocol === 'http:' ? 'http:' : this.#spoken.get(host);
    if (spoken !== undefined) return this.#again(withScheme(ask, spoken), route, signal);
    try {
      return await this.#noting('https:', ask, route, signal);
    } catch (error) {
      if (!isUnreachable(error) || signal.aborted) throw error;
      return this.#noting('http:', withScheme(ask, 'http:'), route, signal);
    }
  }

  async #noting(scheme: 'https:' | 'http:', ask: Ask, route: Route, signal: AbortSignal): Promise<Reply> {
    const reply = await this.#connections.send(ask, route, signal);
    this.#spoken.set(ask.url.host, scheme);
    return reply;
  }

  async #again(ask: Ask, route: Route, signal: AbortSignal): Promise<Reply> {
    try {
      return await this.#connections.send(ask, route, signal);
    } catch (error) {
      if (isUnreachable(error) && ask.url.protocol === 'http:') this.#spoken.delete(ask.url.host);
      throw error;
    }
  }
}

/** Whoever asked for the route hears of it. */
const nothing = (): void => undefined;

const isUnreachable = (error: unknown): boolean =>
  error instanceof Failure && error.code === 'registry_unreachable';

function withScheme(ask: Ask, scheme: 'https:' | 'http:'): Ask {
  return ask.url.protocol === scheme
    ? ask
    : { ...ask, url: new URL(`${scheme}${ask.url.href.replace(/^[a-z]+:/, '')}`) };
}

/** Basic credentials or a token belong to the origin they were made for. */
function headersFor(target: URL, from: URL, { headers = {} }: Ask): Readonly<Record<string, string>> {
  if (target.origin === from.origin) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'authorization'));
}

/** A POST carries its secret in its body and is not sent anywhere else. */
function redirectOf({ status, headers, url }: Reply, { method }: Ask): URL | null {
  if (method === 'POST' || ![301, 302, 303, 307, 308].includes(status)) return null;
  const location = headers['location'] ?? '';
  const target = URL.canParse(location, url.href) ? new URL(location, url) : null;
  // `data:` and the like have no host that could be asked.
  if (target === null || !/^https?:$/.test(target.protocol))
    throw new Failure('registry_answer', `${url.host} redirects to nowhere`);
  return target;
}

function answerOf(reply: Reply, now: number): Reply {
  const { status, headers, url } = reply;
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
