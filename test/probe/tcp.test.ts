import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { createProbe } from '../../src/probe/index.ts';
import { probeContract } from '../contract/probe.contract.ts';
import { never, serveTcp, targetAt } from './stage.ts';

probeContract('tcp', async () => {
  const [well, sick] = [await serveTcp(() => undefined), await serveTcp(() => undefined)];
  await sick.close();
  return {
    probe: createProbe({ clock: systemClock }),
    settings: { tcp: {} },
    well: targetAt(well.port),
    sick: targetAt(sick.port),
    close: () => well.close(),
  };
});

describe('a tcp probe', () => {
  const ask = (target: Parameters<typeof targetAt>[1], port = 9) =>
    createProbe({ clock: systemClock }).check({ tcp: {} }, targetAt(port, target), 1000, never);

  it('is not deceived by a proxy that accepts and hangs up', async () => {
    const server = await serveTcp((socket) => socket.destroy());
    expect(await ask({}, server.port)).toMatchObject({ outcome: 'failed', reason: 'closed', silent: true });
    await server.close();
  });

  it('takes a server that greets and hangs up as well', async () => {
    const server = await serveTcp((socket) => socket.end('220 hello\r\n'));
    expect(await ask({}, server.port)).toMatchObject({ outcome: 'ok' });
    await server.close();
  });

  it('says unknown without an address', async () => {
    expect(await ask({ address: null })).toMatchObject({ outcome: 'unknown', reason: 'no_address' });
  });
});
