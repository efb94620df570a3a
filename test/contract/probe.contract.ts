import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../src/model/spec.ts';
import type { Probe, ProbeTarget } from '../../src/probe/probe.ts';

/** One kind of probe with a target that is well, one that is sick, and the probe itself. */
export interface ProbeSetting {
  readonly probe: Probe;
  readonly settings: HealthCheck['probe'];
  readonly well: ProbeTarget;
  readonly sick: ProbeTarget;
  close(): Promise<void>;
}

/** What every kind of probe promises. */
export function probeContract(name: string, open: () => Promise<ProbeSetting>): void {
  describe(`a ${name} probe, as any kind`, () => {
    let setting: ProbeSetting;
    beforeAll(async () => {
      setting = await open();
    });
    afterAll(() => setting.close());

    const ask = (target: ProbeTarget, signal = new AbortController().signal) =>
      setting.probe.check(setting.settings, target, 2000, signal);

    it('finds a well server well', async () => {
      expect(await ask(setting.well)).toMatchObject({ outcome: 'ok', reason: 'ok', silent: false });
    });

    it('finds a sick server failed and gives a word for it', async () => {
      const result = await ask(setting.sick);
      expect(result.outcome).toBe('failed');
      expect(result.reason).toMatch(/^[a-z0-9_]+$/);
    });

    it('says the same when asked again', async () => {
      const [first, second] = [await ask(setting.sick), await ask(setting.sick)];
      expect({ ...second, responseTimeMs: null }).toEqual({ ...first, responseTimeMs: null });
    });

    it('blames nobody for a question that was called off', async () => {
      const result = await ask(setting.sick, AbortSignal.abort());
      expect(result.outcome === 'unknown' || result.responseTimeMs === null).toBe(true);
    });

    it('may forget a target at any time, known or not', async () => {
      setting.probe.forget?.(setting.well.container);
      setting.probe.forget?.('never seen');
      expect((await ask(setting.well)).outcome).toBe('ok');
    });
  });
}
