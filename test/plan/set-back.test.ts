import { describe, expect, it } from 'vitest';
import { emptyMemory, emptyServerMemory, type Memory } from '../../src/model/memory.ts';
import { sightingWithoutFuture, withoutFuture, withoutLeap } from '../../src/plan/set-back.ts';
import { NOW, instance, pulse, spec } from '../support/world.ts';

const HOUR = 3_600_000;
const recovery = {
  ...emptyServerMemory.recovery,
  attempts: 2,
  lastAt: NOW + HOUR,
  recoveredAt: NOW + HOUR - 5,
};
const memory: Memory = {
  ...emptyMemory,
  seq: 12,
  acceptedAt: NOW - HOUR,
  pause: { until: NOW + 2 * HOUR, reason: 'a' },
  servers: { a: { ...emptyServerMemory, recovery, pause: { until: NOW + HOUR, reason: 'b' } } },
};

describe('memory, when the clock was set back', () => {
  it('happened just now, in the same order', () => {
    const { servers, acceptedAt, seq } = withoutFuture(memory, NOW);
    expect(servers['a']?.recovery).toMatchObject({ attempts: 2, lastAt: NOW - 1, recoveredAt: NOW - 2 });
    expect([acceptedAt, seq]).toEqual([NOW - HOUR, 12]);
  });

  it('keeps until when a person paused it', () => {
    const moved = withoutFuture(memory, NOW);
    expect(moved.pause).toEqual(memory.pause);
    expect(moved.servers['a']?.pause).toEqual({ until: NOW + HOUR, reason: 'b' });
  });

  it('is the very same where nothing lies in the future', () => {
    const past = { ...emptyMemory, acceptedAt: NOW };
    expect(withoutFuture(past, NOW)).toBe(past);
  });
});

describe('the pulse, when the clock was set forward', () => {
  it('has lasted as long as before, and is seen anew', () => {
    const one = instance(spec('a'), 'a');
    const before = pulse(one, { healthySince: NOW - 5_000, silentSince: null, seenSince: NOW - 60_000 });
    const now = NOW + HOUR;
    expect(withoutLeap(before, HOUR, now)).toMatchObject({
      ...{ healthySince: now - 5_000, silentSince: null, seenSince: now },
    });
    expect(withoutLeap({ ...before, seenSince: null }, HOUR, now).seenSince).toBeNull();
  });
});

describe('what the engine shows, when the clock was set back', () => {
  const engine = { id: 'e', startedAt: NOW + HOUR, version: '1' };
  const seen = (startedAt: number) => ({
    engine,
    instances: [instance(spec('a'), 'a', { createdAt: NOW - HOUR, startedAt, finishedAt: 0 })],
    images: [],
    strangers: [],
  });

  it('began long ago where it would begin in the future', () => {
    const { engine: now, instances } = sightingWithoutFuture(seen(NOW + HOUR), NOW);
    expect(now.startedAt).toBe(0);
    expect(instances[0]).toMatchObject({ createdAt: NOW - HOUR, startedAt: 1, finishedAt: 0 });
  });

  it('is believed where it lies in the past', () => {
    const { instances } = sightingWithoutFuture(seen(NOW - 1), NOW);
    expect(instances[0]).toMatchObject({ startedAt: NOW - 1 });
    const ahead = sightingWithoutFuture(seen(NOW + 30_000), NOW);
    expect(ahead.instances[0], 'an engine may be a little ahead').toMatchObject({ startedAt: NOW + 30_000 });
    const calm = { ...seen(NOW), engine: { ...engine, startedAt: NOW } };
    expect(sightingWithoutFuture(calm, NOW)).toBe(calm);
  });
});
