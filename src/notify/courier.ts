import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Failure } from '../model/failure.ts';
import type { Delivery, Message } from './message.ts';
import type { Outbox } from './outbox.ts';

interface CourierDeps {
  readonly clock: Clock;
  /** 0 up to 1; spreads the tries. */
  readonly random: () => number;
  readonly log: Log;
  readonly outbox: Outbox;
}

const DELIVERY_LIMIT_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 600_000;
const TOO_OLD_MS = 24 * 3600_000;

/** Carries the messages of one channel, oldest first, until each has arrived or is a day old. No channel waits for another. */
export class Courier {
  readonly #channel: string;
  readonly #delivery: Delivery;
  readonly #deps: CourierDeps;
  #wake = new AbortController();

  constructor(channel: string, delivery: Delivery, deps: CourierDeps) {
    this.#channel = channel;
    this.#delivery = delivery;
    this.#deps = deps;
  }

  /** Something new is in the outbox. */
  hint(): void {
    this.#wake.abort();
  }

  /** Resolves soon after the signal aborts; what has not arrived stays in the outbox. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.hint(), { once: true });
    for (let failures = 0; !signal.aborted;) {
      // Anew before looking: a hint that comes while we look must not be lost.
      this.#wake = new AbortController();
      const message = this.#deps.outbox.next(this.#channel);
      if (message === null) await this.#deps.clock.sleep(LONGEST_PAUSE_MS, this.#wake.signal);
      else if (await this.#carry(message, signal)) failures = 0;
      else await this.#deps.clock.sleep(this.#pause(failures++), signal);
    }
  }

  /** True when the message needs no more care: it arrived, was refused for its own sake, or is a day old. */
  async #carry(message: Message, signal: AbortSignal): Promise<boolean> {
    const { clock, log, outbox } = this.#deps;
    try {
      await this.#delivery.deliver(message, clock.deadline(DELIVERY_LIMIT_MS, signal));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (signal.aborted) return false;
      const lost = error.class === 'version' || clock.now() - message.notice.at > TOO_OLD_MS;
      const fields = { channel: this.#channel, id: message.id, lost };
      log.warn(fields, `a notification did not arrive: ${error.message}`);
      if (!lost) return false;
    }
    await outbox.remove(message);
    return true;
  }

  #pause(failures: number): number {
    return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (1 + 0.2 * this.#deps.random());
  }
}
