import type { Clock } from '../lib/clock.ts';

/** Requests in a second, and how many at once after a time of rest. */
export interface Rate {
  readonly perSecond: number;
  readonly atOnce: number;
}

/** How many requests we take. A poll of each second comes nowhere near any of them. */
export interface Rates {
  /** Of one connection whatever all the others do, so that nobody is shut out by a neighbour at the same address. */
  readonly ofConnection: Rate;
  /** Of one address, beyond that. */
  readonly ofPeer: Rate;
  /** Of everybody, beyond that. */
  readonly ofAll: Rate;
}

export const usualRates: Rates = {
  ofConnection: { perSecond: 0.2, atOnce: 2 },
  ofPeer: { perSecond: 200, atOnce: 400 },
  ofAll: { perSecond: 400, atOnce: 800 },
};

/** What a rate has left. */
export class Bucket {
  readonly #rate: Rate;
  #left: number;
  /** Elapsed ms. */
  #filledAt: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#left = rate.atOnce;
    this.#filledAt = now;
  }

  isFull(now: number): boolean {
    return this.#fill(now) >= this.#rate.atOnce;
  }

  has(now: number): boolean {
    return this.#fill(now) >= 1;
  }

  /** False: there is nothing left. */
  take(now: number): boolean {
    if (!this.has(now)) return false;
    this.#left -= 1;
    return true;
  }

  #fill(now: number): number {
    const more = (Math.max(0, now - this.#filledAt) * this.#rate.perSecond) / 1_000;
    this.#left = Math.min(this.#rate.atOnce, this.#left + more);
    this.#filledAt = now;
    return this.#left;
  }
}

/** Counts the requests of connections, addresses and everybody. */
export class Budget {
  readonly #rates: Rates;
  readonly #clock: Clock;
  readonly #peers = new Map<string, Bucket>();
  readonly #all: Bucket;

  constructor(rates: Rates, clock: Clock) {
    this.#rates = rates;
    this.#clock = clock;
    this.#all = new Bucket(rates.ofAll, clock.elapsed());
  }

  /** For a new connection. */
  own(): Bucket {
    return new Bucket(this.#rates.ofConnection, this.#clock.elapsed());
  }

  /** Whether one more request is taken. */
  allows(own: Bucket, address: string): boolean {
    const now = this.#clock.elapsed();
    if (own.take(now)) return true;
    const peer = this.#peerAt(address, now);
    return peer.has(now) && this.#all.take(now) && peer.take(now);
  }

  #peerAt(address: string, now: number): Bucket {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    if (this.#peers.size >= MAX_PEERS) this.#forgetRested(now);
    const peer = new Bucket(this.#rates.ofPeer, now);
    this.#peers.set(address, peer);
    return peer;
  }

  /** Those who have all their budget are as good as new; of too many others the one that came first is forgotten. */
  #forgetRested(now: number): void {
    for (const [address, peer] of this.#peers) if (peer.isFull(now)) this.#peers.delete(address);
    if (this.#peers.size < MAX_PEERS) return;
    for (const first of this.#peers.keys()) return void this.#peers.delete(first);
  }
}

const MAX_PEERS = 4_096;
