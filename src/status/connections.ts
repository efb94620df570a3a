import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Bucket } from './budget.ts';
import { Turnstile } from './turnstile.ts';
import { Turns } from './turns.ts';

/** Somebody who speaks HTTP with us. */
interface Connection {
  readonly turnstile: Turnstile;
  readonly own: Bucket;
  readonly address: string;
  /** What is being answered, or was last. */
  response: ServerResponse | null;
}

/** Those who speak HTTP with us, the one that asked longest ago first. */
export class Connections {
  readonly #most: number;
  readonly #turns = new Turns(AT_ONCE);
  readonly #known = new Map<Duplex, Connection>();

  /** Of more than `most` connections those without work go, to make room for others. */
  constructor(most: number) {
    this.#most = most;
  }

  /** `socket` is one that Node's server has just taken. */
  admit(socket: Socket, own: Bucket): void {
    this.#makeRoom();
    const address = socket.remoteAddress ?? '';
    this.#known.set(socket, { turnstile: new Turnstile(socket, this.#turns), own, address, response: null });
    socket.once('close', () => this.#known.delete(socket));
  }

  /** It asks: of those that may go it is the last now. */
  asks(socket: Duplex, response: ServerResponse | null): Connection {
    const connection = this.#known.get(socket);
    if (connection === undefined) throw new Error('a request came by no connection of ours');
    this.#known.delete(socket);
    this.#known.set(socket, connection);
    connection.response = response;
    return connection;
  }

  /** It is no longer for us to say when it goes. */
  release(socket: Duplex): void {
    this.#known.delete(socket);
  }

  #makeRoom(): void {
    if (this.#known.size < this.#most) return;
    for (const [socket, { response }] of this.#known) {
      if (response !== null && !response.writableEnded) continue;
      this.#known.delete(socket);
      return void socket.destroy();
    }
  }
}

/** A few milliseconds of work. */
const AT_ONCE = 32;
