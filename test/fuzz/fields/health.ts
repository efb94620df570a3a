import { createServer, type AddressInfo, type Socket } from 'node:net';
import { systemClock } from '../../../src/lib/clock.ts';
import { readHealthBody } from '../../../src/probe/body.ts';
import { createProbe } from '../../../src/probe/index.ts';
import type { Random } from '../../support/random.ts';
import { damaged, damagedText } from '../damage.ts';
import { secretWords, type Field } from '../field.ts';
import { oddText } from '../odd.ts';

const NOW = Date.UTC(2026, 10, 27);
const never = new AbortController().signal;

/** Answers to a health check: bodies, and everything that can be wrong with the HTTP around them. */
export async function healthField(): Promise<Field> {
  let answer: Buffer = Buffer.alloc(0);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy()));
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    name: 'health',
    async attempt(random) {
      const [secret = ''] = secretWords(random, 1);
      const text = bodyOf(random, secret);
      const read = readHealthBody(text, NOW);
      const found = tells(read, secret, 'the body as read');
      if (random.chance(0.7)) return found;
      answer = answerOf(random, text);
      const probe = createProbe({ clock: systemClock });
      const target = {
        container: 'c',
        server: 'a',
        address: { host: '127.0.0.1', port },
        engineHealth: null,
      };
      const how = { http: { endpoint: '/health', strict: random.chance(0.5) } };
      const result = await probe.check(how, { ...target, version: '1.0.0' }, 1_000, never);
      probe.forget?.('c');
      return [...found, ...tells(result, secret, 'the result')];
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        sockets.forEach((socket) => socket.destroy());
      }),
  };
}

/** Components say more in words of their own, and those go no further. */
const tells = (value: unknown, secret: string, where: string): string[] =>
  JSON.stringify(value).includes(secret)
    ? [`${where} has what a component said: ${JSON.stringify(value)}`]
    : [];

function bodyOf(random: Random, secret: string): string {
  const body = {
    ...{ status: random.pick(['ok', 'healthy', 'degraded', 'down', 'OK ']), version: '1.0.0' },
    ...{ timestamp: '2026-11-27T00:00:00Z', uptime_seconds: 12 },
    checks: {
      database: { status: 'ok', message: secret },
      cache: 'ok',
      [oddText(random).slice(0, 80)]: 'down',
    },
    metrics: { active_sessions: 0, active_requests: 2, last_error: secret },
  };
  const chance = random.next();
  if (chance < 0.6) return JSON.stringify(withoutMoving(random, body, secret));
  if (chance < 0.9) return damagedText(random, JSON.stringify({ ...body, checks: {}, metrics: {} }));
  return oddText(random);
}

/** Where damage put the secret under a name or into the version, it is no component's word any more. */
function withoutMoving(random: Random, body: object, secret: string): unknown {
  const made = damaged(random, body) as { version?: unknown } | null;
  return JSON.stringify(made?.version ?? '').includes(secret) ? body : made;
}

function answerOf(random: Random, body: string): Buffer {
  const status = random.pick([
    '200 OK',
    '503 Service Unavailable',
    '200',
    '999 x',
    '301 Moved',
    '-1 x',
    '204 No',
  ]);
  const length = random.pick([Buffer.byteLength(body), 0, -1, 5, 1e12]);
  const head = random.pick([
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`,
    `HTTP/1.1 ${status}\r\ntransfer-encoding: chunked\r\n\r\n${Buffer.byteLength(body).toString(16)}\r\n`,
    `HTTP/1.0 ${status}\r\nlocation: ${oddText(random).replace(/[\r\n]/g, '')}\r\n\r\n`,
    `HTTP/1.1 ${status}\r\ncontent-encoding: gzip\r\n\r\n`,
    `HTTP/1.1 ${status}\r\n${'x-a: b\r\n'.repeat(random.whole(0, 3_000))}\r\n`,
    oddText(random),
  ]);
  return Buffer.from(head + body);
}
