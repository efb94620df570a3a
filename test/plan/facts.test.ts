import { describe, expect, it } from 'vitest';
import {
  NOW,
  MINUTE,
  SECOND,
  decisionFor,
  entry,
  instance,
  provenMemory,
  spec,
  stepFor,
  world,
  type WorldChange,
} from '../support/world.ts';
import type { ServerMemory } from '../../src/model/memory.ts';

const v1 = spec('github');
const fallen = (ago: number, code = 1) =>
  instance(v1, 'a', { state: 'exited', finishedAt: NOW - ago, exitCode: code });

const scene = (ago: number, memory: Partial<ServerMemory> = {}, change: WorldChange = {}, code = 1) =>
  world({ github: { instances: [fallen(ago, code)], memory: provenMemory(v1, 'a', memory) } }, change);

const downBy = (all: ReturnType<typeof world>): unknown => {
  const { step } = decisionFor(all);
  return step?.kind === 'record' && step.event === 'server_down' ? step.fields.by : step;
};

describe('an exit nobody has written down yet', () => {
  it('is its own doing when nothing else fits (0.1)', () => {
    expect(downBy(scene(2 * SECOND))).toBe('itself');
  });

  it('is the doing of an engine that started after it', () => {
    const engine = { id: 'engine', startedAt: NOW - SECOND, version: '27' };
    expect(downBy(scene(2 * SECOND, {}, { sighting: { engine } }))).toBe('engine');
  });

  it('happened while we were away when it is older than our own start', () => {
    expect(downBy(scene(2 * SECOND, {}, { bootAt: NOW - SECOND }))).toBe('away');
  });

  it('is the doing of a person when the engine reported a kill by request', () => {
    expect(downBy(scene(2 * SECOND, {}, { killRequests: { a: NOW - 3 * SECOND } }))).toBe('person');
  });

  it('is not the doing of a person who asked before its present start', () => {
    expect(downBy(scene(2 * SECOND, {}, { killRequests: { a: NOW - 2 * 60 * MINUTE } }))).toBe('itself');
  });

  it('needs no line when it was us, and it is started again uncounted (3.12)', () => {
    expect(stepFor(scene(2 * SECOND, { stopped: { a: NOW - 3 * SECOND } }))).toBe('start a');
  });

  it('is after its start, whatever the engine says: a quick end is written down once', () => {
    const quick = instance(v1, 'a', {
      state: 'exited',
      startedAt: NOW - 10,
      finishedAt: NOW - 20,
      exitCode: 127,
    });
    const { step } = decisionFor(world({ github: { instances: [quick], memory: provenMemory(v1, 'a') } }));
    expect(step).toMatchObject({ event: 'server_down', fields: { at: NOW - 10 } });
    const exits = { a: { at: NOW - 10, by: 'itself' as const, code: 127, sure: true } };
    const again = world({ github: { instances: [quick], memory: provenMemory(v1, 'a', { exits }) } });
    expect(decisionFor(again).step).not.toMatchObject({ event: 'server_down' });
  });

  it('says out of memory when it was', () => {
    const oom = { ...fallen(SECOND, 137), oomKilled: true };
    const { step } = decisionFor(world({ github: { instances: [oom], memory: provenMemory(v1, 'a') } }));
    expect(step).toMatchObject({
      event: 'server_down',
      fields: { reason: 'oom_killed', oom: true, to: 'unhealthy' },
    });
  });
});

describe('a stop by hand', () => {
  const exit = (ago: number, sure = false) => ({
    a: { at: NOW - ago, by: 'person' as const, code: 143, sure },
  });

  it('is not believed before an engine that goes down could have done it; nothing else is tried (0.2)', () => {
    const decision = decisionFor(scene(5 * SECOND, { exits: exit(5 * SECOND) }));
    expect(decision).toMatchObject({ step: null, wakeAt: NOW + 10 * SECOND });
  });

  it('is believed when the engine outlived it (0.3)', () => {
    const decision = decisionFor(scene(15 * SECOND, { exits: exit(15 * SECOND) }));
    expect(decision.step).toMatchObject({
      event: 'server_stopped',
      fields: { by: 'person', exit_code: 143 },
    });
  });

  it('turns out to be the engine going down when the engine started after it', () => {
    const engine = { id: 'engine', startedAt: NOW - SECOND, version: '27' };
    expect(downBy(scene(5 * SECOND, { exits: exit(5 * SECOND) }, { sighting: { engine } }))).toBe('engine');
  });

  it('stays a stop by hand over a later start of the engine once it is sure', () => {
    const engine = { id: 'engine', startedAt: NOW - SECOND, version: '27' };
    expect(stepFor(scene(MINUTE, { exits: exit(MINUTE, true) }, { sighting: { engine } }))).toBe('restart a');
  });
});

describe('a container that is no longer what we made', () => {
  const drifted = instance(v1, 'a', { drift: ['its name is other'] });

  it('is reported once (0.4)', () => {
    const all = world({ github: { instances: [drifted], memory: provenMemory(v1, 'a') } });
    expect(decisionFor(all).step).toMatchObject({
      event: 'drift_detected',
      fields: { drift: ['its name is other'] },
    });
  });

  it('is replaced beside the running one', () => {
    const noted = provenMemory(v1, 'a', { driftNoted: { a: 'its name is other' } });
    expect(stepFor(world({ github: { instances: [drifted], memory: noted } }))).toBe('create 1.0.0');
  });

  it('counts as drifted when its label cannot be read', () => {
    const unreadable = instance(v1, 'a', { spec: null });
    const all = world({ github: { instances: [unreadable], memory: provenMemory(v1, 'a') } });
    expect(stepFor(all)).toBe('record drift_detected');
  });
});

describe('an entry that is not acted on', () => {
  const refusal = {
    phase: 'refused' as const,
    reason: 'untrusted_image',
    message: 'evil/image is not trusted',
    suggestedAction: 'add it to trusted_images',
  };
  const refused = entry('github', { refusal });

  it('is told once (0.5)', () => {
    const { step } = decisionFor(world({ github: { entry: refused } }));
    expect(step).toMatchObject({ event: 'server_refused', fields: { reason: 'untrusted_image' } });
  });

  const noted = provenMemory(v1, 'github-1', { refusalNoted: 'untrusted_image' });

  it('leaves what runs of it as it is', () => {
    expect(stepFor(world({ github: { entry: refused, memory: noted } }))).toBe('nothing');
  });

  it('does not stop what runs when the refused entry says stopped', () => {
    const all = world({ github: { entry: { ...refused, desiredState: 'stopped' }, memory: noted } });
    expect(stepFor(all)).toBe('nothing');
  });

  it('begins nothing new', () => {
    const all = world({
      github: { entry: refused, instances: [], memory: { ...noted, promoted: null, stable: null } },
    });
    expect(stepFor(all)).toBe('nothing');
  });

  it('is still recovered: what was promoted is created again when somebody removed it', () => {
    const all = world(
      { github: { entry: refused, instances: [], memory: noted } },
      { specs: { [v1.digest]: v1 } },
    );
    expect(stepFor(all)).toBe('create 1.0.0');
  });

  it('is told when a required secret is missing', () => {
    const blocked = {
      github: {
        phase: 'refused' as const,
        reason: 'missing_secret',
        message: 'TOKEN is missing',
        suggestedAction: null,
        until: null,
      },
    };
    const { step } = decisionFor(world({ github: { wanted: null } }, { blocked }));
    expect(step).toMatchObject({
      event: 'server_refused',
      fields: { reason: 'missing_secret', suggested_action: '' },
    });
  });

  it('waits, and recovers, while its image cannot be resolved', () => {
    const blocked = {
      github: {
        phase: 'failed' as const,
        reason: 'registry_unreachable',
        message: 'away',
        suggestedAction: null,
        until: NOW + 5,
      },
    };
    const decision = decisionFor(world({ github: { wanted: null } }, { blocked }));
    expect(decision).toMatchObject({ step: null, why: 'away', wakeAt: NOW + 5 });
  });
});
