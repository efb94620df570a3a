import type { Socket } from 'node:net';
import { nextTurn } from '../lib/clock.ts';
import type { Turns } from './turns.ts';

/**
 * Lets the requests of one connection through to Node's parser one at a time. Node makes a request of all that it has
 * read: a thousand sent ahead in one packet would be a thousand at work. Here they wait as bytes, and not many of them.
 */
export class Turnstile {
  readonly #socket: Socket;
  readonly #turns: Turns;
  readonly #parse: readonly ((bytes: Buffer) => void)[];
  /** Sent ahead of its turn. */
  #ahead: Buffer = NOTHING;
  /** The end of what was let through of a head, where a blank line may have begun. */
  #tail: Buffer = NOTHING;
  #turn: 'free' | 'taken' | 'last' = 'free';
  #dropped = 0;

  /** `socket` is one that Node's server has just taken. */
  constructor(socket: Socket, turns: Turns) {
    this.#socket = socket;
    this.#turns = turns;
    this.#parse = socket.listeners('data') as ((bytes: Buffer) => void)[];
    socket.removeAllListeners('data');
    socket.on('data', this.#take);
  }

  /** The request under way is the last: nothing that they send is looked at any more. */
  get isLast(): boolean {
    return this.#turn === 'last';
  }

  /** The request under way was answered: the next one may come, once everybody else had a turn. */
  async release(): Promise<void> {
    await nextTurn();
    if (this.#turn === 'taken') this.#turn = 'free';
    this.#passOn();
  }

  last(): void {
    this.#turn = 'last';
    this.#ahead = NOTHING;
  }

  /** They speak something else than HTTP from now on. Returns what they have sent of it already. */
  open(): Buffer {
    this.#socket.off('data', this.#take);
    return this.#ahead;
  }

  readonly #take = (bytes: Buffer): void => {
    if (this.#turn === 'last') return this.#drop(bytes);
    this.#ahead = this.#ahead.length === 0 ? bytes : Buffer.concat([this.#ahead, bytes]);
    this.#passOn();
    if (this.#turn === 'taken' && this.#ahead.length > MAX_AHEAD) this.last();
  };

  #passOn(): void {
    if (this.#turn !== 'free' || this.#socket.destroyed) return;
    if (this.#tail.length === 0) this.#ahead = withoutBlankLines(this.#ahead);
    if (this.#ahead.length === 0) return;
    const length = this.#untilTurn();
    const bytes = this.#ahead.subarray(0, length);
    // A copy: what is kept of a packet does not keep all of it.
    this.#ahead = this.#ahead.length === length ? NOTHING : Buffer.from(this.#ahead.subarray(length));
    if (this.#ahead.length > MAX_AHEAD) this.last();
    if (this.#turn === 'free') this.#give(bytes);
    else this.#turns.take(() => this.#give(bytes));
  }

  #give(bytes: Buffer): void {
    // Who has gone meanwhile is no work.
    if (this.#socket.destroyed) return;
    for (const parse of this.#parse) parse.call(this.#socket, bytes);
  }

  /** How many of the bytes end a request's head, whose turn it is then; all of them when none does. */
  #untilTurn(): number {
    const bytes = this.#tail.length === 0 ? this.#ahead : Buffer.concat([this.#tail, this.#ahead]);
    const end = endOfHead(bytes);
    const length = (end ?? bytes.length) - this.#tail.length;
    // Never empty: a head has begun.
    this.#tail = end === null ? Buffer.from(bytes.subarray(-2)) : NOTHING;
    if (end !== null) this.#turn = 'taken';
    return length;
  }

  #drop(bytes: Buffer): void {
    this.#dropped += bytes.length;
    if (this.#dropped > MAX_DROPPED) this.#socket.pause();
  }
}

const NOTHING = Buffer.alloc(0);
/** Twice the longest head: nobody who waits for answers sends more ahead. */
const MAX_AHEAD = 16 * 1024;
/** Read and thrown away, so that the answer to an upload arrives; who sends more does not listen. */
const MAX_DROPPED = 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/** Behind the first blank line, however its lines end; null: there is none. */
function endOfHead(bytes: Buffer): number | null {
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return null;
}

/** A parser skips them before a request: they are none. */
function withoutBlankLines(bytes: Buffer): Buffer {
  let at = 0;
  while (bytes[at] === LF || bytes[at] === CR) at += 1;
  return at === 0 ? bytes : bytes.subarray(at);
}
