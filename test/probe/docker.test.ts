import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { createProbe } from '../../src/probe/index.ts';
import { probeContract } from '../contract/probe.contract.ts';
import { never, targetAt } from './stage.ts';

const probe = createProbe({ clock: systemClock });

probeContract('docker', async () => ({
  probe,
  settings: { docker: {} },
  well: targetAt(9, { engineHealth: 'healthy' }),
  sick: targetAt(9, { engineHealth: 'unhealthy' }),
  close: async () => undefined,
}));

describe('a docker probe', () => {
  it.each([
    ['starting', 'unknown', 'engine_starting'],
    ['unhealthy', 'failed', 'engine_unhealthy'],
    [null, 'failed', 'no_healthcheck'],
  ] as const)('takes the engine saying %s as %s', async (engineHealth, outcome, reason) => {
    const result = await probe.check({ docker: {} }, targetAt(9, { engineHealth }), 1000, never);
    expect(result).toMatchObject({ outcome, reason, silent: false });
  });

  it('tells a HEALTHCHECK that could not be run from a server that is sick', async () => {
    const why = 'OCI runtime exec failed: exec: "/usr/bin/curl": no such file or directory';
    const ask = (engineHealth: 'unhealthy' | 'healthy') =>
      probe.check({ docker: {} }, targetAt(9, { engineHealth, healthcheckFailure: why }), 1000, never);
    expect(await ask('unhealthy')).toMatchObject({
      ...{ outcome: 'failed', reason: 'healthcheck_not_run' },
      departures: [`the HEALTHCHECK of the image could not be run: ${why}`],
    });
    expect(await ask('healthy')).toMatchObject({ outcome: 'ok', departures: [] });
  });

  it('of a kind nobody wrote is our own mistake', async () => {
    await expect(probe.check({ grpc: {} } as never, targetAt(9), 1000, never)).rejects.toThrow('grpc');
  });
});
