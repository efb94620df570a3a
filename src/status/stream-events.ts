import type { ServerResponse } from 'node:http';
import type { Reader, Stream } from './stream.ts';

/** Serves the stream as text/event-stream until the client or we go away. */
export function streamEvents(stream: Stream, response: ServerResponse, since: number | null): void {
  response.writeHead(200, { ...headers, ...(response.req.method === 'HEAD' ? {} : { Connection: 'close' }) });
  if (response.req.method === 'HEAD') return void response.end();
  response.write(`retry: ${COME_BACK_AFTER_MS}\n\n`);
  const reader: Reader = {
    send: (frame) => void response.write(frame.event),
    unsent: () => response.writableLength,
    end: () => response.end(),
    cut: () => response.destroy(),
  };
  response.once('close', () => stream.leave(reader));
  // Their connection broke: `close` follows and says all there is to say.
  response.on('error', () => stream.leave(reader));
  stream.admit(reader, since);
}

const COME_BACK_AFTER_MS = 2_000;

const headers = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
};
