import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, type RawData } from 'ws';
import { systemClock } from '../../src/lib/clock.ts';
import type { ServerRecord } from '../../src/model/status.ts';
import { openStatusServer, type StatusServerOptions } from '../../src/status/index.ts';
import type { StatusServer } from '../../src/status/status.ts';
import { event } from '../journal/sample.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { ask } from './ask.ts';
import { coda, github, record, view } from './view.ts';

interface Message {
  readonly index: number;
  readonly event_type: string;
  readonly server?: string | null;
  readonly servers?: readonly ServerRecord[];
  readonly record?: ServerRecord | null;
  readonly [field: string]: unknown;
}

let server: StatusServer;
const opened: (() => void)[] = [];

const open = (more: Partial<StatusServerOptions> = {}): Promise<StatusServer> =>
  openStatusServer({
    listen: { host: '127.0.0.1', port: 0 },
    token: null,
    allowHosts: [],
    clock: systemClock,
    bootId: 'b1',
    programVersion: '0.1.0',
    ...more,
  });

beforeEach(async () => {
  server = await open();
});
afterEach(async () => {
  for (const end of opened.splice(0)) end();
  await server.close();
});

/** Messages as they come; `next` waits for one. */
class Inbox {
  readonly messages: Message[] = [];
  #wake: (() => void)[] = [];

  take(message: Message): void {
    this.messages.push(message);
    for (const wake of this.#wake.splice(0)) wake();
  }

  async until(wanted: (messages: readonly Message[]) => boolean): Promise<readonly Message[]> {
    while (!wanted(this.messages)) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.messages;
  }

  async count(count: number): Promise<readonly Message[]> {
    return this.until((messages) => messages.length >= count);
  }
}

async function bySocket(
  url: string,
  options: { query?: string; says?: unknown } = {},
): Promise<Inbox & { socket: WebSocket }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/health/stream${options.query ?? ''}`);
  const inbox = Object.assign(new Inbox(), { socket });
  socket.on('message', (data: RawData) => inbox.take(JSON.parse((data as Buffer).toString()) as Message));
  opened.push(() => socket.terminate());
  await once(socket, 'open');
  if (options.says !== undefined) socket.send(JSON.stringify(options.says));
  return inbox;
}

async function byEvents(
  url: string,
  headers: Record<string, string> = {},
): Promise<Inbox & { text: () => string }> {
  let text = '';
  const inbox = Object.assign(new Inbox(), { text: () => text });
  const sent = request(`${url}/health/stream`, {
    agent: false,
    headers: { Accept: 'text/event-stream', ...headers },
  });
  sent.end();
  opened.push(() => sent.destroy());
  sent.on('error', () => text);
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  let rest = '';
  response.on('data', (piece: Buffer) => {
    text += piece.toString();
    const parts = (rest + piece.toString()).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const data = part.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined) inbox.take(JSON.parse(data.slice(6)) as Message);
    }
  });
  return inbox;
}

const told = (messages: readonly Message[]): readonly unknown[] =>
  messages.map((each) => [each.event_type, each.server ?? each.servers?.map((one) => one.name)]);

describe.each([
  ['WebSocket', bySocket],
  ['text/event-stream', byEvents],
] as const)('over %s', (_kind, follow) => {
  it('a reader gets everything, then each change with the event behind it', async () => {
    server.publish(view([github, coda]));
    const inbox = await follow(server.url);
    const [snapshot] = await inbox.count(1);
    expect(snapshot).toMatchObject({ event_type: 'snapshot', status: 'ok', schema_version: '1.0' });
    server.note(event(7, { event_type: 'server_down', server_name: coda.name, trace_id: 'T' }));
    server.publish(view([github, { ...coda, health: 'unhealthy', status: 'down' }]));
    server.publish(view([github]));
    server.publish(view([github], { view: 'suspect' }));
    server.note(
      event(8, { event_type: 'revision_settled', server_name: undefined, outcome: 'applied', seconds: 1 }),
    );
    const messages = await inbox.count(5);
    expect(told(messages)).toEqual([
      ['snapshot', [github.name, coda.name]],
      ['server_down', coda.name],
      ['status_changed', coda.name],
      ['status_changed', undefined],
      ['revision_settled', undefined],
    ]);
    expect(messages[1]).toMatchObject({
      status: 'down',
      trace_id: 'T',
      record: { name: coda.name, status: 'down' },
    });
    expect(messages[2]?.record).toBeNull();
    const indexes = messages.map((each) => each.index);
    expect(indexes).toEqual(indexes.map((_, at) => (indexes[0] ?? 0) + at));
  });

  it('who comes before our first look is told everything with it', async () => {
    const inbox = await follow(server.url);
    await systemClock.sleep(150);
    server.publish(view([github, coda]));
    expect(told(await inbox.count(1))).toEqual([['snapshot', [github.name, coda.name]]]);
    await systemClock.sleep(50);
    expect(inbox.messages).toHaveLength(1);
  });
});

describe('who comes back', () => {
  it('behind a change gets only what followed, by message, by query and by Last-Event-ID', async () => {
    server.publish(view([github, coda]));
    const { index: since } = (await ask(server.url, '/servers')).json<{ index: number }>();
    server.publish(view([github, { ...coda, phase: 'draining' }]));
    server.publish(
      view([
        { ...github, phase: 'draining' },
        { ...coda, phase: 'draining' },
      ]),
    );
    const readers = await Promise.all([
      bySocket(server.url, { says: { since } }),
      bySocket(server.url, { query: `?since=${since}` }),
      byEvents(server.url, { 'Last-Event-ID': String(since) }),
    ]);
    for (const reader of readers)
      expect(told(await reader.count(2))).toEqual([
        ['status_changed', coda.name],
        ['status_changed', github.name],
      ]);
  });

  it.each([1, 9_999_999_999_999])('behind %s, which we know nothing of, gets everything', async (since) => {
    server.publish(view([github]));
    expect(told(await (await bySocket(server.url, { says: { since } })).count(1))).toEqual([
      ['snapshot', [github.name]],
    ]);
    expect(told(await (await byEvents(server.url, { 'Last-Event-ID': `${since}` })).count(1))).toEqual([
      ['snapshot', [github.name]],
    ]);
  });

  it('behind more changes than are kept gets everything', async () => {
    server.publish(view([github]));
    const { index: since } = (await ask(server.url, '/servers')).json<{ index: number }>();
    for (let n = 0; n < 1_001; n += 1) server.publish(view([{ ...github, consecutive_failures: n + 1 }]));
    const all = await bySocket(server.url, { query: `?since=${since}` });
    expect((await all.count(1))[0]?.event_type).toBe('snapshot');
    const last = await bySocket(server.url, { query: `?since=${since + 1}` });
    expect(await last.count(1_000)).toHaveLength(1_000);
  });

  it.each(['{"since": "x"}', 'not json', 'null'])('says %s and gets everything', async (says) => {
    server.publish(view([github]));
    const inbox = await bySocket(server.url);
    inbox.socket.send(says);
    expect((await inbox.count(1))[0]?.event_type).toBe('snapshot');
  });

  it('may say so later too', async () => {
    server.publish(view([github]));
    const inbox = await bySocket(server.url);
    const [snapshot] = await inbox.count(1);
    inbox.socket.send(JSON.stringify({ since: (snapshot?.index ?? 0) - 1 }));
    expect(told(await inbox.count(2))).toHaveLength(2);
  });
});

describe('the stream', () => {
  it('beats every 15 seconds', async () => {
    const clock = fakeClock(1_795_176_000_000);
    const own = await open({ clock });
    own.publish(view([github]));
    const inbox = await byEvents(own.url);
    await inbox.count(1);
    await clock.advance(15_000);
    expect((await inbox.count(2))[1]?.event_type).toBe('heartbeat');
    expect(inbox.text()).toContain('event: heartbeat\ndata: ');
    const closed = own.close();
    await clock.advance(2_000);
    await closed;
  });

  it('cuts off who does not read, and nobody else', async () => {
    const servers = Array.from({ length: 200 }, (_, n) => record(`server-${n}`));
    server.publish(view(servers));
    const slow = connect(Number(new URL(server.url).port), '127.0.0.1');
    slow.write('GET /health/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(slow, 'data');
    slow.pause();
    const deaf = await bySocket(server.url);
    await deaf.count(1);
    deaf.socket.pause();
    const quick = await bySocket(server.url);
    await quick.count(1);
    const gone = Promise.all([once(slow, 'close'), once(deaf.socket, 'close')]);
    slow.on('error', () => slow.destroy());
    for (
      let n = 1;
      (await ask(server.url, '/metrics')).bytes.toString().includes('cut_off 2\n') === false;
      n += 1
    ) {
      server.publish(view(servers.map((each) => ({ ...each, consecutive_failures: n }))));
      if (n > 400) throw new Error('nobody was cut off');
    }
    slow.resume();
    deaf.socket.resume();
    await gone;
    expect(quick.socket.readyState).toBe(WebSocket.OPEN);
    expect((await ask(server.url, '/metrics')).bytes.toString()).toContain('mcpo_stream_readers 1\n');
  }, 60_000);

  it('serves 1,000 readers at once, and no more than 1,024', async () => {
    server.publish(view([github]));
    const sockets = await Promise.all(Array.from({ length: 1_000 }, () => rawSocket(server.url)));
    await systemClock.sleep(200);
    const begun = performance.now();
    const heard = sockets.map((socket) => hears(socket, '"draining"'));
    server.publish(view([{ ...github, phase: 'draining' }]));
    await Promise.all(heard);
    const took = performance.now() - begun;
    console.log(`a change reached 1,000 readers in ${took.toFixed(0)} ms`);
    expect(took).toBeLessThan(1_000);
    const more = await Promise.all(Array.from({ length: 24 }, () => rawSocket(server.url)));
    await systemClock.sleep(200);
    const refused = await ask(server.url, '/health/stream');
    expect([refused.code, refused.headers['retry-after']]).toEqual([503, '30']);
    for (const socket of [...sockets, ...more]) socket.destroy();
  }, 60_000);

  it('ends when we stop', async () => {
    const own = await open();
    own.publish(view([github]));
    const inbox = await bySocket(own.url);
    await inbox.count(1);
    const closed = once(inbox.socket, 'close');
    await own.close();
    expect((await closed)[0]).toBe(1001);
  });

  it('ends within two seconds whatever its readers do, and admits nobody any more', async () => {
    const own = await open();
    own.publish(view([github]));
    const mute = await rawSocket(own.url);
    mute.pause();
    const late = connect(Number(new URL(own.url).port), '127.0.0.1');
    await once(late, 'connect');
    late.write(upgradeByHand);
    await once(late, 'data');
    const begun = performance.now();
    await own.close();
    expect(performance.now() - begun).toBeLessThan(2_000);
    for (const socket of [mute, late]) socket.destroy();
  });

  it('answers HEAD with its headers alone', async () => {
    const got = await ask(server.url, '/health/stream', { method: 'HEAD' });
    expect([got.code, got.headers['content-type'], got.bytes.length]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      0,
    ]);
  });

  it('ends who sends more than it may', async () => {
    const inbox = await bySocket(server.url);
    const closed = once(inbox.socket, 'close');
    inbox.socket.send('x'.repeat(2_000));
    expect((await closed)[0]).toBe(1009);
  });
});

describe('an upgrade', () => {
  const upgraded = async (
    url: string,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<number> => {
    const got = await ask(url, path, {
      headers: {
        ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    return got.code;
  };

  it('by a stranger, or by a page of one, is refused', async () => {
    expect(await upgraded(server.url, '/health/stream', { Host: 'evil.example' })).toBe(403);
    expect(await upgraded(server.url, '/health/stream', { Origin: 'https://evil.example' })).toBe(403);
  });

  it('without the token is refused, with it welcome', async () => {
    const own = await open({ token: 'hunter2' });
    own.publish(view([github]));
    expect(await upgraded(own.url, '/health/stream')).toBe(401);
    const socket = new WebSocket(`${own.url.replace('http', 'ws')}/health/stream`, {
      headers: { Authorization: 'Bearer hunter2' },
    });
    await once(socket, 'message');
    socket.terminate();
    await own.close();
  });

  it('of anything else is answered as if it had not asked', async () => {
    server.publish(view([github]));
    expect(await upgraded(server.url, '/servers')).toBe(200);
    expect(await upgraded(server.url, '/nothing')).toBe(404);
    expect(await upgraded(server.url, '/servers', { Upgrade: 'h2c' })).toBe(200);
  });
});

const upgradeByHand =
  'GET /health/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A WebSocket by hand: a thousand of them cost less than with a library. */
async function rawSocket(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(upgradeByHand);
  await hears(socket, '"snapshot"');
  return socket;
}

function hears(socket: Socket, wanted: string): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    const take = (piece: Buffer): void => {
      text += piece.toString('latin1');
      if (!text.includes(wanted)) return;
      socket.off('data', take);
      resolve();
    };
    socket.on('data', take);
  });
}
