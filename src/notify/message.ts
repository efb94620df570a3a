import type { Notice } from './incident.ts';

/** What waits in the outbox: one notice for one channel. */
export interface Message {
  /** Stays the same however often it is sent: receivers can tell repeats by it. */
  readonly id: string;
  readonly channel: string;
  readonly notice: Notice;
}

/** One kind of channel. Rejects with a `Failure` (`notify_failed`) while the message has not arrived. */
export interface Delivery {
  deliver(message: Message, signal: AbortSignal): Promise<void>;
}
