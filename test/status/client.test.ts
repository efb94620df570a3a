import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { StatusClient } from '../../examples/gateway-kit/client/client.ts';
import { exampleRecord, exampleSource } from '../../src/status/examples.ts';

afterEach(() => vi.useRealTimers());

it('the reference client goes on with what it has: 304 renews it, silence makes it stale, and nobody is removed', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_795_176_000_000 });
  const seen: number[] = [];
  let code = 304;
  const orchestrator = createServer((request, response) => {
    const answered = request.headers['if-none-match'] === 'W/"b1-1"' ? code : 200;
    seen.push(answered);
    response.writeHead(answered, { ETag: 'W/"b1-1"' }).end(answered === 200 ? ecosystem : undefined);
  });
  await once(orchestrator.listen(0, '127.0.0.1'), 'listening');
  const { port } = orchestrator.address() as AddressInfo;
  const client = new StatusClient({ url: `http://127.0.0.1:${port}`, retryMs: 5 });
  await client.open();
  const nextAnswer = async (wanted: number): Promise<void> => {
    seen.length = 0;
    await expect.poll(() => seen.filter((each) => each === wanted).length).toBeGreaterThan(2);
  };
  await nextAnswer(304);
  vi.setSystemTime(Date.now() + 80_000);
  await nextAnswer(304);
  vi.setSystemTime(Date.now() + 80_000);
  await nextAnswer(304);
  expect(client.route('github')).toMatchObject({ ok: true, instance: 'i-7f3a', stale: false });
  code = 503;
  await nextAnswer(503);
  expect(client.isStale).toBe(false);
  vi.setSystemTime(Date.now() + 91_000);
  expect(client.isStale).toBe(true);
  expect(client.route('github')).toMatchObject({ ok: true, instance: 'i-7f3a', stale: true });
  await client.close();
  orchestrator.close();
  orchestrator.closeAllConnections();
});

const ecosystem = JSON.stringify({
  ...{ schema_version: '1.0', index: 1, generated_at: '2026-11-20T12:00:00Z', valid_for_seconds: 90 },
  ...{ source: exampleSource, view: 'clear', status: 'ok', servers: [exampleRecord] },
  summary: { total: 1, healthy: 1, degraded: 0, unhealthy: 0, unknown: 0 },
});
