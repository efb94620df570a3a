import { describe, expect, it } from 'vitest';
import { isSettled, makePlan } from '../../src/plan/plan.ts';
import {
  NOW,
  MINUTE,
  entry,
  instance,
  provenMemory,
  pulse,
  settings,
  spec,
  stoppedCopy,
  unwell,
  world,
  type Scene,
  type WorldChange,
} from '../support/world.ts';

const v1 = spec('github');
const v2 = spec('github', '2.0.0');
const settled = (scene: Scene, change: WorldChange = {}, others: Record<string, Scene> = {}) => {
  const all = world({ github: scene, ...others }, change);
  return isSettled(all, makePlan(all));
};
const applied = { outcome: 'applied', failed: [] };
const partial = { outcome: 'partial', failed: ['github'] };
const worn = {
  attempts: 3,
  lastAt: NOW - 1,
  open: null,
  exhausted: true,
  told: true,
  recoveredAt: null,
  judged: 3,
};
const aside = {
  quarantined: [
    { spec: v2.digest, imageDigest: '', version: '2.0.0', gate: 'health' as const, reason: '', at: 1 },
  ],
  rollback: { from: v2.digest, to: v1.digest, at: 1, open: false },
};

describe('a revision is settled', () => {
  it('when every server is live, well and as wanted; its soak is not waited for', () => {
    expect(settled({})).toEqual(applied);
    expect(
      settled({
        memory: provenMemory(v1, 'github-1', {
          stable: null,
          promoted: { container: 'github-1', spec: v1.digest, version: null, at: NOW },
        }),
      }),
    ).toEqual(applied);
  });

  it('not while a version is on its way, nor while one is unwell', () => {
    expect(settled({ wanted: v2, instances: [instance(v1, 'github-1')] })).toBeNull();
    const one = instance(v1, 'github-1');
    expect(settled({ instances: [one], pulses: { 'github-1': unwell(one) } })).toBeNull();
    expect(settled({ wanted: null })).toBeNull();
  });

  it('when what was to stop is stopped, and what was to go is gone', () => {
    const stopped = entry('github', { desiredState: 'stopped' });
    expect(settled({ entry: stopped })).toBeNull();
    expect(
      settled({
        entry: stopped,
        instances: [stoppedCopy(v1, 'github-1')],
        memory: provenMemory(v1, 'x', { stopped: { 'github-1': NOW } }),
      }),
    ).toEqual(applied);
    expect(settled({ entry: null }, {}, { a: {}, b: {} })).toBeNull();
  });

  it('when a removal is held: that is for a person to release', () => {
    expect(settled({ entry: null })).toEqual(applied);
  });

  it('in part when a server is refused, set aside, worn out or held', () => {
    const refusal = { phase: 'refused' as const, reason: 'x', message: 'x', suggestedAction: 'x' };
    expect(settled({ entry: entry('github', { refusal }) })).toEqual(partial);
    expect(
      settled({
        wanted: v2,
        instances: [instance(v1, 'github-1')],
        memory: provenMemory(v1, 'github-1', aside),
      }),
    ).toEqual(partial);
    const one = instance(v1, 'github-1');
    const sick = { instances: [one], pulses: { 'github-1': unwell(one) } };
    expect(settled({ ...sick, memory: provenMemory(v1, 'github-1', { recovery: worn }) })).toEqual(partial);
    expect(settled({ instances: [] }, { desired: { paused: true } })).toEqual(partial);
    expect(
      settled({ ...sick, entry: entry('github', { settings: settings({ recovery: { enabled: false } }) }) }),
    ).toEqual(partial);
    const blocked = {
      github: {
        phase: 'failed' as const,
        reason: 'image_not_found',
        message: '',
        suggestedAction: null,
        until: NOW + MINUTE,
      },
    };
    expect(settled({ wanted: null }, { blocked })).toEqual(partial);
  });

  it('in part when a server waits for one that failed', () => {
    const needy = {
      entry: entry('coda', { dependsOn: ['github'] }),
      instances: [],
      memory: provenMemory(spec('coda'), 'x', { stable: null, promoted: null }),
    };
    const one = instance(v1, 'github-1');
    const sick = {
      instances: [one],
      pulses: { 'github-1': unwell(one) },
      memory: provenMemory(v1, 'github-1', { recovery: worn }),
    };
    expect(settled(sick, {}, { coda: needy })).toEqual({ outcome: 'partial', failed: ['github', 'coda'] });
  });

  it('when its restart policy leaves it as it ended', () => {
    const ended = instance(v1, 'github-1', { state: 'exited', finishedAt: NOW - 1, exitCode: 0 });
    const exits = (by: 'itself' | 'person') => ({
      exits: { 'github-1': { at: NOW - 1, by, code: 0, sure: true } },
    });
    expect(
      settled({
        instances: [ended],
        entry: entry('github', { restartPolicy: 'on-failure' }),
        memory: provenMemory(v1, 'github-1', exits('itself')),
      }),
    ).toEqual(applied);
    expect(
      settled({
        instances: [ended],
        entry: entry('github', { restartPolicy: 'unless-stopped' }),
        memory: provenMemory(v1, 'github-1', exits('person')),
      }),
    ).toEqual(applied);
  });

  it('when a server is live and says degraded of itself', () => {
    const one = instance(v1, 'github-1');
    const degraded = pulse(one, { state: 'degraded', successes: 0, reason: 'degraded' });
    expect(settled({ instances: [one], pulses: { 'github-1': degraded } })).toEqual(applied);
  });
});
