import { createServer as createPlain, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { authority, registryCert, registryKey } from './certificates.ts';
import type { Handler } from './stub-registry.ts';

export interface Front {
  readonly port: number;
  /** Each request: `METHOD /path`, or `CONNECT host:port`. */
  readonly asked: string[];
  close(): Promise<void>;
}

interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  /** Who asks has to show a certificate of the private authority. */
  readonly asksWho?: boolean;
}

/** A registry behind TLS, as `registry.corp.test` by default. */
export async function tlsFront(handler: Handler, options: Partial<TlsOptions> = {}): Promise<Front> {
  const { cert = registryCert, key = registryKey, asksWho = false } = options;
  const asked: string[] = [];
  const who = asksWho ? { requestCert: true, rejectUnauthorized: true, ca: authority } : {};
  const server = createSecure({ cert, key, ...who }, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    handler(request, response, new URL(request.url ?? '/', 'https://front'));
  });
  return opened(server, asked);
}

/** A proxy that notes who is asked for, and leads all of it to one port of this machine. */
export async function loggingProxy(
  port: number,
): Promise<Front & { readonly shown: (string | undefined)[] }> {
  const asked: string[] = [];
  const shown: (string | undefined)[] = [];
  const server = createPlain((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  server.on('connect', (request: IncomingMessage, outer) => {
    asked.push(`CONNECT ${request.url}`);
    shown.push(request.headers['proxy-authorization']);
    const inner = connect(port, '127.0.0.1', () => outer.write('HTTP/1.1 200 OK\r\n\r\n'));
    inner.pipe(outer).pipe(inner);
    for (const [one, other] of [[inner, outer] as const, [outer, inner] as const])
      one.on('error', () => other.destroy());
  });
  return { ...(await opened(server, asked)), shown };
}

async function opened(server: Server, asked: string[]): Promise<Front> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => void sockets.add(socket));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
