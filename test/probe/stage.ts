import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { systemClock } from '../../src/lib/clock.ts';
import { createProbe } from '../../src/probe/index.ts';
import type { ProbeResult, ProbeTarget } from '../../src/probe/probe.ts';

export const never = new AbortController().signal;

export function targetAt(port: number, more: Partial<ProbeTarget> = {}): ProbeTarget {
  const address = { host: '127.0.0.1', port };
  return { container: `c${port}`, server: 'demo', address, engineHealth: null, version: null, ...more };
}

export interface Stage {
  readonly port: number;
  /** Connections taken so far. */
  connections(): number;
  close(): Promise<void>;
}

export const serveHttp = (listener: RequestListener): Promise<Stage> => stage(createServer(listener));

/** Everything a raw peer can do: the listener gets the socket itself. */
export const serveTcp = (listener: (socket: Socket) => void): Promise<Stage> =>
  stage(createTcpServer((socket) => listener(socket.on('error', () => socket.destroy()))));

async function stage(server: Server | ReturnType<typeof createTcpServer>): Promise<Stage> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        sockets.forEach((socket) => socket.destroy());
      }),
  };
}

/** Asks a server that answers by `listener` once. */
export async function askHttp(
  listener: RequestListener,
  how: { strict?: boolean; timeoutMs?: number; target?: Partial<ProbeTarget>; endpoint?: string } = {},
): Promise<ProbeResult> {
  const server = await serveHttp(listener);
  return askAndClose(server, how);
}

export async function askRaw(listener: (socket: Socket) => void, timeoutMs = 2000): Promise<ProbeResult> {
  return askAndClose(await serveTcp(listener), { timeoutMs });
}

async function askAndClose(
  server: Stage,
  how: { strict?: boolean; timeoutMs?: number; target?: Partial<ProbeTarget>; endpoint?: string },
): Promise<ProbeResult> {
  const probe = createProbe({ clock: systemClock });
  const target = targetAt(server.port, how.target);
  const http = { endpoint: how.endpoint ?? '/health', strict: how.strict ?? false };
  try {
    return await probe.check({ http }, target, how.timeoutMs ?? 2000, never);
  } finally {
    probe.forget?.(target.container);
    await server.close();
  }
}

/** Answers any request with this body. */
export const saying =
  (body: unknown, code = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  };
