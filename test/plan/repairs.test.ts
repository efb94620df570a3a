import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.ts';
import type { Memory, ServerMemory } from '../../src/model/memory.ts';
import type { Instance } from '../../src/model/observed.ts';
import { isSettled, makePlan } from '../../src/plan/plan.ts';
import { remember } from '../../src/plan/remember.ts';
import {
  candidateOf,
  decisionFor,
  event,
  instance,
  memory,
  NOW,
  of,
  SECOND,
  spec,
  stepFor,
  world,
} from '../support/world.ts';

const made = spec('github');
const ago = (seconds: number): number => NOW - seconds * SECOND;
const named = (id: string, change: Partial<Instance> = {}): Instance => candidateOf(made, id, change);

const starting = (id: string, at: number): Event =>
  event(
    'server_starting',
    { instance: `i-${id}`, spec: made.digest, revision: 'r', version: '1.0.0', image_digest: '' },
    { time: at },
  );
const born = (id: string, at: number): Event[] => [
  starting(id, at),
  event('server_started', of(named(id)), { time: at }),
];
const live = (id: string, at: number): Event[] => [
  event('server_promoting', of(named(id)), { time: at }),
  event('server_ready', { ...of(named(id)), url: null, image_digest: '' }, { time: at }),
];
const drifted = (id: string, at: number, what = 'memory limit', after = 'update'): Event =>
  event('drift_detected', { ...of(named(id)), drift: [what], after }, { time: at });
const removed = (id: string, at: number): Event => event('instance_removed', of(named(id)), { time: at });

const fold = (...events: (Event | Event[])[]): Memory => events.flat().reduce(remember, memory({}));
const server = (log: Memory): ServerMemory => log.servers['github'] as ServerMemory;
/** Proven long ago: `c1` answers. */
const settled: Event[] = [
  ...born('c1', ago(3_000)),
  ...live('c1', ago(2_990)),
  event(
    'update_completed',
    { ...of(named('c1')), seconds: 1, image_digest: made.imageDigest },
    { time: ago(2_000) },
  ),
];
const old = instance(made, 'c1', { createdAt: ago(3_000), startedAt: ago(3_000) });
const scene = (instances: readonly Instance[], log: Memory, now = NOW) => ({
  ...world({ github: { instances, memory: server(log) } }),
  now,
});

describe('a container that somebody changed', () => {
  const log = fold(settled, drifted('c1', ago(1)));
  const changed = { ...old, drift: ['memory limit'] };

  it('is made anew at once, and that is counted when it begins', () => {
    expect(stepFor(scene([changed], log))).toBe('create 1.0.0');
    const begun = fold(settled, drifted('c1', ago(1)), starting('c2', NOW));
    expect(server(begun).repairs).toEqual([{ at: NOW, what: 'memory limit', after: 'update' }]);
    // One that fails and is tried again is one repair.
    expect(
      server(fold(settled, drifted('c1', ago(1)), starting('c2', NOW), starting('c3', NOW))).repairs,
    ).toHaveLength(1);
  });

  it('is left as it is once what was made in its place is changed the same way, before it ever answered', () => {
    const again = fold(settled, drifted('c1', ago(9)), born('c2', ago(8)), drifted('c2', ago(2)));
    const fresh = named('c2', { drift: ['memory limit'] });
    const decision = decisionFor(scene([changed, fresh], again));
    expect(decision.step).toMatchObject({
      event: 'drift_repeats',
      fields: {
        repairs: [
          { at: ago(8), what: 'memory limit', after: 'update' },
          { at: NOW, what: 'memory limit', after: 'update' },
        ],
      },
    });
  });

  it('is made anew three times in ten minutes at most, with a longer pause each time', () => {
    const rounds = (count: number, last: number): Event[] =>
      Array.from({ length: count }, (_, n) => {
        const at = last - (count - 1 - n) * 60 * SECOND;
        return [
          drifted(`d${n}`, at - SECOND, `change ${n}`),
          ...born(`d${n + 1}`, at),
          ...live(`d${n + 1}`, at),
        ];
      }).flat();
    const now = (count: number, last: number): string => {
      const log = fold(settled, rounds(count, last), drifted(`d${count}`, NOW, 'another change'));
      const it = named(`d${count}`, { joined: true, drift: ['another change'] });
      return stepFor(scene([it], log));
    };
    expect([now(1, ago(4)), now(1, ago(6))]).toEqual(['nothing', 'create 1.0.0']);
    expect([now(2, ago(19)), now(2, ago(21))]).toEqual(['nothing', 'create 1.0.0']);
    expect([now(3, ago(60)), now(3, ago(700))]).toEqual(['record drift_repeats', 'create 1.0.0']);
  });
});

describe('while repairs are held', () => {
  const held = (...more: Event[]): Memory =>
    fold(settled, drifted('c1', ago(9)), born('c2', ago(8)), drifted('c2', ago(2)), [
      event('drift_repeats', { spec: made.digest, repairs: [], error: '', suggested_action: '' }),
      ...more,
    ]);
  const changed = { ...old, drift: ['memory limit'] };

  it('what serves keeps serving, and what was made in its place goes', () => {
    const fresh = named('c2', { drift: ['memory limit'] });
    expect(stepFor(scene([changed, fresh], held()))).toBe('remove c2');
    const rest = scene([changed], held(removed('c2', NOW)));
    expect(decisionFor(rest)).toMatchObject({ step: null, held: 'drift_repeats' });
    expect(isSettled(rest, makePlan(rest))).toEqual({ outcome: 'partial', failed: ['github'] });
  });

  it('the only one that there is goes live as it is', () => {
    const only = named('c2', { drift: ['memory limit'] });
    expect(stepFor(scene([only], held(removed('c1', NOW))))).toBe('promote c2');
  });

  it('one that falls is recovered as ever', () => {
    const fallen = { ...changed, state: 'exited' as const, finishedAt: ago(1), exitCode: 1 };
    const down = event('server_down', {
      ...of(old),
      from: 'healthy',
      to: 'unhealthy',
      reason: 'exited_1',
      by: 'itself',
      exit_code: 1,
      at: ago(1),
    });
    expect(stepFor(scene([fallen], held(down, removed('c2', NOW))))).toBe('restart c1');
  });

  it('nothing is made in place of what is gone, but for a slow try where nothing runs', () => {
    const log = held(removed('c2', NOW));
    expect(decisionFor(scene([], log))).toMatchObject({ step: null, held: 'drift_repeats' });
    expect(stepFor(scene([], log, NOW + 600 * SECOND))).toBe('create 1.0.0');
  });

  it.each([
    ['a person says so', event('request_accepted', { request: 'retry' })],
    [
      'its entry changes',
      event(
        'manifest_synced',
        {
          source: 's',
          revision: 'r2',
          previous: null,
          commits: [],
          entries: { github: 'other' },
          added: [],
          changed: [],
          removed: [],
          allow_removal: [],
        },
        { server: null },
      ),
    ],
  ])('that ends when %s', (_what, word) => {
    const log = held(word);
    expect(server(log)).toMatchObject({ repairs: [], repairsHeld: false, drift: null });
    expect(stepFor(scene([changed], log))).toBe('create 1.0.0');
  });
});

describe('what somebody takes away', () => {
  it('is made again, three times in ten minutes at most', () => {
    const log = (rounds: number): Memory =>
      fold(
        settled,
        Array.from({ length: rounds }, (_, n) => [
          ...born(`g${n}`, ago(300 - n)),
          ...live(`g${n}`, ago(300 - n)),
        ]).flat(),
      );
    expect(server(log(1)).repairs).toEqual([{ at: ago(300), what: 'it was gone', after: null }]);
    expect(stepFor(scene([], log(2)))).toBe('create 1.0.0');
    expect(stepFor(scene([], log(3)))).toBe('record drift_repeats');
  });

  it('is no repair where we took it away ourselves, or to recover it', () => {
    const recreated = event('recovery_started', {
      ...of(old),
      reason: 'x',
      attempt: 3,
      strategy: 'recreate',
    });
    expect(server(fold(settled, recreated, starting('c2', NOW))).repairs).toEqual([]);
    expect(server(fold(settled, removed('c1', NOW), starting('c2', NOW))).repairs).toEqual([]);
  });

  it('from the live network is put back, three times in ten minutes at most', () => {
    const off = { ...old, joined: false };
    const log = (rounds: number): Memory =>
      fold(settled, Array.from({ length: rounds }, (_, n) => live('c1', ago(300 - n))).flat());
    expect([0, 2].map((rounds) => stepFor(scene([off], log(rounds))))).toEqual(['promote c1', 'promote c1']);
    expect(stepFor(scene([off], log(3)))).toBe('record drift_repeats');
    expect(server(log(1)).repairs).toEqual([{ at: ago(300), what: 'off the live network', after: null }]);
    // Refused by the engine and tried again: one.
    const refused = Array.from({ length: 5 }, () => event('server_promoting', of(old)));
    expect(server(fold(settled, refused)).repairs).toHaveLength(1);
  });

  it('from the live network by ourselves is no repair when it comes back', () => {
    const drain = event('drain_started', { ...of(old), drain_min_seconds: 1, drain_timeout_seconds: 1 });
    const left = event('server_leaving', { ...of(old), outcome: 'ended' });
    expect(server(fold(settled, drain, live('c1', NOW))).repairs).toEqual([]);
    expect(server(fold(settled, left, live('c1', NOW))).repairs).toEqual([]);
  });
});

it('a program that wrote no such thing is read as if nothing had been put right', () => {
  const {
    repairs: _repairs,
    drift: _drift,
    repairsHeld: _held,
    answered: _answered,
    ...older
  } = server(fold(settled));
  const checkpoint = event(
    'memory_checkpoint',
    { memory: memory({ github: older as ServerMemory }) },
    { server: null },
  );
  expect(server([checkpoint].reduce(remember, memory({})))).toMatchObject({
    repairs: [],
    drift: null,
    repairsHeld: false,
  });
});
