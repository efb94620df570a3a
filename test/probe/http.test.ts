import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { createProbe } from '../../src/probe/index.ts';
import type { ProbeResult } from '../../src/probe/probe.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { probeContract } from '../contract/probe.contract.ts';
import { askHttp, askRaw, never, saying, serveHttp, serveTcp, targetAt } from './stage.ts';

const fresh = () => ({ status: 'ok', timestamp: new Date().toISOString(), uptime_seconds: 3 });

probeContract('http', async () => {
  const [well, sick] = [await serveHttp(saying(fresh())), await serveHttp(saying({ status: 'down' }))];
  return {
    probe: createProbe({ clock: systemClock }),
    settings: { http: { endpoint: '/health', strict: false } },
    well: targetAt(well.port),
    sick: targetAt(sick.port),
    close: async () => void (await Promise.all([well.close(), sick.close()])),
  };
});

describe('the answer of a server', () => {
  it('is well and conformant as the specification writes it', async () => {
    const result = await askHttp(saying({ ...fresh(), metrics: { active_sessions: 0, active_requests: 2 } }));
    expect(result).toMatchObject({ outcome: 'ok', activeSessions: 0, activeRequests: 2, departures: [] });
    expect(result.responseTimeMs).toBeGreaterThanOrEqual(0);
  });

  it.each([
    [200, { status: 'healthy' }, 'ok', 'ok'],
    [200, { status: 'degraded' }, 'degraded', 'body_degraded'],
    [200, { status: 'down' }, 'failed', 'body_down'],
    [200, { status: 'unhealthy' }, 'failed', 'body_down'],
    [503, { status: 'ok' }, 'ok', 'ok'],
    [503, { status: 'degraded' }, 'degraded', 'body_degraded'],
    [503, { status: 'down' }, 'failed', 'body_down'],
    [503, 'no such luck', 'failed', 'status_503'],
    [200, { ...fresh(), timestamp: '2020-01-01T00:00:00Z' }, 'failed', 'stale'],
    [200, 'OK', 'ok', 'ok'],
    [200, '', 'ok', 'ok'],
    [204, '', 'failed', 'status_204'],
    [404, { status: 'ok' }, 'failed', 'status_404'],
    [500, { status: 'ok' }, 'failed', 'status_500'],
  ])('%i %j is %s because of %s', async (code, body, outcome, reason) => {
    expect(await askHttp(saying(body, code))).toMatchObject({ outcome, reason, silent: false });
  });

  it('without a readable body is well but not conformant, and fails where strict', async () => {
    const lenient = await askHttp(saying('<html>fine</html>'));
    expect(lenient).toMatchObject({ outcome: 'ok', departures: ['the body is not a JSON object'] });
    const strict = await askHttp(saying('<html>fine</html>'), { strict: true });
    expect(strict).toMatchObject({ outcome: 'failed', reason: 'unreadable_body' });
    expect(await askHttp(saying(fresh()), { strict: true })).toMatchObject({ outcome: 'ok' });
  });

  it('that says ok with 503 is noted', async () => {
    expect((await askHttp(saying(fresh(), 503))).departures).toEqual([
      'the code is 503 although the status is ok',
    ]);
  });

  it('never sends us elsewhere', async () => {
    const asked: string[] = [];
    const result = await askHttp((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(result).toMatchObject({ outcome: 'failed', reason: 'status_302' });
    expect(asked).toEqual(['/health']);
  });

  it.each([
    ['1.4.2', '1.4.2', true],
    ['v1.4.2', '1.4.2', true],
    ['1.4.2', 'v1.4.2', true],
    ['1.4.2+build.7', '1.4.2', true],
    ['1.4.1', '1.4.2', false],
    ['1.4.2-rc.1', '1.4.2', false],
    ['1.4.2', '1.4.2-rc.1', false],
    ['1.4.2', '1.4.2-1', false],
    ['1.4.2', '1.4.2-alpine', true],
    ['1.4.2', 'v1.4.2-bookworm-slim', true],
    ['1.4', '1.4.2', false],
    [undefined, '1.4.2', null],
    ['1.4.2', null, null],
  ])('reporting version %s where %s is deployed: %s', async (reported, version, versionOk) => {
    const result = await askHttp(saying({ ...fresh(), version: reported }), { target: { version } });
    expect(result).toMatchObject({ versionOk, reportedVersion: reported ?? null });
  });
});

describe('a hostile answer', () => {
  it('of 100 MB is cut at 64 KiB and costs nothing more', async () => {
    let sent = 0;
    const result = await askHttp((_request, response) => {
      const more = () => {
        while (sent < 100e6 && response.write(Buffer.alloc(65_536, 32))) sent += 65_536;
      };
      response
        .writeHead(200)
        .on('drain', more)
        .on('error', () => response.destroy());
      more();
    });
    expect(result).toMatchObject({ outcome: 'ok', departures: ['the body is larger than 64 KiB'] });
    expect(sent).toBeLessThan(50e6);
  });

  it('that is compressed is never unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(20e6));
    const result = await askHttp((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    expect(result).toMatchObject({ outcome: 'ok', departures: [expect.stringContaining('encoded')] });
  });

  it('that breaks off in the middle is not readable', async () => {
    const result = await askRaw((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"sta'),
    );
    expect(result).toMatchObject({ outcome: 'ok', departures: ['the body broke off'] });
  });

  it('of any bytes gives a result in time', async () => {
    let bytes: Uint8Array = new Uint8Array();
    const server = await serveHttp((_request, response) => response.writeHead(200).end(bytes));
    const raw = await serveTcp((socket) => socket.end(bytes));
    const probe = createProbe({ clock: systemClock });
    const ask = (port: number) =>
      probe.check({ http: { endpoint: '/', strict: false } }, targetAt(port), 1000, never);
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(anyBytes, async (next) => {
        bytes = next;
        expect((await ask(server.port)).outcome).toMatch(/^(ok|degraded|failed)$/);
        expect((await ask(raw.port)).outcome).toBe('failed');
      }),
      { numRuns: 150 },
    );
    await Promise.all([server.close(), raw.close()]);
  });

  it.each([
    ['that is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'bad_answer', false],
    ['with endless headers', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 'bad_answer', false],
    ['that is empty', '', 'closed', true],
  ])('%s fails as %s', async (_what, text, reason, silent) => {
    expect(await askRaw((socket) => socket.end(text))).toMatchObject({ outcome: 'failed', reason, silent });
  });
});

describe('silence', () => {
  it('of a hanging server is a timeout at its time', async () => {
    const from = Date.now();
    expect(await askHttp(() => undefined, { timeoutMs: 150 })).toMatchObject({
      reason: 'timeout',
      silent: true,
    });
    expect(Date.now() - from).toBeLessThan(1000);
  });

  it('after the headers is a timeout, but not silence', async () => {
    const result = await askHttp((_request, response) => void response.writeHead(200).write('{'), {
      timeoutMs: 150,
    });
    expect(result).toMatchObject({ outcome: 'failed', reason: 'timeout', silent: false });
  });

  it('drop by drop does not stretch the deadline', async () => {
    const timers: NodeJS.Timeout[] = [];
    const result = await askHttp(
      (_request, response) => {
        response.writeHead(200);
        timers.push(setInterval(() => response.write(' '), 20));
      },
      { timeoutMs: 200 },
    );
    timers.forEach(clearInterval);
    expect(result).toMatchObject({ outcome: 'failed', reason: 'timeout' });
  });

  it('of a port nobody listens at is a refusal', async () => {
    const gone = await serveHttp(saying(''));
    await gone.close();
    const probe = createProbe({ clock: systemClock });
    const result = await probe.check(
      { http: { endpoint: '/health', strict: false } },
      targetAt(gone.port),
      1000,
      never,
    );
    expect(result).toMatchObject({ outcome: 'failed', reason: 'refused', silent: true });
  });
});

describe('a trouble of our own blames nobody', () => {
  const ask = (more: Parameters<typeof targetAt>[1], signal = never, endpoint = '/health') =>
    createProbe({ clock: systemClock }).check(
      { http: { endpoint, strict: true } },
      targetAt(9, more),
      1000,
      signal,
    );

  it('such as no address', async () => {
    expect(await ask({ address: null })).toMatchObject({ outcome: 'unknown', reason: 'no_address' });
  });

  it('such as a name that cannot be looked up', async () => {
    const address = { host: 'no-such-name.invalid', port: 80 };
    expect((await ask({ address })).outcome).toBe('unknown');
  });

  it('such as a question that cannot be put', async () => {
    expect(await ask({}, never, 'not a path')).toMatchObject({ outcome: 'unknown', reason: 'probe_error' });
  });

  it('such as our own stop', async () => {
    const stop = new AbortController();
    const server = await serveHttp(() => stop.abort());
    expect(await ask({ address: { host: '127.0.0.1', port: server.port } }, stop.signal)).toMatchObject({
      outcome: 'unknown',
      reason: 'aborted',
    });
    await server.close();
  });

  it('such as our own sleep through the deadline', async () => {
    const server = await serveHttp(() => undefined);
    let now = 0;
    const clock = { ...systemClock, now: () => (now += 5000) };
    const result = await createProbe({ clock }).check(
      { http: { endpoint: '/health', strict: false } },
      targetAt(server.port),
      100,
      never,
    );
    await server.close();
    expect(result).toMatchObject({ outcome: 'unknown', reason: 'probe_late' });
  });
});

describe('the connection', () => {
  const http = { endpoint: '/health', strict: false };

  it('is kept from one question to the next', async () => {
    const server = await serveHttp(saying(fresh()));
    const probe = createProbe({ clock: systemClock });
    for (let n = 0; n < 5; n += 1) await probe.check({ http }, targetAt(server.port), 1000, never);
    expect(server.connections()).toBe(1);
    await server.close();
  });

  it('that the server let go while it lay idle is no failure', async () => {
    const server = await serveTcp((socket) => {
      let asked = 0;
      // Answers the first question of each connection and hangs up at the second, as a server does whose patience ended.
      socket.on('data', () =>
        asked++ === 0 ? socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n') : socket.destroy(),
      );
    });
    const probe = createProbe({ clock: systemClock });
    for (let n = 0; n < 4; n += 1) {
      expect(await probe.check({ http }, targetAt(server.port), 1000, never)).toMatchObject({
        outcome: 'ok',
      });
    }
    expect(server.connections()).toBe(4);
    await server.close();
  });

  it('follows an instance to its new port', async () => {
    const [first, second] = [
      await serveHttp(saying(fresh())),
      await serveHttp(saying({ status: 'degraded' })),
    ];
    const probe = createProbe({ clock: systemClock });
    const ask = (port: number) => probe.check({ http }, targetAt(port, { container: 'same' }), 1000, never);
    expect((await ask(first.port)).outcome).toBe('ok');
    expect((await ask(second.port)).outcome).toBe('degraded');
    await Promise.all([first.close(), second.close()]);
  });

  it('speaks to IPv6 addresses too', async () => {
    const address = { host: '::1', port: 9 };
    const probe = createProbe({ clock: systemClock });
    const result = await probe.check({ http }, targetAt(9, { address }), 500, never);
    expect(result.outcome).toMatch(/^(failed|unknown)$/);
  });
});

describe('a slow answer', () => {
  const timeoutMs = 5_000;

  async function answeredAfter(ms: number): Promise<ProbeResult> {
    const clock = fakeClock(Date.now());
    let heard: (response: ServerResponse) => void = () => undefined;
    const asked = new Promise<ServerResponse>((resolve) => (heard = resolve));
    const server = await serveHttp((_request, response) => heard(response));
    const probe = createProbe({ clock });
    try {
      const http = { endpoint: '/health', strict: false };
      const result = probe.check({ http }, targetAt(server.port), timeoutMs, never);
      const response = await asked;
      await clock.advance(ms);
      response.end(JSON.stringify(fresh()));
      return await result;
    } finally {
      probe.forget?.(targetAt(server.port).container);
      await server.close();
    }
  }

  it('just within its time is well', async () => {
    expect(await answeredAfter(timeoutMs - 1)).toMatchObject({
      outcome: 'ok',
      responseTimeMs: timeoutMs - 1,
    });
  });

  it('just beyond its time is a failure, whatever it says', async () => {
    expect(await answeredAfter(timeoutMs)).toMatchObject({
      outcome: 'failed',
      reason: 'timeout',
      silent: true,
    });
  });
});
