import type { EventDraft } from '../model/event.ts';
import type { Recorder } from './recorder.ts';

export type Change = EventDraft<
  'server_healthy' | 'server_degraded' | 'server_down' | 'server_unseen' | 'server_seen'
>;

/** Beyond this many, a swing that led back to where it began is forgotten. */
const MOST_WAITING = 100;

/**
 * What has to be written down of one instance's health. Where the log cannot be written it waits, in order and with its
 * time: the pulse has moved on and will not say it again.
 */
export class Chart {
  readonly #recorder: Recorder;
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | null = null;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** `at`: Unix ms. */
  add(change: Change, at: number): void {
    this.#waiting.push({ change, at, late: false });
    if (this.#waiting.length > MOST_WAITING) this.#forgetSwing();
  }

  /** The first is asked for at once. Rejects where the log cannot be written; the rest is kept for the next time. */
  write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = null));
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const { change, at, late } = first;
      await this.#recorder.record(late ? withTime(change, at) : change).catch((error: unknown) => {
        for (const one of this.#waiting) one.late = true;
        throw error;
      });
      this.#waiting.splice(this.#waiting.indexOf(first), 1);
    }
  }

  /** What is being written now stays. */
  #forgetSwing(): void {
    for (let from = 1; from < this.#waiting.length; from += 1) {
      const back = this.#waiting.findIndex((one, at) => at > from && leadsBack(this.#waiting[from], one));
      if (back > 0) return void this.#waiting.splice(from, back - from + 1);
    }
  }
}

/** Both are changes of health, or of our sight of it. */
function leadsBack(first: Waiting | undefined, last: Waiting): boolean {
  const [from, to] = [first?.change, last.change];
  if (from === undefined || 'from' in from.fields !== 'to' in to.fields) return false;
  if ('from' in from.fields && 'to' in to.fields) return from.fields.from === to.fields.to;
  return from.event !== to.event;
}

interface Waiting {
  readonly change: Change;
  readonly at: number;
  late: boolean;
}

const withTime = (change: Change, at: number): EventDraft =>
  ({ ...change, fields: { at, ...change.fields } }) as EventDraft;
