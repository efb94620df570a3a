import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { cert } from './certificate.ts';

export interface Got {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  json<T = Record<string, unknown>>(): T;
}

/** One question, on a connection of its own. */
export function ask(
  url: string,
  path: string,
  options: { method?: string; headers?: OutgoingHttpHeaders | readonly string[]; signal?: AbortSignal } = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https') ? tlsRequest : request;
    const sent = send(`${url}${path}`, { agent: false, ca: cert, ...options }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => {
        const bytes = Buffer.concat(pieces);
        const json = <T>(): T => JSON.parse(bytes.toString('utf8')) as T;
        resolve({ code: response.statusCode ?? 0, headers: response.headers, bytes, json });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}
