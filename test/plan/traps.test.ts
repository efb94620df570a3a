import { describe, expect, it } from 'vitest';
import { remember } from '../../src/plan/remember.ts';
import { seedPulse } from '../../src/plan/health.ts';
import {
  MINUTE,
  NOW,
  SECOND,
  candidateOf,
  decisionFor,
  entry,
  event,
  instance,
  memory,
  of,
  provenMemory,
  pulse,
  spec,
  starting,
  stepFor,
  stoppedCopy,
  unwell,
  world,
} from '../support/world.ts';

const v1 = spec('github');
const v2 = spec('github', '2.0.0');
const old = instance(v1, 'old');
const late = candidateOf(v2, 'new', { startedAt: NOW - 5 * MINUTE });
const proven = provenMemory(v1, 'old');
const itself = (id: string, code = 1) => ({
  exits: { [id]: { at: NOW - MINUTE, by: 'itself' as const, code, sure: true } },
});

/** Histories that broke a naive rule (decision-table section 6); the rest of them are played in rollout, recovery and guards. */
describe('the trap of', () => {
  it('T1: a candidate made before we were away for long is not late at our return', () => {
    const all = world(
      { github: { wanted: v2, instances: [old, late], pulses: { new: starting(late) }, memory: proven } },
      { bootAt: NOW - SECOND },
    );
    expect(decisionFor(all)).toMatchObject({ step: null, wakeAt: NOW + 119 * SECOND });
  });

  it('T2: a probe of ours that fails, or a last answer that was good, is no verdict', () => {
    const at = (change: object) =>
      stepFor(
        world({
          github: {
            wanted: v2,
            instances: [old, late],
            pulses: { new: starting(late, change) },
            memory: proven,
          },
        }),
      );
    expect(at({ fresh: false })).toBe('nothing');
    expect(at({ lastOk: true, state: 'degraded', successes: 1 })).toBe('nothing');
  });

  it('T3: a slow starter is judged by its deadline until its first success, not by the threshold', () => {
    const slow = instance(v1, 'old', { startedAt: NOW - MINUTE });
    const all = world({
      github: {
        instances: [slow],
        pulses: { old: unwell(slow, { wasHealthy: false, seenSince: NOW - MINUTE }) },
        memory: proven,
      },
    });
    expect(stepFor(all)).toBe('nothing');
  });

  it('T4: health is remembered over our start, and is not fresh', () => {
    expect(seedPulse(old, { state: 'unhealthy', at: NOW, was: true })).toMatchObject({
      state: 'unhealthy',
      fresh: false,
    });
  });

  it('T5, T6: what ended before the present start of the engine is started, exit code 0 or not', () => {
    const ended = instance(v1, 'old', { state: 'exited', finishedAt: NOW - MINUTE, exitCode: 0 });
    const engine = { id: 'e', startedAt: NOW - SECOND, version: '27' };
    const exits = { old: { at: NOW - MINUTE, by: 'engine' as const, code: 0, sure: true } };
    const all = world(
      {
        github: {
          entry: entry('github', { restartPolicy: 'on-failure' }),
          instances: [ended],
          memory: { ...proven, exits },
        },
      },
      { sighting: { engine } },
    );
    expect(stepFor(all)).toBe('start old');
  });

  it('T7: the witness of a stop is written down at once and confirmed later', () => {
    const ended = instance(v1, 'old', { state: 'exited', finishedAt: NOW - SECOND, exitCode: 143 });
    const all = world(
      { github: { instances: [ended], memory: proven } },
      { killRequests: { old: NOW - 2 * SECOND } },
    );
    expect(decisionFor(all).step).toMatchObject({ event: 'server_down', fields: { by: 'person' } });
  });

  it('T8, T9: in its soak a version that ended while we were away is brought back, and one that ended with 0 is set aside', () => {
    const ended = instance(v2, 'new', { state: 'exited', finishedAt: NOW - MINUTE, exitCode: 0 });
    const at = (by: 'away' | 'itself') =>
      stepFor(
        world({
          github: {
            wanted: v2,
            entry: entry('github', { restartPolicy: 'on-failure' }),
            instances: [stoppedCopy(v1, 'old'), ended],
            memory: {
              ...proven,
              stopped: { old: NOW },
              promoted: { container: 'new', spec: v2.digest, version: null, at: NOW },
              exits: { new: { at: NOW - MINUTE, by, code: 0, sure: true } },
            },
          },
        }),
      );
    expect(at('away')).toBe('restart new');
    expect(at('itself')).toBe('record version_quarantined');
  });

  it('T10: a first deploy that fails is tried again, as there is nothing else to run', () => {
    const all = world({
      github: {
        wanted: v2,
        instances: [late],
        pulses: { new: starting(late) },
        memory: { ...proven, stable: null, promoted: null },
      },
    });
    expect(stepFor(all)).toBe('restart new');
  });

  it('T11: a start that the engine rejects is an exit by itself, not a start without end', () => {
    const made = candidateOf(v2, 'new', { state: 'created', startedAt: 0 });
    expect(stepFor(world({ github: { wanted: v2, instances: [old, made], memory: proven } }))).toBe(
      'start new',
    );
    expect(
      stepFor(
        world({ github: { wanted: v2, instances: [old, made], memory: { ...proven, ...itself('new') } } }),
      ),
    ).toBe('record version_quarantined');
  });

  it('T12: every row that starts asks whether it is put off', () => {
    const postponed = {
      [v2.digest]: {
        until: NOW + 9,
        count: 1,
        error: '',
        code: null,
        gate: 'start' as const,
        class: 'world' as const,
      },
    };
    const made = candidateOf(v2, 'new', { state: 'created', startedAt: 0 });
    expect(
      stepFor(
        world({
          github: {
            wanted: v2,
            instances: [made],
            memory: { ...proven, stable: null, promoted: null, postponed },
          },
        }),
      ),
    ).toBe('nothing');
  });

  it('T13: the intent of a start does not make our stop look like a crash', () => {
    const intent = event('server_starting', { ...of(old), revision: 'r', image_digest: 'd' });
    const before = memory({ github: { ...proven, stopped: { old: NOW } } });
    expect(remember(before, intent).servers['github']?.stopped).toEqual({ old: NOW });
  });

  it('T14: a drain that was called off leaves no clock behind', () => {
    const before = memory({ github: { ...proven, drains: { old: NOW - MINUTE } } });
    const ready = event('server_ready', { ...of(old), url: null, image_digest: 'd' });
    expect(remember(before, ready).servers['github']?.drains).toEqual({});
  });

  it('T16: under stop-first a failed joined one makes room for the stable one', () => {
    const one = spec('github', '1.0.0', { order: 'stop-first' });
    const two = spec('github', '2.0.0', { order: 'stop-first' });
    const failed = instance(two, 'new');
    const killed = stoppedCopy(one, 'old');
    const quarantined = [
      { spec: two.digest, imageDigest: '', version: null, gate: 'soak' as const, reason: '', at: 1 },
    ];
    const told = {
      quarantined,
      rollback: { from: two.digest, to: one.digest, at: 1, open: true },
      ...itself('old', 137),
    };
    expect(
      stepFor(
        world({
          github: {
            wanted: two,
            instances: [killed, failed],
            pulses: { new: unwell(failed) },
            memory: provenMemory(one, 'new', told),
          },
        }),
      ),
    ).toBe('leave new');
  });

  it('T18: a version that reports another one is not restarted: that cannot help', () => {
    const wrong = candidateOf(v2, 'new');
    const at = (exhausted: boolean) =>
      stepFor(
        world({
          github: {
            wanted: v2,
            instances: [wrong],
            pulses: { new: pulse(wrong, { versionOk: false }) },
            memory: { ...proven, stable: null, promoted: null, recovery: { ...proven.recovery, exhausted } },
          },
        }),
      );
    expect(at(false)).toBe('record recovery_exhausted');
    expect(at(true)).toBe('nothing');
  });

  it('T19: what costs an outage is put off, and the old one is started meanwhile', () => {
    const one = spec('github', '1.0.0', { order: 'stop-first' });
    const two = spec('github', '2.0.0', { order: 'stop-first' });
    const postponed = {
      [two.digest]: {
        until: NOW + 10 * MINUTE,
        count: 1,
        error: '',
        code: null,
        gate: 'create' as const,
        class: 'world' as const,
      },
    };
    const all = world({
      github: {
        wanted: two,
        instances: [stoppedCopy(one, 'old')],
        memory: provenMemory(one, 'old', { postponed, stopped: { old: NOW } }),
      },
    });
    expect(stepFor(all)).toBe('start old');
  });

  it('T25: a condemned copy that became well is used again', () => {
    expect(stepFor(world({ github: { instances: [old], memory: { ...proven, condemned: ['old'] } } }))).toBe(
      'nothing',
    );
  });

  it('T26: with rollback_on_failure: false an old one that crashes before the new one can begin is brought back', () => {
    const crashed = instance(v1, 'old', { state: 'exited', finishedAt: NOW - MINUTE, exitCode: 1 });
    const stays = entry('github', { rollbackOnFailure: false });
    const postponed = {
      [v2.digest]: {
        until: NOW + 9,
        count: 1,
        error: '',
        code: null,
        gate: 'pull' as const,
        class: 'world' as const,
      },
    };
    expect(
      stepFor(
        world({
          github: {
            entry: stays,
            wanted: v2,
            instances: [crashed],
            memory: { ...proven, ...itself('old'), postponed },
          },
        }),
      ),
    ).toBe('restart old');
  });
});
