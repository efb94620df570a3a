import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { openStatusServer, type StatusServerOptions } from '../../src/status/index.ts';
import type { StatusServer } from '../../src/status/status.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { event } from '../journal/sample.ts';
import { ask } from './ask.ts';
import { cert, key } from './certificate.ts';
import { coda, github, record, view } from './view.ts';

const open: StatusServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
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
  return server;
}

async function published(clock: Clock = systemClock): Promise<StatusServer> {
  const server = await listening({ clock });
  server.publish(view([github, coda]));
  return server;
}

describe('before the first look', () => {
  it('servers are not told of, with a time to ask again', async () => {
    const { url } = await listening();
    for (const path of ['/servers', '/health/status', '/servers/x/status', '/servers?index=1&wait=60s']) {
      const got = await ask(url, path);
      expect([got.code, got.headers['retry-after'], got.json()['error_code']]).toEqual([
        503,
        '1',
        'not_ready',
      ]);
    }
  });

  it('we tell how we are ourselves', async () => {
    const server = await listening();
    const first = await ask(server.url, '/health');
    expect([first.code, first.json()['status']]).toEqual([200, 'degraded']);
    server.self({ manifest: 'ok', engine: 'ok', journal: 'ok' });
    expect((await ask(server.url, '/health')).json()).toMatchObject({ status: 'ok', version: '0.1.0' });
    server.self({ manifest: 'ok', engine: 'down', journal: 'ok' });
    expect((await ask(server.url, '/health')).json()).toMatchObject({ status: 'degraded' });
    server.self({ manifest: 'ok', engine: 'ok', journal: 'down' });
    const sick = await ask(server.url, '/health');
    expect([sick.code, sick.json()['status']]).toEqual([503, 'down']);
  });
});

describe('a question', () => {
  it('about a server takes its name or its namespace', async () => {
    const { url } = await published();
    for (const id of ['mcp-server-github', 'github']) {
      expect((await ask(url, `/servers/${id}/status`)).json()).toMatchObject({ name: 'mcp-server-github' });
      expect((await ask(url, `/servers/${id}/health`)).json()).toMatchObject({
        status: 'ok',
        health: 'healthy',
      });
    }
    for (const path of ['/servers/nobody/status', '/servers/%/health', '/servers/%41/health/events']) {
      const got = await ask(url, path);
      expect([got.code, got.json()['error_code']]).toEqual([404, 'unknown_server']);
    }
  });

  it('about what happened is answered newest first, as many as asked for', async () => {
    const server = await published();
    for (const seq of [1, 2, 3]) server.note(event(seq, { event_type: 'server_down' }));
    const seqs = async (query: string): Promise<unknown[]> => {
      const got = await ask(server.url, `/servers/github/health/events${query}`);
      return got.json<{ events: { seq: number }[] }>().events.map((each) => each.seq);
    };
    expect(await seqs('')).toEqual([3, 2, 1]);
    expect(await seqs('?limit=2')).toEqual([3, 2]);
  });

  it.each([
    '/servers/github/health/events?limit=0',
    '/servers/github/health/events?limit=501',
    '/servers/github/health/events?limit=x',
    '/servers?index=-1',
    '/servers?index=1&wait=long',
  ])('that cannot be read is refused: %s', async (path) => {
    const got = await ask((await published()).url, path);
    expect([got.code, got.json()['error_code']]).toEqual([400, 'bad_query']);
  });

  it('for nothing that there is is refused with where to look', async () => {
    const { url } = await published();
    for (const path of ['/page/', '/nothing', '/servers/', '/servers/github', '/metric']) {
      expect([path, (await ask(url, path)).code]).toEqual([path, 404]);
    }
    expect((await ask(url, '//')).code).toBe(400);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'to change something (%s) is refused',
    async (method) => {
      const got = await ask((await published()).url, '/servers', { method });
      expect([got.code, got.headers.allow]).toEqual([405, 'GET, HEAD']);
    },
  );

  it('with HEAD gets the headers of GET alone', async () => {
    const { url } = await published();
    const [got, head] = [await ask(url, '/servers'), await ask(url, '/servers', { method: 'HEAD' })];
    expect(head.bytes.length).toBe(0);
    expect(head.headers['content-length']).toBe(String(got.bytes.length));
    expect(head.headers.etag).toBe(got.headers.etag);
    expect(got.headers).toMatchObject({
      'cache-control': 'no-cache',
      'content-type': 'application/json; charset=utf-8',
    });
  });
});

describe('the summary', () => {
  const summaryOf = async (...servers: ReturnType<typeof record>[]) => {
    const server = await listening();
    server.publish(view(servers));
    return (await ask(server.url, '/health/status')).json();
  };

  it('does not count stopped servers', async () => {
    const got = await summaryOf(
      github,
      record('a', { phase: 'stopped', health: 'unknown' }),
      record('b', { desired_state: 'stopped' }),
      record('c', { health: 'unknown', phase: 'refused' }),
    );
    expect(got['summary']).toEqual({ total: 2, healthy: 1, degraded: 0, unhealthy: 0, unknown: 1 });
    expect(got).toMatchObject({ status: 'ok', view: 'clear', valid_for_seconds: 90 });
  });

  it('is degraded by one unhealthy server, or by more than half degraded', async () => {
    const sick = record('sick', { health: 'unhealthy' });
    const tired = record('tired', { health: 'degraded' });
    expect((await summaryOf(github, coda, sick))['status']).toBe('degraded');
    expect((await summaryOf(github, tired))['status']).toBe('ok');
    expect((await summaryOf(github, tired, record('tired-2', { health: 'degraded' })))['status']).toBe(
      'degraded',
    );
  });
});

describe('a reader that has the answer already', () => {
  it.each(['/servers', '/servers/github/status', '/health/status'])(
    'gets 304 from %s until it changes',
    async (path) => {
      const server = await published();
      const etag = (await ask(server.url, path)).headers.etag ?? '';
      expect(etag).toMatch(/^W\/"b1-\d+"$/);
      for (const known of [etag, `"x", ${etag}`, etag.slice(2), '*']) {
        const again = await ask(server.url, path, { headers: { 'If-None-Match': known } });
        expect([again.code, again.bytes.length, again.headers.etag]).toEqual([304, 0, etag]);
      }
      server.publish(view([{ ...github, phase: 'failed' }, coda]));
      expect((await ask(server.url, path, { headers: { 'If-None-Match': etag } })).code).toBe(200);
    },
  );

  it('of one server is not told of another', async () => {
    const server = await published();
    const etag = (await ask(server.url, '/servers/github/status')).headers.etag ?? '';
    server.publish(view([github, { ...coda, phase: 'failed' }]));
    expect(
      (await ask(server.url, '/servers/github/status', { headers: { 'If-None-Match': etag } })).code,
    ).toBe(304);
  });
});

describe('a reader that waits', () => {
  const indexOf = async (url: string, path = '/servers'): Promise<number> =>
    (await ask(url, path)).json<{ index: number }>().index;

  it('is answered when something changes', async () => {
    const server = await published();
    const index = await indexOf(server.url);
    const waiting = ask(server.url, `/servers?index=${index}&wait=1m`);
    await systemClock.sleep(50);
    server.publish(view([github, coda]));
    server.publish(view([github, { ...coda, phase: 'failed' }]));
    expect((await waiting).json()).toMatchObject({ index: index + 1 });
  });

  it('for one server is answered by that one alone, or when it is gone', async () => {
    const server = await published();
    const index = await indexOf(server.url, '/servers/github/status');
    const waiting = ask(server.url, `/servers/github/status?index=${index}`);
    await systemClock.sleep(50);
    server.publish(view([github, { ...coda, phase: 'failed' }]));
    await systemClock.sleep(50);
    server.publish(view([coda]));
    expect((await waiting).code).toBe(404);
  });

  it('is answered at the end of the wait, which is a minute at most', async () => {
    const clock = fakeClock(1_795_176_000_000);
    const server = await published(clock);
    const index = await indexOf(server.url);
    const waits = ['', '&wait=30', '&wait=10m'].map((wait) =>
      ask(server.url, `/servers?index=${index}${wait}`),
    );
    await systemClock.sleep(100);
    await clock.advance(30_000);
    expect((await waits[0])?.code).toBe(200);
    expect((await waits[1])?.json()).toMatchObject({ index });
    await clock.advance(30_000);
    expect((await waits[2])?.json()).toMatchObject({ index });
  });

  it('is answered at once when it is behind us or ahead of us', async () => {
    const { url } = await published(fakeClock(1_795_176_000_000));
    const index = await indexOf(url);
    for (const other of [0, index - 1, index + 1000]) {
      expect((await ask(url, `/servers?index=${other}&wait=60s`)).json()).toMatchObject({ index });
    }
  });

  it('is answered when we end, and may go away', async () => {
    const server = await published();
    const index = await indexOf(server.url);
    const waiting = ask(server.url, `/servers?index=${index}&wait=60s`);
    const leaves = new AbortController();
    const left = ask(server.url, `/servers?index=${index}&wait=60s`, { signal: leaves.signal });
    await systemClock.sleep(50);
    leaves.abort();
    await expect(left).rejects.toThrow();
    await server.close();
    expect((await waiting).code).toBe(200);
  });
});

async function end(server: StatusServer, clock: FakeClock): Promise<void> {
  const closed = server.close();
  await clock.advance(1_000);
  await closed;
}

describe('a big answer', () => {
  it('is made once, however often the same is published and asked for', async () => {
    const clock = fakeClock(1_795_176_000_000);
    const server = await listening({ clock });
    const servers = Array.from({ length: 200 }, (_, n) => record(`server-${n}`));
    const made = vi.spyOn(JSON, 'stringify');
    const self = { manifest: 'ok', engine: 'ok', journal: 'ok' } as const;
    for (let n = 0; n < 20; n += 1) {
      server.publish(view(servers.map((each) => ({ ...each, response_time_ms: n }))));
      server.self({ ...self });
      server.note(event(n, { event_type: 'health_check_completed' }));
      expect((await ask(server.url, '/servers')).code).toBe(200);
    }
    const wholes = made.mock.results.filter(({ value }) => String(value).length > 10_000);
    expect(wholes).toHaveLength(1);
    made.mockRestore();
    await end(server, clock);
  });

  it('is kept however it is asked for, but not in every length that there could be', async () => {
    const clock = fakeClock(1_795_176_000_000);
    const server = await listening({ clock });
    server.publish(view([github]));
    for (let n = 0; n < 500; n += 1) server.note(event(n, { why: 'w'.repeat(4_000) }));
    const made = vi.spyOn(JSON, 'stringify');
    const times = async (...paths: string[]): Promise<number> => {
      made.mockClear();
      for (const path of paths) await ask(server.url, path);
      return made.mock.results.filter(({ value }) => String(value).length > 10_000).length;
    };
    expect(await times('/events?limit=500', '/events?limit=500&x=1', '/events?x=2&limit=500')).toBe(1);
    for (let limit = 499; limit > 480; limit -= 1) await times(`/events?limit=${limit}`);
    expect(await times('/events?limit=480', '/events?limit=480')).toBe(2);
    expect(await times('/events?limit=500')).toBe(0);
    made.mockRestore();
    await end(server, clock);
  });

  it('is zipped for those who take it', async () => {
    const server = await listening();
    server.publish(view(Array.from({ length: 50 }, (_, n) => record(`mcp-server-${n}`))));
    const plain = await ask(server.url, '/servers');
    for (const accepted of ['gzip', 'br, GZIP;q=0.5']) {
      const zipped = await ask(server.url, '/servers', { headers: { 'Accept-Encoding': accepted } });
      expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
      expect(gunzipSync(zipped.bytes).equals(plain.bytes)).toBe(true);
    }
    const refused = await ask(server.url, '/servers', { headers: { 'Accept-Encoding': 'gzip;q=0' } });
    expect(refused.headers['content-encoding']).toBeUndefined();
    const small = await ask(server.url, '/health', { headers: { 'Accept-Encoding': 'gzip' } });
    expect(small.headers['content-encoding']).toBeUndefined();
  });

  it('of 200 servers is given in milliseconds', async () => {
    const server = await listening();
    const servers = Array.from({ length: 200 }, (_, n) => record(`mcp-server-${n}`));
    const times: number[] = [];
    for (let n = 0; n < 300; n += 1) {
      if (n % 10 === 0) server.publish(view(servers.map((each) => ({ ...each, consecutive_failures: n }))));
      const begun = performance.now();
      await ask(server.url, '/servers');
      times.push(performance.now() - begun);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): number => times[Math.floor(times.length * share)] ?? 0;
    console.log(`GET /servers at 200 servers: p50 ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms`);
    expect(at(0.95)).toBeLessThan(100);
  });
});

describe('who may ask', () => {
  it('strangers by name or by page are refused', async () => {
    const { url } = await published();
    const code = async (headers: Record<string, string>): Promise<number> =>
      (await ask(url, '/health', { headers })).code;
    expect(await code({ Host: 'evil.example' })).toBe(403);
    expect(await code({ Origin: 'https://evil.example' })).toBe(403);
    expect(await code({ Origin: 'http://localhost' })).toBe(200);
  });

  it('names that are allowed are let in, whatever their case', async () => {
    const { url } = await listening({ allowHosts: ['Status.Example'] });
    expect((await ask(url, '/health', { headers: { Host: 'status.example:8090' } })).code).toBe(200);
  });

  it('without the token nobody but for our own health', async () => {
    const { url } = await listening({ token: 'hunter2' });
    const refused = await ask(url, '/servers');
    expect([refused.code, refused.headers['www-authenticate']]).toEqual([
      401,
      'Bearer, Basic realm="mcp-orchestration"',
    ]);
    expect((await ask(url, '/nothing')).code).toBe(401);
    expect((await ask(url, '/openapi.json')).code).toBe(401);
    expect((await ask(url, '/health')).code).toBe(200);
    const headers = { Authorization: 'Bearer hunter2' };
    expect((await ask(url, '/openapi.json', { headers })).code).toBe(200);
  });

  it('speaks TLS with a certificate', async () => {
    const { url } = await listening({ tls: { cert, key } });
    expect(url).toMatch(/^https:/);
    expect((await ask(url, '/health')).code).toBe(200);
  });

  it('listens on IPv6 too', async () => {
    const { url } = await listening({ listen: { host: '::1', port: 0 } });
    expect((await ask(url, '/health')).code).toBe(200);
  });
});

describe('a bad sender', () => {
  const dial = async (url: string): Promise<Socket> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const told = async (socket: Socket): Promise<string> => {
    let text = '';
    socket.on('data', (piece: Buffer) => (text += piece.toString()));
    await once(socket, 'close');
    return text;
  };

  it('with endless headers is refused', async () => {
    const socket = await dial((await published()).url);
    socket.write(`GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9000)}\r\n\r\n`);
    expect(await told(socket)).toMatch(/^HTTP\/1.1 431/);
  });

  it('that speaks something else is refused', async () => {
    const socket = await dial((await published()).url);
    socket.write('hello there\r\n\r\n');
    expect(await told(socket)).toMatch(/^HTTP\/1.1 400/);
  });

  it('that is slow is cut off within seconds, and so is one that greets us over TLS and says no more', async () => {
    const socket = await dial((await published()).url);
    const silent = await dial((await listening({ tls: { cert, key } })).url);
    const begun = performance.now();
    socket.write('GET /health HTTP/1.1\r\nHost: loc');
    silent.write(Buffer.from([22, 3, 1]));
    const [slow, mute] = await Promise.all([told(socket), told(silent)]);
    expect(slow).toMatch(/^HTTP\/1.1 408/);
    expect(mute).toBe('');
    expect(performance.now() - begun).toBeLessThan(9_000);
  });

  it('does not keep us from ending', async () => {
    const clock = fakeClock(1_795_176_000_000);
    const server = await published(clock);
    const socket = await dial(server.url);
    socket.write('GET /health HTTP/1.1\r\nHost: loc');
    await systemClock.sleep(20);
    const closed = server.close();
    await systemClock.sleep(20);
    await clock.advance(2_000);
    await closed;
    socket.destroy();
  });
});

describe('an address that cannot be had', () => {
  it('is said in one sentence with what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(listening({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'port_taken',
      message:
        `the status endpoint cannot listen on 127.0.0.1:${port}: another program has this port; ` +
        'choose another address with --listen <host:port>',
    });
    await expect(listening({ listen: { host: '192.0.2.1', port: 0 } })).rejects.toMatchObject({
      message: expect.stringContaining('this machine does not have this address') as string,
    });
    await expect(listening({ listen: { host: 'no.such.host.invalid', port: 0 } })).rejects.toMatchObject({
      code: 'port_taken',
    });
    other.close();
  });
});
