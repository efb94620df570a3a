import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import type { Rate } from '../../src/status/budget.ts';
import { openStatusServer, type StatusServerOptions } from '../../src/status/index.ts';
import type { StatusServer } from '../../src/status/status.ts';
import { ask } from './ask.ts';
import { github, record, view } from './view.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function listening(options: Partial<StatusServerOptions> = {}): Promise<StatusServer> {
  const server = await openStatusServer({
    listen: { host: '127.0.0.1', port: 0 },
    token: null,
    allowHosts: [],
    clock: systemClock,
    bootId: 'b1',
    programVersion: '0.1.0',
    ...options,
  });
  open.push(server);
  server.publish(view([github, ...Array.from({ length: 50 }, (_, n) => record(`server-${n}`))]));
  return server;
}

/** Begins a flood by another process; resolves when all of its connections are there. */
async function flood(url: string, kind: string, connections: number, path?: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('../support/flood.js', import.meta.url));
  const child = fork(program, [url, kind, String(connections), ...(path === undefined ? [] : [path])]);
  const gone = once(child, 'exit');
  open.push({ close: () => (child.kill('SIGKILL'), gone) });
  await once(child, 'message');
  return child;
}

describe.each([
  ['500 connections that send questions without end', 'pipelined', 500, undefined],
  ['500 connections that send a thousand questions each and read no answer', 'deaf', 500, undefined],
  ['500 connections that ask again as soon as they are answered', 'eager', 500, undefined],
  ['2,500 connections that are kept and do nothing', 'kept', 2_500, undefined],
  ['2,500 questions that wait', 'kept', 2_500, '/servers?index=999999999999&wait=60s'],
] as const)('%s', (_says, kind, connections, path) => {
  it('keep nobody else from being answered, and cost little memory', async () => {
    const { url } = await listening();
    const { index } = (await ask(url, '/servers')).json<{ index: number }>();
    const before = process.memoryUsage.rss();
    const child = await flood(url, kind, connections, path?.replace('999999999999', String(index)));
    const times: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const begun = performance.now();
      expect((await ask(url, '/servers/github/health')).code).toBe(200);
      times.push(performance.now() - begun);
    }
    expect(child.exitCode).toBeNull();
    const mb = Math.round((process.memoryUsage.rss() - before) / 1_000_000);
    console.log(`longest silence ${Math.max(...times).toFixed(0)} ms, ${mb} MB more`);
    expect(mb).toBeLessThan(200);
  });
});

const question = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

async function connected(url: string): Promise<Socket & { back: () => string }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let back = '';
  socket.on('data', (piece: Buffer) => (back += piece.toString('latin1')));
  await once(socket, 'connect');
  open.push({ close: () => socket.destroy() });
  return Object.assign(socket, { back: () => back });
}

const codes = (back: string): string[] =>
  [...back.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => code ?? '');

describe('one connection', () => {
  it('is answered in turn: who sends ahead waits for the answer before', async () => {
    const { url } = await listening();
    const socket = await connected(url);
    const sent = ['/servers/server-1/status', '/nothing', '/health', '/servers/server-2/status'];
    // In pieces that end anywhere, with the blank lines between requests that a parser skips.
    const text = sent.map((path) => `\r\n\r\n${question(path)}`).join('');
    for (let at = 0; at < text.length; at += 7) {
      socket.write(text.slice(at, at + 7));
      if (at % 5 === 0) await systemClock.sleep(1);
    }
    await expect.poll(() => codes(socket.back())).toEqual(['200', '404', '200', '200']);
    expect(socket.back().indexOf('"server-1"')).toBeLessThan(socket.back().indexOf('"server-2"'));
  });

  it('that sends far ahead is answered once, and ended', async () => {
    const { url } = await listening();
    const socket = await connected(url);
    socket.write(question('/health').repeat(2_000));
    await once(socket, 'close');
    expect(codes(socket.back())).toEqual(['200']);
    expect(socket.back()).toContain('Connection: close');
  });

  it('that sends a body is told that nothing can be changed, and ended', async () => {
    const { url } = await listening();
    const socket = await connected(url);
    const body = 'GET / HTTP/1.1\r\n\r\n'.repeat(10_000);
    socket.write(
      `POST /servers HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await once(socket, 'close');
    expect(codes(socket.back())).toEqual(['405']);
  });
});

describe('who asks more than is answered', () => {
  const never: Rate = { perSecond: 0.001, atOnce: 3 };
  const rates = { ofConnection: { perSecond: 0.001, atOnce: 2 }, ofPeer: never, ofAll: never };

  it('is told when to come again, and a neighbour at the same address still has answers', async () => {
    const { url } = await listening({ rates });
    const socket = await connected(url);
    socket.write(question('/health').repeat(6));
    await expect.poll(() => codes(socket.back())).toEqual(['200', '200', '200', '200', '200', '429']);
    expect(socket.back()).toContain('Retry-After: 5\r\n');
    expect(socket.back()).toContain('"error_code":"too_many_requests"');
    expect((await ask(url, '/health')).code).toBe(200);
  });

  it('has no more answers by asking for a stream', async () => {
    const { url } = await listening({ rates });
    const socket = await connected(url);
    socket.write(question('/health').repeat(5));
    await expect.poll(() => codes(socket.back())).toHaveLength(5);
    socket.write(
      'GET /health/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await expect.poll(() => codes(socket.back()).at(-1)).toBe('429');
  });
});
