/** What became of the requests of one kind. */
export interface Traffic {
  readonly sent: number;
  readonly answered: number;
  /** In words: when, what, and how it failed. */
  readonly failed: readonly string[];
  /** Versions that answered, in the order they were first seen. */
  readonly versions: readonly string[];
  /** From its first request until no more were begun. */
  readonly seconds: number;
  /** The longest time without an answer, beyond the longest in which nothing was asked. */
  readonly downtimeSeconds: number;
}

/** Counts the requests of one kind while they are sent. */
export class Count {
  readonly failed: string[] = [];
  readonly #begunAt: number;
  readonly #versions = new Set<string>();
  readonly #sent = new Pace();
  readonly #answered = new Pace();

  constructor(now: number) {
    this.#begunAt = now;
  }

  send(now: number): void {
    this.#sent.note(now);
  }

  answer(version: string, now: number): void {
    this.#versions.add(version);
    this.#answered.note(now);
  }

  fail(how: string): void {
    this.failed.push(how);
  }

  traffic(endedAt: number): Traffic {
    const [sent, answered] = [this.#sent, this.#answered];
    return {
      ...{ sent: sent.count, answered: answered.count, failed: this.failed, versions: [...this.#versions] },
      seconds: (endedAt - this.#begunAt) / 1_000,
      downtimeSeconds: Math.max(0, answered.longestMs - sent.longestMs) / 1_000,
    };
  }
}

/** How many, and the longest time from one to the next. */
class Pace {
  count = 0;
  longestMs = 0;
  #last: number | null = null;

  note(now: number): void {
    this.count += 1;
    this.longestMs = Math.max(this.longestMs, now - (this.#last ?? now));
    this.#last = now;
  }
}
