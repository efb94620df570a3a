import { once, setMaxListeners } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { openStatusServer } from '../../src/status/index.ts';
import { respond, isAnswer, understand } from '../../src/status/respond.ts';
import { routes } from '../../src/status/routes.ts';
import type { StatusServer } from '../../src/status/status.ts';
import { Board } from '../../src/status/board.ts';
import { event } from '../journal/sample.ts';
import { ask } from './ask.ts';
import { coda, github, record, view } from './view.ts';

let server: StatusServer;
beforeAll(async () => {
  server = await openStatusServer({
    listen: { host: '127.0.0.1', port: 0 },
    token: null,
    allowHosts: [],
    clock: systemClock,
    bootId: 'b1',
    programVersion: '0.1.0',
  });
  server.publish(view(Array.from({ length: 50 }, (_, n) => record(`server-${n}`))));
});
afterAll(() => server.close());

/** What comes back on a connection of its own, until it is closed or 400 ms are over. */
async function sent(text: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let back = '';
  socket.on('data', (piece) => (back += piece.toString('latin1')));
  socket.on('error', () => socket.destroy());
  socket.on('connect', () => socket.write(text, 'latin1'));
  const answered = new Promise<void>((resolve) => socket.once('data', () => resolve()));
  await Promise.race([once(socket, 'close'), answered, systemClock.sleep(400)]);
  socket.destroy();
  return back;
}

/** A letter now and then, for ever; a new connection whenever one is cut off. */
async function drip(n: number, over: AbortSignal): Promise<string> {
  let back = '';
  while (!over.aborted) {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.on('data', (piece) => (back = piece.toString('latin1')));
    socket.on('error', () => socket.destroy());
    const text = `GET /servers HTTP/1.1\r\nHost: ${'a'.repeat(10_000 + n)}`;
    for (let at = 0; !socket.destroyed && !over.aborted; at += 1) {
      socket.write(text[at] ?? 'a');
      await systemClock.sleep(200 + n, over);
    }
    socket.destroy();
  }
  return back;
}

const BUDGET_MS = 100;
const host = 'Host: localhost\r\n';
/** Shapes of hostility; each takes a number that makes it different. */
const shapes: Readonly<Record<string, (n: number) => string>> = {
  'no HTTP at all': (n) => `${'\u0000\u00ff'.repeat((n % 50) + 1)}\r\n\r\n`,
  'a method that is not answered': (n) =>
    `${['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'][n % 6]} /servers HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
  'a way out of the root': (n) => `GET /${'../'.repeat((n % 9) + 1)}etc/passwd HTTP/1.1\r\n${host}\r\n`,
  'a way out, encoded': (n) =>
    `GET /page/${'%2e%2e%2f'.repeat((n % 9) + 1)}package.json HTTP/1.1\r\n${host}\r\n`,
  'broken escapes': (n) => `GET /servers/%${n % 10}%zz%c0%af/status HTTP/1.1\r\n${host}\r\n`,
  'headers without end': (n) =>
    `GET /servers HTTP/1.1\r\n${host}${`X-${n}: ${'y'.repeat(100)}\r\n`.repeat(100)}\r\n`,
  'an endless path': (n) => `GET /${'a'.repeat(9_000 + (n % 100))} HTTP/1.1\r\n${host}\r\n`,
  'two lengths': (n) =>
    `GET /servers HTTP/1.1\r\n${host}Content-Length: ${n % 7}\r\nContent-Length: ${(n % 7) + 1}\r\n\r\nx`,
  'length and chunks': () =>
    `GET /servers HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /`,
  'a chunk that lies': (n) =>
    `POST /servers HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${n.toString(16)}ffffffff\r\nx`,
  'two hosts': () => `GET /servers HTTP/1.1\r\n${host}Host: evil.example\r\n\r\n`,
  'no host': () => 'GET /servers HTTP/1.1\r\n\r\n',
  'a strange host': (n) => `GET /servers HTTP/1.1\r\nHost: evil-${n}.example\r\n\r\n`,
  'bare line feeds': () => `GET /servers HTTP/1.1\n${host.replace('\r', '')}X: y\n\n`,
  'a broken upgrade': (n) =>
    `GET /health/stream HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: ${n}\r\n\r\n`,
  'a header cut in the middle': (n) => `GET /servers HTTP/1.1\r\nHost: loc${'a'.repeat(n % 9)}`,
  'queries that say nothing': (n) =>
    `GET /servers?index=${'9'.repeat((n % 40) + 16)}&wait=-${n}s HTTP/1.1\r\n${host}\r\n`,
  'a target of another host': (n) => `GET http://evil.example:${n}/servers HTTP/1.1\r\n${host}\r\n`,
};

describe('10,000 hostile requests', () => {
  it('leave it answering within its budget, and none gets what is not for it', async () => {
    const kinds = Object.entries(shapes);
    const codes = new Map<string, Set<string>>();
    const times: number[] = [];
    let next = 0;
    const attack = async (): Promise<void> => {
      while (next < 10_000) {
        const n = next++;
        const [kind = '', make] = kinds[n % kinds.length] ?? [];
        const back = await sent(make?.(n) ?? '');
        codes.set(kind, (codes.get(kind) ?? new Set()).add(back.slice(9, 12)));
      }
    };
    const watch = async (): Promise<void> => {
      while (next < 10_000) {
        const begun = performance.now();
        expect((await ask(server.url, '/servers')).code).toBe(200);
        times.push(performance.now() - begun);
        await systemClock.sleep(20);
      }
    };
    const over = new AbortController();
    setMaxListeners(0, over.signal);
    const slow = Array.from({ length: 20 }, (_, n) => drip(n, over.signal));
    await Promise.all([...Array.from({ length: 25 }, attack), watch()]);
    over.abort();
    for (const back of await Promise.all(slow)) expect(back).toMatch(/^$|^HTTP\/1.1 408/);
    times.sort((a, b) => a - b);
    const p95 = times[Math.floor(times.length * 0.95)] ?? 0;
    console.log(`under 10,000 hostile requests: ${times.length} good ones, p95 ${p95.toFixed(1)} ms`);
    expect(times.length).toBeGreaterThan(50);
    expect(p95).toBeLessThan(BUDGET_MS);
    const got = Object.fromEntries(
      [...codes].map(([kind, each]) => [kind, [...each].filter((code) => code !== '')]),
    );
    for (const [kind, each] of Object.entries(got))
      expect([kind, each.filter((code) => !/^4\d\d$/.test(code))]).toEqual([kind, []]);
    const begun = performance.now();
    expect((await ask(server.url, '/servers')).code).toBe(200);
    expect(performance.now() - begun).toBeLessThan(BUDGET_MS);
  }, 120_000);
});

describe('whatever is asked', () => {
  const board = new Board({ clock: systemClock, bootId: 'b1', programVersion: '0.1.0' });
  board.publish(view([github, coda]));
  const shown = board.shown();
  const part = fc.oneof(
    fc.constantFrom(
      'servers',
      'health',
      'status',
      'events',
      'github',
      '..',
      '%2e',
      '%',
      '',
      'page',
      'app.js',
      'traces',
      'stream',
    ),
    fc.string({ maxLength: 8 }),
    fc.webPath(),
  );
  const target = fc
    .tuple(fc.array(part, { maxLength: 5 }), fc.webQueryParameters())
    .map(([parts, query]) => `/${parts.join('/')}?${query}`);

  it('is answered with a code that we know, and a refusal says what to do', async () => {
    await fc.assert(
      fc.asyncProperty(target, async (asked) => {
        const question = understand(asked);
        const answer = isAnswer(question) ? question : await respond(question, shown);
        expect([200, 400, 404]).toContain(answer.code);
        if (answer.code !== 200)
          expect(answer.body).toEqual({
            error_code: expect.stringMatching(/^[a-z_]+$/) as string,
            message: expect.any(String) as string,
            suggested_action: expect.any(String) as string,
          });
      }),
      { numRuns: 2_000 },
    );
  });

  it('is the same answer for a name in every way to write it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }), async (name) => {
        if (name === '.' || name === '..') return;
        const own = new Board({ clock: systemClock, bootId: 'b1', programVersion: '0.1.0' });
        own.publish(view([record(name)]));
        const question = understand(`/servers/${encodeURIComponent(name)}/status`);
        if (isAnswer(question)) throw new Error(`not understood: ${name}`);
        expect((await respond(question, own.shown())).body).toMatchObject({ name });
      }),
    );
  });

  it('there is one route for a path, and it is found', () => {
    for (const route of routes) {
      const question = understand(route.path.replace('{id}', 'x'));
      expect(isAnswer(question) ? question : question.route).toBe(route);
    }
  });

  it('a limit is kept', async () => {
    for (let seq = 1; seq <= 600; seq += 1)
      board.note(event(seq, { event_type: 'server_down', from: 'healthy', to: 'unhealthy' }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 500 }),
        fc.constantFrom(
          '/events',
          '/servers/github/events',
          '/servers/github/health/events',
          '/traces/ecosystem-w3/events',
        ),
        async (limit, path) => {
          const question = understand(`${path}?limit=${limit}`);
          if (isAnswer(question)) throw new Error('not understood');
          const { events } = (await respond(question, board.shown())).body as {
            events: readonly { seq: number }[];
          };
          expect(events.length).toBeLessThanOrEqual(limit);
          expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => 600 - at));
        },
      ),
    );
  });
});
