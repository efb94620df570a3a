import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { createProbe } from '../../src/probe/index.ts';
import { never, saying, serveHttp, targetAt } from './stage.ts';

const targets = 1000;

describe('a thousand servers', () => {
  it('asked every 30 s cost a few percent of one core', async () => {
    const server = await serveHttp(saying({ status: 'healthy', version: '1.0.0', uptime_seconds: 3 }));
    const probe = createProbe({ clock: systemClock });
    // What is measured is the cost: on a busy machine an answer may take its time.
    const round = async () => {
      for (let n = 0; n < targets; n += 50) {
        const batch = Array.from({ length: 50 }, (_, i) => targetAt(server.port, { container: `c${n + i}` }));
        const http = { endpoint: '/health', strict: false };
        const results = await Promise.all(batch.map((t) => probe.check({ http }, t, 60_000, never)));
        expect(results.every(({ outcome }) => outcome === 'ok')).toBe(true);
      }
    };
    await round();
    const before = process.cpuUsage();
    await round();
    const { user, system } = process.cpuUsage(before);
    // The answering server runs in this process as well, so this is an upper bound of the asking.
    const share = (user + system) / 30e6;
    console.info(
      `1,000 probes: ${((user + system) / 1000).toFixed(0)} ms of CPU, ${(share * 100).toFixed(1)} % at 30 s`,
    );
    expect(share).toBeLessThan(0.05);
    for (let n = 0; n < targets; n += 1) probe.forget?.(`c${n}`);
    await server.close();
  });
});
