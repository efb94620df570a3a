import type { Log } from '../lib/log.ts';
import type { Delivery } from './message.ts';

/** Writes the notice to our own log. */
export const logging = (log: Log): Delivery => ({
  async deliver({ notice: { kind, server, text } }) {
    log.warn({ kind, server }, text);
  },
});
