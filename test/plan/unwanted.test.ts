import { describe, expect, it } from 'vitest';
import {
  NOW,
  SECOND,
  candidateOf,
  decisionFor,
  entry,
  instance,
  provenMemory,
  pulse,
  settings,
  spec,
  stepFor,
  stoppedCopy,
  unwell,
  world,
  type Scene,
} from '../support/world.ts';

const v1 = spec('github');
const live = instance(v1, 'a');
const gone = (scene: Scene) =>
  world({ coda: {}, n8n: {}, slack: {}, github: { entry: null, memory: provenMemory(v1, 'a'), ...scene } });
const drained = provenMemory(v1, 'a', { drains: { a: NOW - 71 * SECOND } });

describe('a server whose entry is gone', () => {
  it('is drained before anything else', () => {
    expect(stepFor(gone({ instances: [live] }))).toBe('record drain_started');
  });

  it('leaves when its drain is over and it is idle (1.4)', () => {
    const pulses = { a: pulse(live, { idleSince: NOW - 6 * SECOND }) };
    const { step } = decisionFor(gone({ instances: [live], pulses, memory: drained }));
    expect(step).toMatchObject({ kind: 'leave', outcome: 'ended' });
  });

  it('leaves at once when it does not answer (1.3)', () => {
    const { step } = decisionFor(gone({ instances: [live], pulses: { a: unwell(live) } }));
    expect(step).toMatchObject({ kind: 'leave', outcome: 'sick' });
  });

  it('is stopped when it has left (1.2)', () => {
    expect(stepFor(gone({ instances: [{ ...live, joined: false }] }))).toBe('stop a');
  });

  it('is removed when it is stopped, and the last copy says so (1.5)', () => {
    const memory = provenMemory(v1, 'a', { stopped: { a: NOW, b: NOW } });
    const one = decisionFor(gone({ instances: [stoppedCopy(v1, 'a')], memory }));
    expect(one.step).toMatchObject({ kind: 'remove' });
    const two = decisionFor(gone({ instances: [stoppedCopy(v1, 'a'), stoppedCopy(v1, 'b')], memory }));
    expect(two.step).toMatchObject({ kind: 'remove' });
  });

  it('stays while something unwanted that depends on it is still there (1.1)', () => {
    const needy = spec('coda', '1.0.0', { settings: { dependsOn: ['github'] } });
    const all = world({
      github: { entry: null },
      coda: { entry: null, instances: [instance(needy, 'c')] },
      a: {},
      b: {},
      c: {},
      d: {},
      e: {},
    });
    expect(decisionFor(all)).toMatchObject({ step: null, why: 'what depends on it goes first' });
    expect(stepFor(all, 'coda')).toBe('record drain_started');
  });

  it('does not wait for one that it depends on itself: rings of old entries go too', () => {
    const one = spec('github', '1.0.0', { settings: { dependsOn: ['coda'] } });
    const two = spec('coda', '1.0.0', { settings: { dependsOn: ['github'] } });
    const all = world({
      github: { entry: null, instances: [instance(one, 'g')] },
      coda: { entry: null, instances: [instance(two, 'c')] },
      a: {},
      b: {},
      c: {},
      d: {},
      e: {},
    });
    expect(stepFor(all)).toBe('record drain_started');
  });

  it('is only reported when its entry said prune: false, by memory or by its label', () => {
    const remembered = gone({ instances: [live], memory: provenMemory(v1, 'a', { prune: false }) });
    expect(decisionFor(remembered)).toMatchObject({ step: null, held: 'prune_disabled' });
    const labelled = instance({ ...v1, settings: { ...settings(), prune: false } }, 'a');
    const forgotten = gone({ instances: [labelled], memory: provenMemory(v1, 'a', { prune: null }) });
    expect(decisionFor(forgotten)).toMatchObject({ held: 'prune_disabled' });
  });

  it('goes by the defaults when not even its label can be read', () => {
    const unreadable = instance(v1, 'a', { spec: null });
    const memory = provenMemory(v1, 'a', { driftNoted: { a: 'its label cannot be read' } });
    const { step } = decisionFor(gone({ instances: [unreadable], memory }));
    expect(step).toMatchObject({
      event: 'drain_started',
      fields: { drain_min_seconds: 70, drain_timeout_seconds: 300 },
    });
  });
});

describe('a server that is wanted stopped', () => {
  const stopped = entry('github', { desiredState: 'stopped' });
  const memory = provenMemory(v1, 'a', { stopped: { a: NOW, b: NOW } });

  it('is drained and stopped, and its newest copy is kept', () => {
    const older = stoppedCopy(v1, 'b', { createdAt: 1 });
    const at = (instances: Scene['instances'], resting = false) =>
      stepFor(
        world({ github: { entry: stopped, instances: instances ?? [], memory: { ...memory, resting } } }),
      );
    expect(at([live])).toBe('record drain_started');
    expect(at([{ ...live, joined: false }])).toBe('stop a');
    expect(at([older, stoppedCopy(v1, 'a')])).toBe('remove b');
    expect(at([stoppedCopy(v1, 'a')])).toBe('record server_resting');
    expect(at([stoppedCopy(v1, 'a')], true)).toBe('nothing');
    expect(at([])).toBe('nothing');
  });

  it('is started again when it is wanted running', () => {
    expect(stepFor(world({ github: { instances: [stoppedCopy(v1, 'a')], memory } }))).toBe('start a');
  });

  it('stops a candidate that was on its way', () => {
    const cand = candidateOf(v1, 'b');
    expect(stepFor(world({ github: { entry: stopped, instances: [cand], memory } }))).toBe('stop b');
  });
});
