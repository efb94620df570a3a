import type { Clock } from '../lib/clock.ts';

/** A value with the mark by which the registry can say that it has not changed. */
export interface Tagged<T> {
  readonly value: T;
  readonly etag: string | null;
}

interface Entry<T> extends Tagged<T> {
  readonly at: number;
  /** 0 to 0.1: images first asked for together drift apart. */
  readonly jitter: number;
}

const MOST_ENTRIES = 5000;

/** Asks for a key once, however many want it and however often within its age. */
export class Cache<T> {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #pending = new Map<string, Promise<T>>();

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** `ask` gets what was known before, and need not give a new value when that still holds. Rejects as `ask` does. */
  get(key: string, maxAgeMs: number, ask: (known: Tagged<T> | null) => Promise<Tagged<T>>): Promise<T> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && this.#isFresh(entry, maxAgeMs)) return Promise.resolve(entry.value);
    const pending = this.#pending.get(key) ?? this.#ask(key, () => ask(entry ?? null));
    this.#pending.set(key, pending);
    return pending;
  }

  #isFresh({ at, jitter }: Entry<T>, maxAgeMs: number): boolean {
    const age = this.#clock.now() - at;
    return age >= 0 && age < maxAgeMs * (1 - jitter);
  }

  async #ask(key: string, ask: () => Promise<Tagged<T>>): Promise<T> {
    try {
      const tagged = await ask();
      this.#entries.delete(key);
      this.#entries.set(key, { ...tagged, at: this.#clock.now(), jitter: 0.1 * this.#random() });
      this.#dropOldest();
      return tagged.value;
    } finally {
      this.#pending.delete(key);
    }
  }

  #dropOldest(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= MOST_ENTRIES) return;
      this.#entries.delete(key);
    }
  }
}
