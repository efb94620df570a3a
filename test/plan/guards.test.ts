import { describe, expect, it } from 'vitest';
import type { World } from '../../src/model/world.ts';
import { makePlan } from '../../src/plan/plan.ts';
import {
  MINUTE,
  NOW,
  SECOND,
  decisionFor,
  entry,
  instance,
  provenMemory,
  spec,
  stepFor,
  unwell,
  world,
  type Scene,
  type WorldChange,
} from '../support/world.ts';

const names = ['a', 'b', 'c', 'd', 'e'];

/** Servers that all fell ill 10 s ago; `silent` ones do not answer at all. */
function ill(sick: readonly string[], silent: boolean, change: WorldChange = {}, all = names) {
  const scenes = all.map((name): [string, Scene] => {
    const one = instance(spec(name), `${name}-1`);
    if (!sick.includes(name)) return [name, {}];
    const memory = provenMemory(spec(name), `${name}-1`, {
      health: { [one.id]: { state: 'unhealthy', at: NOW - 10 * SECOND, was: true } },
    });
    return [name, { instances: [one], pulses: { [one.id]: unwell(one, { silent }) }, memory }];
  });
  return world(Object.fromEntries(scenes), change);
}

const held = (all: ReturnType<typeof world>) =>
  makePlan(all)
    .decisions.filter((one) => one.held !== null)
    .map(({ server, held }) => `${server} ${held}`);

describe('when most servers fall silent at once', () => {
  it('our own view is doubted: nothing is restarted, and it is written down once', () => {
    const all = ill(['a', 'b', 'c'], true);
    expect(held(all)).toEqual(['a view_suspect', 'b view_suspect', 'c view_suspect']);
    expect(makePlan(all).notes).toEqual([
      { event: 'view_suspected', fields: { silent: ['a', 'b', 'c'], of: 5 } },
    ]);
    expect(makePlan(all).view).toBe('suspect');
    const again = ill(['a', 'b', 'c'], true, { memory: { viewSuspectSince: NOW - SECOND } });
    expect(makePlan(again).notes).toEqual([]);
  });

  it('it does not last for ever: then the budget alone paces', () => {
    const all = ill(['a', 'b', 'c'], true, { memory: { viewSuspectSince: NOW - 10 * MINUTE } });
    expect(stepFor(all, 'a')).toBe('restart a-1');
    expect(held(all)).toEqual(['b recovery_budget', 'c recovery_budget']);
  });

  it('the end of it is written down', () => {
    const all = ill(['a', 'b'], true, { memory: { viewSuspectSince: NOW - MINUTE } });
    expect(makePlan(all).notes).toEqual([{ event: 'view_cleared', fields: { seconds: 60 } }]);
  });

  it('who has not been asked yet heals nothing, and is no reason for doubt', () => {
    const unheard = (since: number | null) => {
      const all = ill(['a', 'b', 'c'], true, { memory: { viewSuspectSince: since } });
      const notFresh = Object.entries(all.pulses).map(([id, pulse]) => [id, { ...pulse, fresh: false }]);
      return makePlan({ ...all, pulses: Object.fromEntries(notFresh) as typeof all.pulses });
    };
    expect(unheard(NOW - MINUTE)).toMatchObject({ notes: [], view: 'suspect' });
    expect(unheard(null)).toMatchObject({ notes: [], view: 'clear' });
  });

  it('who was silent before it ended is asked again before anything is done to it', () => {
    const before = ill(['a'], true, { memory: { viewClearedAt: NOW - SECOND } });
    expect(decisionFor(before, 'a').held).toBe('view_suspect');
    const after = ill(['a'], true, { memory: { viewClearedAt: NOW - 2 * SECOND } });
    expect(stepFor(after, 'a')).toBe('restart a-1');
  });

  /** The second is how long ago each fell silent; null: it has not answered since its start. */
  function silentFor(ago: Readonly<Record<string, number | null>>, all = names) {
    const base = ill(Object.keys(ago), true, {}, all);
    const pulses = Object.entries(ago).map(([name, seconds]) => {
      const silentSince = seconds === null ? null : NOW - seconds * SECOND;
      return [`${name}-1`, { ...base.pulses[`${name}-1`]!, silentSince }];
    });
    return { ...base, pulses: { ...base.pulses, ...(Object.fromEntries(pulses) as World['pulses']) } };
  }

  it('those that hang for long are no part of it: a third that hangs is brought back', () => {
    const all = silentFor({ a: 1_200, b: 600, c: 15 });
    expect(makePlan(all).view).toBe('clear');
    expect(held(all)).toEqual(['b recovery_budget', 'c recovery_budget']);
  });

  it('within one interval is at once, and the interval is that of the entry', () => {
    expect(makePlan(silentFor({ a: 45, b: 30, c: 15 })).view).toBe('suspect');
    expect(makePlan(silentFor({ a: 46, b: 30, c: 15 })).view).toBe('clear');
  });

  it('a real cut-off is seen while some hang for good', () => {
    const all = silentFor({ a: 5_000, b: 15, c: 14, d: 13 });
    expect(makePlan(all).notes).toEqual([
      { event: 'view_suspected', fields: { silent: ['b', 'c', 'd'], of: 5 } },
    ]);
  });

  it('who has not answered since its start has not fallen silent', () => {
    expect(makePlan(silentFor({ a: null, b: null, c: null, d: null })).view).toBe('clear');
  });

  it('who has not answered since its start is not judged for its silence while our view is doubted', () => {
    const all = silentFor({ a: null, b: 15, c: 15, d: 15 });
    expect(held(all)).toContain('a view_suspect');
  });

  it('answers that say down do not count', () => {
    expect(makePlan(ill(names, false)).view).toBe('clear');
  });

  it('two are too few to doubt our view', () => {
    expect(makePlan(ill(['a', 'b'], true, {}, ['a', 'b'])).view).toBe('clear');
  });

  it('a version that fell silent is not set aside for it', () => {
    const base = ill(['a', 'b', 'c'], true);
    const unproven = { ...base.memory.servers, a: { ...base.memory.servers['a']!, stable: 'another' } };
    const all = {
      ...base,
      memory: { ...base.memory, servers: unproven },
      specs: { ...base.specs, another: spec('a', '0.9.0') },
    };
    expect(decisionFor(all, 'a').held).toBe('view_suspect');
  });
});

describe('the recovery budget', () => {
  it('lets one in five be brought back at once, fewest attempts first', () => {
    expect(stepFor(ill(['a', 'b'], false), 'a')).toBe('restart a-1');
    expect(decisionFor(ill(['a', 'b'], false), 'b')).toMatchObject({ step: null, held: 'recovery_budget' });
  });

  it('counts attempts in flight until their healthy deadline, whatever became of the containers', () => {
    const open = {
      attempts: 1,
      lastAt: NOW - MINUTE,
      open: NOW - MINUTE,
      exhausted: false,
      told: false,
      recoveredAt: null,
      judged: 0,
    };
    const base = ill(['a'], false);
    const servers = { ...base.memory.servers, b: { ...base.memory.servers['b']!, recovery: open } };
    const all = { ...base, memory: { ...base.memory, servers } };
    expect(decisionFor(all, 'a')).toMatchObject({ held: 'recovery_budget', wakeAt: NOW + MINUTE });
    const later = {
      ...all,
      memory: {
        ...all.memory,
        servers: { ...servers, b: { ...servers.b, recovery: { ...open, open: NOW - 3 * MINUTE } } },
      },
    };
    expect(stepFor(later, 'a')).toBe('restart a-1');
  });

  it('is not taken up by a paused server', () => {
    const base = ill(['a', 'b'], false);
    const paused = { ...base.memory.servers['a']!, pause: { until: null, reason: 'looking at it' } };
    const all = { ...base, memory: { ...base.memory, servers: { ...base.memory.servers, a: paused } } };
    expect(stepFor(all, 'b')).toBe('restart b-1');
  });
});

describe('removals', () => {
  const without = (gone: readonly string[], change: WorldChange = {}) =>
    world(
      Object.fromEntries(names.map((name) => [name, gone.includes(name) ? { entry: null } : {}])),
      change,
    );

  it('are held when more would go than may at once, and told once for a revision', () => {
    expect(held(without(['a', 'b']))).toEqual(['a removal_held', 'b removal_held']);
    expect(makePlan(without(['a', 'b'])).notes).toMatchObject([
      { event: 'removal_held', fields: { limit: 1, reason: 'too_many' } },
    ]);
    expect(makePlan(without(['a', 'b'], { memory: { removalHeldFor: 'rev1' } })).notes).toEqual([]);
  });

  it('go ahead when they are few', () => {
    expect(stepFor(without(['a']), 'a')).toBe('record drain_started');
  });

  it('go by the limit of the operator where there is one', () => {
    expect(held(without(['a', 'b'], { allowRemovalOf: 2 }))).toEqual([]);
    expect(held(without(['a'], { allowRemovalOf: 0 }))).toEqual(['a removal_held']);
  });

  it('are released by name, or all, by the commit', () => {
    expect(stepFor(without(['a', 'b'], { memory: { allowRemoval: ['a'] } }), 'a')).toBe(
      'record drain_started',
    );
    expect(held(without(['a', 'b', 'c'], { memory: { allowRemoval: ['all'] } }))).toEqual([]);
  });

  it('are never made for an empty manifest, not even of one server', () => {
    expect(held(world({ a: { entry: null } }))).toEqual(['a removal_held']);
  });

  it('are held for what was made for another manifest', () => {
    const other = instance(spec('a'), 'a-1', { source: 'https://example.org/other.git' });
    const all = world({ a: { entry: null, instances: [other] }, b: {}, c: {}, d: {} });
    expect(held(all)).toEqual(['a source_changed']);
    expect(makePlan(all).notes).toMatchObject([{ fields: { reason: 'source_changed', servers: ['a'] } }]);
  });

  it('do not hold facts back', () => {
    const fallen = instance(spec('a'), 'a-1', { state: 'exited', finishedAt: NOW - SECOND });
    const all = world({ a: { entry: null, instances: [fallen] } });
    expect(stepFor(all, 'a')).toBe('record server_down');
  });
});

describe('a pause', () => {
  const sick = (change: WorldChange) => decisionFor(ill(['a'], false, change), 'a');

  it('holds deeds, of all or of one, for a time or for ever', () => {
    expect(sick({ memory: { pause: { until: NOW + MINUTE, reason: 'maintenance' } } })).toMatchObject({
      held: 'paused',
      wakeAt: NOW + MINUTE,
    });
    expect(sick({ memory: { pause: { until: null, reason: 'maintenance' } } })).toMatchObject({
      held: 'paused',
      wakeAt: null,
    });
    expect(sick({ memory: { pause: { until: NOW, reason: 'over' } } }).held).toBeNull();
    expect(sick({ desired: { paused: true } }).held).toBe('paused');
  });

  it('the longer of two is in force', () => {
    const base = ill(['a'], false, { memory: { pause: { until: NOW + 5, reason: 'short' } } });
    const paused = { ...base.memory.servers['a']!, pause: { until: NOW + 9, reason: 'long' } };
    const all = { ...base, memory: { ...base.memory, servers: { ...base.memory.servers, a: paused } } };
    expect(decisionFor(all, 'a').wakeAt).toBe(NOW + 9);
  });

  it('may be written in the entry', () => {
    const all = world({ a: { entry: entry('a', { paused: true }), instances: [] } });
    expect(decisionFor(all, 'a')).toMatchObject({ step: null, held: 'paused' });
  });
});

it('without the writer lock nothing at all is done or written', () => {
  const all = ill(['a', 'b', 'c'], true, { lockHeld: false });
  expect(makePlan(all).notes).toEqual([]);
  expect(makePlan(all).decisions.every(({ step }) => step === null)).toBe(true);
  expect(decisionFor(world({ a: { instances: [] } }, { lockHeld: false }), 'a').held).toBe('lock_lost');
});
