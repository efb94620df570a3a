/** Chance that can be repeated: the same seed makes the same choices on every machine. */
export class Random {
  #state: number;

  /** `seed`: a whole number; its last 32 bits count. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  /** Throws for an empty list. */
  pick<T>(list: readonly T[]): T {
    const chosen = list[this.whole(0, list.length - 1)];
    if (list.length === 0) throw new Error('nothing to choose from');
    return chosen as T;
  }
}

/** The seed of the `nth` thing that is made from one seed: neighbours have nothing in common. */
export const seedOf = (seed: number, nth: number): number =>
  Math.floor(new Random(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + nth).next() * 2 ** 32);
