import { expect, it } from 'vitest';
import { discreet } from '../../src/probe/index.ts';
import { healthy } from '../../src/probe/result.ts';
import type { Probe, ProbeTarget } from '../../src/probe/probe.ts';

it('what a server repeats of its secrets goes no further', async () => {
  const forgotten: string[] = [];
  const probe: Probe = {
    check: async () => healthy({ reportedVersion: '1.0 hunter2', checks: { hunter2: 'ok', db: 'down' } }),
    forget: (container) => forgotten.push(container),
  };
  const shy = discreet(probe, (text) => text.replaceAll('hunter2', '***'));
  const got = await shy.check({ tcp: {} }, {} as ProbeTarget, 1, new AbortController().signal);
  expect(got).toMatchObject({ reportedVersion: '1.0_***', checks: { '***': 'ok', db: 'down' } });
  shy.forget?.('c1');
  expect(forgotten).toEqual(['c1']);
});
