import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { refuseStranger, refuseWithoutToken, type Access } from './access.ts';
import type { Answer } from './answer.ts';
import { Board, type Shown } from './board.ts';
import { asInUrl, Listener, type ListenOptions } from './listener.ts';
import { methodNotAllowed, tooManyReaders, twoHosts } from './refusals.ts';
import { isAnswer, isUnchanged, keyOf, respond, understand, type Question } from './respond.ts';
import type { Metrics } from './metrics.ts';
import type { StatusServer } from './status.ts';
import { streamEvents } from './stream-events.ts';
import { StreamSockets, type Upgrade } from './stream-socket.ts';
import { Stream } from './stream.ts';
import { Writer } from './writer.ts';

export interface StatusServerOptions extends ListenOptions {
  /** Must be shown for all but `/health`; null: nobody has to. */
  readonly token: string | null;
  /** Names besides loopback by which we may be called. */
  readonly allowHosts: readonly string[];
  readonly bootId: string;
  readonly programVersion: string;
  /** New ones by default; given where others count in them too. */
  readonly metrics?: Metrics;
}

/** Listens. Rejects with a `Failure` (`port_taken`) that says in one sentence what to do. */
export async function openStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const board = new Board(options);
  const stream = new Stream(board, options.clock);
  board.countReaders(() => stream);
  const desk = new Desk(options, board, stream);
  const listener = new Listener(options, desk);
  const url = await listener.listen().catch((error: unknown) => {
    stream.close();
    throw error;
  });
  return {
    url,
    publish: (view) => board.publish(view),
    note: (event) => board.note(event),
    recall: (event) => board.recall(event),
    self: (checks) => board.self(checks),
    async close() {
      desk.stopWaiting();
      stream.close();
      await listener.close();
    },
  };
}

const WAIT_SECONDS = 30;
/** Who comes on top of them is answered at once: with as many readers of the stream as there may be, others find room. */
const MAX_WAITING = 640;

/** Takes one question at a time from the network and gives its answer back. */
class Desk {
  readonly #board: Board;
  readonly #clock: Clock;
  readonly #stream: Stream;
  readonly #sockets: StreamSockets;
  readonly #waiting = new Set<AbortController>();
  #isOpen = true;
  readonly #access: Access;
  readonly #writer = new Writer();

  constructor(options: StatusServerOptions, board: Board, stream: Stream) {
    this.#board = board;
    this.#stream = stream;
    this.#sockets = new StreamSockets(stream, options.clock);
    this.#clock = options.clock;
    const hosts = [...options.allowHosts, options.listen.host].map(asInUrl);
    this.#access = { hosts, token: options.token };
  }

  take(request: IncomingMessage, response: ServerResponse, refusal: Answer | null): void {
    // What is still being sent to us is of no interest; a broken connection has nobody left to tell.
    request.resume();
    this.#answer(request, response, refusal).catch((error: unknown) => response.destroy(error as Error));
  }

  /** A WebSocket that may follow the stream does; any other request is answered as if it had not asked to upgrade. */
  takeUpgrade(upgrade: Upgrade, refusal: Answer | null): void {
    const { request, socket } = upgrade;
    // A connection that breaks has nobody left to tell; its end follows by itself.
    socket.on('error', () => socket.destroy());
    const question = refusal ?? this.#understand(request);
    const isSocket = request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET';
    if (isSocket && !isAnswer(question) && question.route.streams && !this.#stream.isFull)
      return this.#sockets.accept(upgrade, question.ask.query['since'] ?? null);
    const response = new ServerResponse(request);
    response.assignSocket(socket as Socket);
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.end());
    this.take(request, response, refusal);
  }

  /** Who waits is answered now, and nobody waits from now on. */
  stopWaiting(): void {
    this.#isOpen = false;
    for (const called of this.#waiting) called.abort();
  }

  async #answer(request: IncomingMessage, response: ServerResponse, refusal: Answer | null): Promise<void> {
    const question = refusal ?? this.#understand(request);
    if (isAnswer(question)) return this.#writer.write(request, response, { answer: question, from: null });
    if (question.route.streams) return this.#follow(question, response);
    const shown = await this.#whenChanged(question, response);
    if (!this.#isOpen) response.setHeader('Connection', 'close');
    const from = { shown, key: keyOf(question) };
    await this.#writer.write(request, response, { answer: await respond(question, shown), from });
  }

  async #follow({ ask }: Question, response: ServerResponse): Promise<void> {
    const { req: request } = response;
    if (this.#stream.isFull)
      return this.#writer.write(request, response, { answer: tooManyReaders, from: null });
    const last = Number(request.headers['last-event-id'] ?? Number.NaN);
    streamEvents(this.#stream, response, Number.isSafeInteger(last) ? last : (ask.query['since'] ?? null));
  }

  #understand(request: IncomingMessage): Question | Answer {
    const { origin, authorization } = request.headers;
    if (hostsIn(request) > 1) return twoHosts;
    const asked = { host: hostAsked(request), origin, authorization };
    const stranger = refuseStranger(asked, this.#access);
    if (stranger !== null) return stranger;
    const method = request.method ?? '';
    if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(method);
    const question = understand(request.url ?? '/');
    if (!isAnswer(question) && question.route.needs === 'nothing') return question;
    return refuseWithoutToken(asked, this.#access) ?? question;
  }

  /** At once, unless the question names an index that nothing has changed since. */
  async #whenChanged(question: Question, response: ServerResponse): Promise<Shown> {
    const mayWait = this.#isOpen && this.#waiting.size < MAX_WAITING;
    if (!mayWait || !isUnchanged(question, this.#board.shown())) return this.#board.shown();
    const called = new AbortController();
    this.#waiting.add(called);
    response.once('close', () => called.abort());
    const seconds = question.ask.query['wait'] ?? WAIT_SECONDS;
    const enough = this.#clock.deadline(seconds * 1000, called.signal);
    while (!enough.aborted && isUnchanged(question, this.#board.shown())) await this.#board.changed(enough);
    this.#waiting.delete(called);
    return this.#board.shown();
  }
}

const hostsIn = ({ rawHeaders }: IncomingMessage): number =>
  rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length;

/** A target that is a whole URL says for itself whom it asks. */
function hostAsked({ url = '/', headers }: IncomingMessage): string | undefined {
  return /^[a-z]+:/i.test(url) && URL.canParse(url) ? new URL(url).host : headers.host;
}
