import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { Clock } from '../lib/clock.ts';
import type { Reader, Stream } from './stream.ts';

/** What Node hands over when a client wants to speak something else than HTTP. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What they sent already. */
  readonly head: Buffer;
}

/** Serves the stream over WebSocket. */
export class StreamSockets {
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false });

  constructor(stream: Stream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** For a request that was found to be allowed. `since`: from its query. */
  accept({ request, socket, head }: Upgrade, since: number | null): void {
    this.#server.handleUpgrade(request, socket, head, (connection) => {
      void this.#follow(connection, since);
    });
  }

  async #follow(connection: WebSocket, since: number | null): Promise<void> {
    const reader = readerOf(connection);
    const said = new AbortController();
    const first: { since: number | null } = { since };
    connection.on('message', (data) => {
      first.since = sinceIn(data);
      if (said.signal.aborted) this.#stream.begin(reader, first.since);
      said.abort();
    });
    connection.once('close', () => this.#stream.leave(reader));
    // What they send is too long or no WebSocket at all: `ws` ends it, and `close` follows.
    connection.on('error', () => this.#stream.leave(reader));
    // Who knows something says so first; who says nothing is told everything.
    if (since === null) await this.#clock.sleep(SAYS_WITHIN_MS, said.signal);
    said.abort();
    if (connection.readyState === connection.OPEN) this.#stream.admit(reader, first.since);
  }
}

const SAYS_WITHIN_MS = 100;
const GOING_AWAY = 1001;

function readerOf(connection: WebSocket): Reader {
  return {
    send: (frame) => connection.send(frame.json, { binary: false }),
    unsent: () => connection.bufferedAmount,
    end: () => connection.close(GOING_AWAY, 'the orchestrator is stopping'),
    cut: () => connection.terminate(),
  };
}

/** `{"since": N}`; anything else asks for a snapshot. */
function sinceIn(data: RawData): number | null {
  try {
    const { since } = JSON.parse((data as Buffer).toString('utf8')) as { since?: unknown };
    return Number.isSafeInteger(since) ? (since as number) : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}
