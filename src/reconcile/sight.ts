import type { Pulse } from '../model/observed.ts';

/** What could not be asked for so long is told. Milliseconds. */
const UNSEEN_MS = 60_000;

type SightNews =
  | { readonly event: 'server_unseen'; readonly fields: { readonly reason: string; readonly at: number } }
  | { readonly event: 'server_seen'; readonly fields: object };

/** Whether one instance can be asked at all. What nobody could see was not watched: the report must not take it for well. */
export class Sight {
  #lostAt: number | null = null;
  #told = false;

  /** What is new after an answer, or after there was none; times are Unix ms. */
  newsOf({ fresh, state, reason }: Pulse, askedAt: number, now: number): SightNews | null {
    if (fresh) return this.#found();
    this.#lostAt ??= askedAt;
    // What was never seen is only starting.
    if (this.#told || state === 'unknown' || now - this.#lostAt < UNSEEN_MS) return null;
    this.#told = true;
    return { event: 'server_unseen', fields: { reason, at: this.#lostAt } };
  }

  #found(): SightNews | null {
    const wasTold = this.#told;
    this.#lostAt = null;
    this.#told = false;
    return wasTold ? { event: 'server_seen', fields: {} } : null;
  }
}
