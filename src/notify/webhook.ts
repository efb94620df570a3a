import { createHmac } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { isoSeconds } from '../lib/time.ts';
import type { Delivery, Message } from './message.ts';
import { post, readSecretFile } from './post.ts';

/**
 * Posts the notice with its event. `X-Mcp-Signature: sha256=<hex>` is the HMAC-SHA256 of `<X-Mcp-Timestamp>.<body>`;
 * the timestamp (Unix seconds of this sending) lets a receiver refuse old copies, `X-Mcp-Id` lets it drop repeats.
 */
export function webhook(
  settings: { readonly url: string; readonly secret_file: string },
  clock: Clock,
): Delivery {
  return {
    async deliver(message, signal) {
      const secret = await readSecretFile(settings.secret_file);
      const timestamp = String(Math.floor(clock.now() / 1000));
      const body = bodyOf(message);
      const headers = {
        'x-mcp-id': message.id,
        'x-mcp-timestamp': timestamp,
        'x-mcp-signature': `sha256=${sign(secret, timestamp, body)}`,
      };
      await post({ url: settings.url, body, headers }, signal);
    },
  };
}

export const sign = (secret: string, timestamp: string, body: string): string =>
  createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');

function bodyOf({ id, notice: { kind, server, text, at, event } }: Message): string {
  return JSON.stringify({ id, kind, server, text, timestamp: isoSeconds(at), event });
}
