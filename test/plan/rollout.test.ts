import { describe, expect, it } from 'vitest';
import type { ServerMemory } from '../../src/model/memory.ts';
import {
  MINUTE,
  NOW,
  SECOND,
  candidateOf,
  decisionFor,
  entry,
  instance,
  provenMemory,
  pulse,
  spec,
  starting,
  stepFor,
  stoppedCopy,
  unseen,
  unwell,
  world,
  type Scene,
  type WorldChange,
} from '../support/world.ts';

const v1 = spec('github');
const v2 = spec('github', '2.0.0');
const old = instance(v1, 'old');
const cand = candidateOf(v2, 'new');
const memory = (change: Partial<ServerMemory> = {}) => provenMemory(v1, 'old', change);
const update = (scene: Scene = {}, change: WorldChange = {}) =>
  world({ github: { wanted: v2, instances: [old], memory: memory(), ...scene } }, change);
const postponed = (of: typeof v2, change = {}) => ({
  [of.digest]: {
    until: NOW + MINUTE,
    count: 1,
    error: 'registry away',
    code: 'registry_unreachable',
    gate: 'pull' as const,
    class: 'world' as const,
    ...change,
  },
});
const quarantined = [
  {
    spec: v2.digest,
    imageDigest: v2.imageDigest,
    version: '2.0.0',
    gate: 'health' as const,
    reason: 'timeout',
    at: NOW,
  },
];
const told = { quarantined, rollback: { from: v2.digest, to: v1.digest, at: NOW - SECOND, open: false } };

describe('a new version', () => {
  it('is pulled before anything is touched (2.1)', () => {
    expect(stepFor(update({}, { sighting: { images: [] } }))).toBe('pull 2.0.0');
  });

  it('is put off after a failed pull while the old one goes on (2.2)', () => {
    const all = update({ memory: memory({ postponed: postponed(v2) }) }, { sighting: { images: [] } });
    expect(decisionFor(all)).toMatchObject({ step: null, wakeAt: NOW + MINUTE });
  });

  it('is created beside the old one (5.3)', () => {
    expect(stepFor(update())).toBe('create 2.0.0');
  });

  it('waits for a dependency that is not ready, and says for which', () => {
    const needy = entry('github', { dependsOn: ['coda'] });
    expect(decisionFor(update({ entry: needy })).why).toBe('waits for coda to be ready');
  });

  it('is begun when its dependency answers', () => {
    const needy = entry('github', { dependsOn: ['coda'] });
    const all = world({ github: { entry: needy, wanted: v2, instances: [old], memory: memory() }, coda: {} });
    expect(stepFor(all)).toBe('create 2.0.0');
  });

  it('goes on when its dependency falls after it was begun', () => {
    const needy = entry('github', { dependsOn: ['coda'] });
    const ripe = update({ entry: needy, instances: [old, cand], pulses: { new: pulse(cand) } });
    expect(stepFor(ripe)).toBe('promote new');
  });

  it('has time to become healthy (4.12)', () => {
    const all = update({ instances: [old, cand], pulses: { new: starting(cand) } });
    expect(decisionFor(all)).toMatchObject({ step: null, wakeAt: NOW + 91 * SECOND });
  });

  it('has to stay healthy for a moment (4.8)', () => {
    const all = update({
      instances: [old, cand],
      pulses: { new: pulse(cand, { healthySince: NOW - 4 * SECOND }) },
    });
    expect(decisionFor(all)).toMatchObject({ step: null, wakeAt: NOW + 6 * SECOND });
  });

  it('is promoted when it is healthy (4.7)', () => {
    expect(stepFor(update({ instances: [old, cand] }))).toBe('promote new');
  });

  it('is set aside when it did not become healthy in time (4.11)', () => {
    const late = candidateOf(v2, 'new', { startedAt: NOW - 5 * MINUTE });
    const { step } = decisionFor(update({ instances: [old, late], pulses: { new: starting(late) } }));
    expect(step).toMatchObject({ event: 'version_quarantined', fields: { gate: 'health', spec: v2.digest } });
  });

  it('is set aside when it ends itself (4.1)', () => {
    const ended = candidateOf(v2, 'new', { state: 'exited', finishedAt: NOW - SECOND, exitCode: 3 });
    const exits = { new: { at: NOW - SECOND, by: 'itself' as const, code: 3, sure: true } };
    const { step } = decisionFor(update({ instances: [old, ended], memory: memory({ exits }) }));
    expect(step).toMatchObject({
      event: 'version_quarantined',
      fields: { gate: 'start', evidence: { exit_code: 3 } },
    });
  });

  it('is set aside when it reports another version (4.6)', () => {
    const { step } = decisionFor(
      update({
        instances: [old, cand],
        pulses: { new: pulse(cand, { versionOk: false, reportedVersion: '1.9.0' }) },
      }),
    );
    expect(step).toMatchObject({
      event: 'version_quarantined',
      fields: { gate: 'version', evidence: { reason: 'reports_version_1.9.0' } },
    });
  });

  it('is set aside when the engine will not even make it', () => {
    const rejected = postponed(v2, { class: 'version', gate: 'create', error: 'no such user' });
    const { step } = decisionFor(update({ memory: memory({ postponed: rejected }) }));
    expect(step).toMatchObject({
      event: 'version_quarantined',
      fields: { gate: 'create', evidence: { reason: 'no such user' } },
    });
  });

  it('is promoted late rather than never when it says degraded and nothing better is there', () => {
    const late = candidateOf(v2, 'new', { startedAt: NOW - 5 * MINUTE });
    const degraded = { new: pulse(late, { state: 'degraded', successes: 0, reason: 'degraded' }) };
    const bare = memory({ stable: null, promoted: null });
    expect(stepFor(update({ instances: [late], pulses: degraded, memory: bare }))).toBe('promote new');
    expect(stepFor(update({ instances: [old, late], pulses: degraded }))).toBe('record version_quarantined');
  });

  it('is removed at once when a newer commit overtakes it before it was promoted (2.4)', () => {
    const v3 = spec('github', '3.0.0');
    expect(stepFor(update({ wanted: v3, instances: [old, cand] }))).toBe('remove new');
  });

  it('waits while two copies run already (room)', () => {
    const v3 = spec('github', '3.0.0');
    const draining = memory({
      promoted: { container: 'new', spec: v2.digest, version: '2.0.0', at: NOW - MINUTE },
      drains: { old: NOW - 10 * SECOND },
    });
    const all = update({ wanted: v3, instances: [old, { ...cand, joined: true }], memory: draining });
    expect(decisionFor(all)).toMatchObject({ step: null, wakeAt: NOW + 60 * SECOND });
  });
});

describe('after the promotion', () => {
  const live = { ...cand, joined: true };
  const promoted = { container: 'new', spec: v2.digest, version: '2.0.0', at: NOW - 20 * SECOND };
  const after = (change: Partial<ServerMemory> = {}, scene: Scene = {}) =>
    update({ instances: [old, live], memory: memory({ promoted, ...change }), ...scene });

  it('the drain of the old one begins (2.3)', () => {
    expect(stepFor(after())).toBe('record drain_started');
  });

  it('the old one stays until others can have learned of the change', () => {
    expect(decisionFor(after({ drains: { old: NOW - 20 * SECOND } })).wakeAt).toBe(NOW + 50 * SECOND);
  });

  it('the old one stays longer while it is busy, and is told to go in the end', () => {
    expect(decisionFor(after({ drains: { old: NOW - 100 * SECOND } })).wakeAt).toBe(NOW + 200 * SECOND);
    const forced = decisionFor(after({ drains: { old: NOW - 300 * SECOND } }));
    expect(forced.step).toMatchObject({ kind: 'leave', outcome: 'forced' });
  });

  it('the old one stays while the new one is not known to be well', () => {
    const all = after({ drains: { old: NOW - 300 * SECOND } }, { pulses: { new: unseen(live) } });
    expect(stepFor(all)).toBe('nothing');
  });

  it('the old one is kept stopped as long as the new one is not proven', () => {
    const left = { ...old, joined: false };
    expect(stepFor(after({}, { instances: [left, live] }))).toBe('stop old');
    const spare = stoppedCopy(v1, 'old');
    const all = after({ stopped: { old: NOW } }, { instances: [spare, live] });
    expect(decisionFor(all)).toMatchObject({ step: null, why: 'soaking: it has to stay well for a while' });
  });

  it('it is stable when it lasted its soak (3.5), and then the spare goes (3.7)', () => {
    const long = { ...live, startedAt: NOW - 20 * MINUTE };
    const soaked = { ...promoted, at: NOW - 11 * MINUTE };
    const spare = stoppedCopy(v1, 'old');
    const all = after({ promoted: soaked, stopped: { old: NOW } }, { instances: [spare, long] });
    expect(decisionFor(all).step).toMatchObject({ event: 'update_completed', fields: { spec: v2.digest } });
    const proven = after(
      { promoted: soaked, stopped: { old: NOW }, stable: v2.digest },
      { instances: [spare, long] },
    );
    expect(stepFor(proven)).toBe('remove old');
  });

  it('falling ill inside the soak sets it aside (3.2)', () => {
    const { step } = decisionFor(after({}, { pulses: { new: unwell(live) } }));
    expect(step).toMatchObject({ event: 'version_quarantined', fields: { gate: 'soak' } });
  });

  it('the way back is told step by step and the old one answers again', () => {
    const rollout = { id: 'r-1', spec: v2.digest, at: NOW - MINUTE, fromVersion: '1.0.0' };
    const sick = { pulses: { new: unwell(live) } };
    expect(stepFor(after({ quarantined, rollout }, sick))).toBe('record update_failed');
    expect(stepFor(after({ quarantined }, sick))).toBe('record rollback_started');
    const drains = { old: NOW - 20 * SECOND };
    expect(stepFor(after({ ...told, drains }, sick))).toBe('promote old');
    const back = { container: 'old', spec: v1.digest, version: '1.0.0', at: NOW };
    expect(stepFor(after({ ...told, promoted: back }, sick))).toBe('leave new');
    const open = { ...told, rollback: { ...told.rollback, open: true }, promoted: back };
    expect(stepFor(after(open, { instances: [old] }))).toBe('record rollback_completed');
  });

  it('a failed one that still answers, badly, goes on until nobody can be sending to it', () => {
    const back = { container: 'old', spec: v1.digest, version: '1.0.0', at: NOW };
    const left = { ...live, joined: false };
    const drains = { new: NOW - 10 * SECOND };
    const answers = { instances: [old, left], pulses: { new: unwell(left, { silent: false }) } };
    expect(decisionFor(after({ ...told, promoted: back, drains }, answers))).toMatchObject({
      step: null,
      wakeAt: NOW + 60 * SECOND,
    });
    const hangs = { ...answers, pulses: { new: unwell(left, { silent: true }) } };
    expect(stepFor(after({ ...told, promoted: back, drains }, hangs))).toBe('remove new');
    const over = { new: NOW - 71 * SECOND };
    expect(stepFor(after({ ...told, promoted: back, drains: over }, answers))).toBe('remove new');
    const newer = { ...answers, wanted: spec('github', '3.0.0') };
    expect(stepFor(after({ ...told, promoted: back, drains }, newer))).toBe('remove new');
  });

  it('the stopped spare is started when the new one falls in its soak', () => {
    const spare = stoppedCopy(v1, 'old');
    const all = after(
      { ...told, stopped: { old: NOW } },
      { instances: [spare, live], pulses: { new: unwell(live) } },
    );
    expect(stepFor(all)).toBe('start old');
  });

  it('a drain is called off when the old one is wanted again (3.1)', () => {
    const drains = { old: NOW - 20 * SECOND };
    expect(stepFor(update({ wanted: v1, instances: [old], memory: memory({ drains }) }))).toBe('promote old');
  });

  it('a third version is not blocked by a second that fell: the first takes its place back', () => {
    const v3 = spec('github', '3.0.0');
    const all = after({ drains: { old: NOW - 20 * SECOND } }, { wanted: v3, pulses: { new: unwell(live) } });
    expect(stepFor(all)).toBe('promote old');
  });
});

describe('where only one copy may run', () => {
  const one = spec('github', '1.0.0', { order: 'stop-first' });
  const two = spec('github', '2.0.0', { order: 'stop-first' });
  const only = instance(one, 'old');
  const swap = (scene: Scene) =>
    world({ github: { wanted: two, instances: [only], memory: provenMemory(one, 'old'), ...scene } });

  it('the old one is drained, leaves, is kept stopped, and only then the new one is created', () => {
    expect(stepFor(swap({}))).toBe('record drain_started');
    const drained = provenMemory(one, 'old', { drains: { old: NOW - 400 * SECOND } });
    expect(stepFor(swap({ memory: drained }))).toBe('leave old');
    expect(stepFor(swap({ instances: [{ ...only, joined: false }] }))).toBe('stop old');
    const stopped = provenMemory(one, 'old', { stopped: { old: NOW } });
    expect(stepFor(swap({ instances: [stoppedCopy(one, 'old')], memory: stopped }))).toBe('create 2.0.0');
  });

  it('the plan says which and why', () => {
    expect(decisionFor(swap({})).why).toBe(
      'only one copy may run (update.order is stop-first): what it has in hand may end',
    );
    const fixed = { order: 'stop-first' as const, hostPort: 9000, exclusiveBecause: 'fixed host port 9000' };
    const wanted = spec('github', '3.0.0', fixed);
    expect(decisionFor(swap({ wanted })).why).toContain('(fixed host port 9000)');
  });

  it('the old one goes at once when it does not answer', () => {
    expect(stepFor(swap({ pulses: { old: unwell(only) } }))).toBe('leave old');
  });

  it('a dependency that falls when the drain has begun does not call it off', () => {
    const needy = entry('github', { dependsOn: ['coda'] });
    const rollout = { id: 'r', spec: two.digest, at: NOW - 20 * SECOND, fromVersion: null };
    const draining = (at: number) => provenMemory(one, 'old', { rollout, drains: { old: at } });
    expect(decisionFor(swap({ entry: needy, memory: draining(NOW - 10 * SECOND) })).wakeAt).toBe(
      NOW + 60 * SECOND,
    );
    expect(stepFor(swap({ entry: needy, memory: draining(NOW - MINUTE) }))).toBe('promote old');
  });

  it('waits while the other is being drained', () => {
    const draining = provenMemory(one, 'old', { drains: { old: NOW - 10 * SECOND } });
    expect(decisionFor(swap({ memory: draining })).wakeAt).toBe(NOW + 60 * SECOND);
  });
});

describe('something else in the way', () => {
  const fixed = spec('github', '2.0.0', { hostPort: 9000, order: 'stop-first' });
  const strangers = [{ name: 'nginx', server: null, hostPorts: [9000] }];
  const scene = {
    github: { wanted: fixed, instances: [], memory: memory({ stable: null, promoted: null }) },
  };

  it('is reported once and left alone', () => {
    const { step } = decisionFor(world(scene, { sighting: { strangers } }));
    expect(step).toMatchObject({ event: 'server_held', fields: { reason: 'foreign_container' } });
  });

  it('holds the server until it is gone', () => {
    const noted = {
      github: { ...scene.github, memory: { ...scene.github.memory, refusalNoted: 'foreign_container' } },
    };
    expect(decisionFor(world(noted, { sighting: { strangers } }))).toMatchObject({
      step: null,
      held: 'foreign_container',
    });
    expect(stepFor(world(noted))).toBe('create 2.0.0');
  });

  it('may be a container that bears its name', () => {
    const named = [{ name: 'github', server: 'github', hostPorts: [] }];
    expect(stepFor(world(scene, { sighting: { strangers: named } }))).toBe('record server_held');
  });
});

describe('with rollback_on_failure: false', () => {
  const stays = entry('github', { rollbackOnFailure: false });
  const late = candidateOf(v2, 'new', { startedAt: NOW - 5 * MINUTE });

  it('a candidate that fails while the old one answers is set aside', () => {
    const all = update({ entry: stays, instances: [old, late], pulses: { new: starting(late) } });
    expect(stepFor(all)).toBe('record version_quarantined');
  });

  it('a version that falls when nothing else answers is brought back in place', () => {
    const promoted = { container: 'new', spec: v2.digest, version: '2.0.0', at: NOW - MINUTE };
    const live = { ...late, joined: true };
    const all = update({
      entry: stays,
      instances: [stoppedCopy(v1, 'old'), live],
      pulses: { new: unwell(live) },
      memory: memory({ promoted, stopped: { old: NOW } }),
    });
    expect(stepFor(all)).toBe('restart new');
  });
});

describe('images', () => {
  const ref = 'docker.io/liminalcommons/github@sha256:0.9.0';

  it('that we brought and no version needs are removed (3.8)', () => {
    const all = world(
      { github: { memory: provenMemory(v1, 'github-1', { pulled: [ref] }) } },
      { sighting: { images: [ref] } },
    );
    expect(stepFor(all)).toBe(`remove image ${ref}`);
  });

  it('of the two versions before the present one stay, and young ones do', () => {
    const pulled = ['0.8.0', '0.9.0', '1.0.0'].map((one) => `docker.io/liminalcommons/github@sha256:${one}`);
    const proven = provenMemory(v1, 'github-1', { pulled });
    const sighting = { images: pulled };
    const stableImages = ['sha256:0.8.0', 'sha256:0.9.0', 'sha256:1.0.0'];
    const kept = world({ github: { memory: { ...proven, stableImages } } }, { sighting });
    expect(decisionFor(kept)).toMatchObject({ step: null, wakeAt: null });
    const pulledAt = { [pulled[0] ?? '']: NOW - 59 * MINUTE };
    const older = { ...proven, stableImages: stableImages.slice(1), pulledAt };
    const young = world({ github: { memory: older } }, { sighting });
    expect(decisionFor(young)).toMatchObject({ step: null, wakeAt: NOW + MINUTE });
    const old = world({ github: { memory: { ...older, pulledAt: {} } } }, { sighting });
    expect(stepFor(old)).toBe(`remove image ${pulled[0]}`);
  });

  it('that another server needs stay', () => {
    const shared = instance({ ...spec('coda'), image: v1.image, imageDigest: 'sha256:0.9.0' }, 'c');
    const all = world(
      { github: { memory: provenMemory(v1, 'github-1', { pulled: [ref] }) }, coda: { instances: [shared] } },
      { sighting: { images: [ref] } },
    );
    expect(stepFor(all)).toBe('nothing');
  });
});

describe('images of several servers', () => {
  const ref = 'docker.io/liminalcommons/github@sha256:0.9.0';
  const sighting = { images: [ref] };

  it('stay while one of them may go back to it, whoever brought it', () => {
    const coda = provenMemory(spec('coda'), 'coda-1', { stableImages: ['sha256:0.9.0'] });
    const github = provenMemory(v1, 'github-1', { pulled: [ref] });
    const all = world({ github: { memory: github }, coda: { memory: coda } }, { sighting });
    expect(stepFor(all)).toBe('nothing');
  });

  it('are removed by one that is well when the server they were brought for is gone', () => {
    const gone = (at: number) =>
      world({ github: {}, coda: {} }, { sighting, memory: { orphans: { [ref]: at } } });
    expect(stepFor(gone(NOW - 60 * MINUTE))).toBe(`remove image ${ref}`);
    expect(stepFor(gone(NOW - 60 * MINUTE), 'coda')).toBe('nothing');
    expect(decisionFor(gone(NOW - 59 * MINUTE))).toMatchObject({ step: null, wakeAt: NOW + MINUTE });
    const shared = instance({ ...spec('coda'), image: v1.image, imageDigest: 'sha256:0.9.0' }, 'c');
    const needed = world(
      { github: {}, coda: { instances: [shared] } },
      { sighting, memory: { orphans: { [ref]: 0 } } },
    );
    expect(stepFor(needed)).toBe('nothing');
  });
});

describe('an update that is only told', () => {
  it('is named where the plan says that all is well', () => {
    const found = { 'sha256:2': { at: NOW, version: '2.0.0' } };
    const noted = provenMemory(v1, 'github-1', { updateNoted: 'sha256:2', found });
    expect(decisionFor(world({ github: { memory: noted } })).why).toBe('as desired; 2.0.0 is available');
  });
});
