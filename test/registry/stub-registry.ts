import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

export interface StubRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** Each request as `METHOD /path?query`, in order. */
  readonly asked: string[];
  /** The authorization header of each request, in order. */
  readonly shown: (string | undefined)[];
  close(): Promise<void>;
}

export const index = 'application/vnd.oci.image.index.v1+json';
export const manifest = 'application/vnd.oci.image.manifest.v1+json';
export const sha = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** A registry (or token server) that does exactly what the test says. */
export async function stubRegistry(handler: Handler, port = 0): Promise<StubRegistry> {
  const asked: string[] = [];
  const shown: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stub');
    asked.push(`${request.method} ${request.url}`);
    shown.push(request.headers.authorization);
    handler(request, response, url);
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    shown,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/** Answers manifests with this text under any tag, HEAD and GET. */
export const serving =
  (text: string, type = index): Handler =>
  (request, response) => {
    const etag = `"${sha(text)}"`;
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end();
    response.writeHead(200, { 'content-type': type, 'docker-content-digest': sha(text), etag });
    response.end(request.method === 'HEAD' ? undefined : text);
  };

export const status =
  (code: number, headers: Record<string, string> = {}): Handler =>
  (_request, response) =>
    void response.writeHead(code, headers).end();

export const json = (response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void =>
  void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
