import { describe, expect, it } from 'vitest';
import {
  MINUTE,
  NOW,
  SECOND,
  decisionFor,
  instance,
  provenMemory,
  pulse,
  spec,
  stepFor,
  stoppedCopy,
  unwell,
  world,
} from '../support/world.ts';
import type { Pulse } from '../../src/model/observed.ts';

const v2 = spec('github', '2.0.0');
const live = instance(v2, 'new', { startedAt: NOW - 12 * MINUTE });
/** Its soak of ten minutes ended five seconds ago. */
const promoted = { container: 'new', spec: v2.digest, version: null, at: NOW - 10 * MINUTE - 5 * SECOND };
const after = (change: Partial<Pulse>) =>
  world({
    github: {
      ...{
        wanted: v2,
        instances: [live, stoppedCopy(spec('github'), 'old')],
        pulses: { new: pulse(live, change) },
      },
      memory: provenMemory(spec('github'), 'new', { promoted, stopped: { old: NOW } }),
    },
  });

describe('a version is stable', () => {
  it('when it answers well to a question that was asked after its soak was over', () => {
    expect(stepFor(after({ lastCheckAt: NOW - 5 * SECOND }))).toBe('record update_completed');
  });

  it('not for the absence of news: nobody asked since', () => {
    expect(decisionFor(after({ lastCheckAt: NOW - 6 * SECOND }))).toMatchObject({
      step: null,
      why: 'its soak is over: it is asked once more',
    });
    expect(stepFor(after({ lastCheckAt: NOW + MINUTE })), 'the clock was set back').toBe('nothing');
  });

  it('not when that question failed: it falls in its soak', () => {
    const failed = { lastOk: false, healthySince: null, successes: 0, lastCheckAt: NOW - SECOND };
    expect(stepFor(after({ ...failed, state: 'degraded', failures: 1 }))).toBe('nothing');
    expect(stepFor(after(unwell(live)))).toBe('record version_quarantined');
  });
});
