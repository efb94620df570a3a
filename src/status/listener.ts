import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { ownValue } from '../lib/own-value.ts';
import { Failure } from '../model/failure.ts';
import type { Answer } from './answer.ts';
import { Budget, usualRates, type Rates } from './budget.ts';
import { Connections } from './connections.ts';
import { tooManyRequests, WAIT_SECONDS } from './refusals.ts';
import type { Upgrade } from './stream-socket.ts';
import type { Turnstile } from './turnstile.ts';

export interface ListenOptions {
  /** Port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly clock: Clock;
  /** How many requests are taken; the usual ones by default. */
  readonly rates?: Rates;
}

/** Who takes what comes in. What is to be refused is given with its refusal. */
export interface Taker {
  take(request: IncomingMessage, response: ServerResponse, refusal: Answer | null): void;
  takeUpgrade(upgrade: Upgrade, refusal: Answer | null): void;
}

/** The port, its limits, and everybody who is connected. */
export class Listener {
  readonly #server: Server;
  readonly #options: ListenOptions;
  /** Node forgets a connection once it is upgraded. */
  readonly #connections = new Set<Socket>();
  readonly #speaking = new Connections(MAX_SPEAKING);
  readonly #budget: Budget;
  readonly #taker: Taker;

  constructor(options: ListenOptions, taker: Taker) {
    this.#options = options;
    this.#taker = taker;
    this.#budget = new Budget(options.rates ?? usualRates, options.clock);
    this.#server = createLimited(options, this.#take);
    this.#server.on('upgrade', this.#takeUpgrade);
    this.#server.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    const spoken = options.tls === undefined ? 'connection' : 'secureConnection';
    this.#server.on(spoken, (socket: Socket) => this.#speaking.admit(socket, this.#budget.own()));
  }

  /** Resolves with our address. Rejects with a `Failure` (`port_taken`) that says in one sentence what to do. */
  listen(): Promise<string> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(error, `${host}:${port}`)));
      this.#server.listen({ host, port, exclusive: true }, () => {
        const { port: chosen } = this.#server.address() as AddressInfo;
        resolve(`${this.#options.tls === undefined ? 'http' : 'https'}://${asInUrl(host)}:${chosen}`);
      });
    });
  }

  /** Who was answered or told goodbye may go; who has not gone a second later is cut, whatever they speak. */
  async close(): Promise<void> {
    const gone = new AbortController();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await Promise.race([closed, this.#options.clock.sleep(LEAVE_WITHIN_MS, gone.signal)]);
    gone.abort();
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  readonly #take: RequestListener = (request, response) => {
    const { turnstile, own, address } = this.#speaking.asks(request.socket, response);
    if (hasBody(request)) turnstile.last();
    if (turnstile.isLast) response.shouldKeepAlive = false;
    const isAllowed = this.#budget.allows(own, address);
    response.once('close', () => void this.#release(turnstile, isAllowed ? 0 : WAIT_SECONDS * 1_000));
    this.#taker.take(request, response, isAllowed ? null : tooManyRequests);
  };

  readonly #takeUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const { turnstile, own, address } = this.#speaking.asks(socket, null);
    this.#speaking.release(socket);
    const upgrade = { request, socket, head: Buffer.concat([head, turnstile.open()]) };
    this.#taker.takeUpgrade(upgrade, this.#budget.allows(own, address) ? null : tooManyRequests);
  };

  /** Who was refused waits as long as they were told to. */
  async #release(turnstile: Turnstile, afterMs: number): Promise<void> {
    if (afterMs > 0) await this.#options.clock.sleep(afterMs);
    await turnstile.release();
  }
}

export const asInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host.toLowerCase());

/** Node's own limits against slow and endless senders; a question waits 60 s at most and is cut off behind that. */
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8 * 1024,
};
/** From a connection to the end of its greeting. */
const HANDSHAKE_MS = 5_000;
const IDLE_MS = 90_000;
const MAX_CONNECTIONS = 2_048;
/** From here on who has no work makes room for others. */
const MAX_SPEAKING = 1_920;
const LEAVE_WITHIN_MS = 1_000;

function createLimited({ tls }: ListenOptions, take: RequestListener): Server {
  const server =
    tls === undefined
      ? createServer(limits, take)
      : createTlsServer({ ...limits, ...tls, handshakeTimeout: HANDSHAKE_MS }, take);
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  return server;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

function cannotListen(error: NodeJS.ErrnoException, address: string): Failure {
  const why = ownValue(reasons, error.code ?? '') ?? error.message;
  const suggestedAction = 'choose another address with --listen <host:port>';
  const message = `the status endpoint cannot listen on ${address}: ${why}; ${suggestedAction}`;
  return new Failure('port_taken', message, { cause: error, suggestedAction });
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this port',
  EADDRNOTAVAIL: 'this machine does not have this address',
  EACCES: 'this user may not take this port',
};
