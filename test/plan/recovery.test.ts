import { describe, expect, it } from 'vitest';
import type { RecoveryMemory, ServerMemory } from '../../src/model/memory.ts';
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
  settings,
  spec,
  starting,
  stepFor,
  stoppedCopy,
  unseen,
  unwell,
  world,
  type Scene,
} from '../support/world.ts';

const v1 = spec('github');
const live = instance(v1, 'a');
const down = instance(v1, 'a', { state: 'exited', finishedAt: NOW - MINUTE, exitCode: 1 });
const exit = (by: 'itself' | 'person' | 'away' | 'engine', code = 1) => ({
  a: { at: NOW - MINUTE, by, code, sure: true },
});
const tried = (change: Partial<RecoveryMemory>): RecoveryMemory => ({
  attempts: 0,
  lastAt: null,
  open: null,
  exhausted: false,
  told: false,
  recoveredAt: null,
  judged: change.attempts ?? 0,
  ...change,
});
const fell = (memory: Partial<ServerMemory>, scene: Scene = {}) =>
  world({
    github: {
      instances: [down],
      memory: provenMemory(v1, 'a', { exits: exit('itself'), ...memory }),
      ...scene,
    },
  });
const ill = (memory: Partial<ServerMemory> = {}, scene: Scene = {}) =>
  world({
    github: {
      instances: [live],
      pulses: { a: unwell(live) },
      memory: provenMemory(v1, 'a', {
        health: { a: { state: 'unhealthy', at: NOW - 10 * SECOND, was: true } },
        ...memory,
      }),
      ...scene,
    },
  });

describe('a proven server that falls ill or exits', () => {
  it('is restarted after a short wait, and never set aside (3.2)', () => {
    expect(decisionFor(ill()).step).toMatchObject({
      kind: 'restart',
      attempt: 1,
      reason: '3_consecutive_failures',
    });
    const justNow = { a: { state: 'unhealthy' as const, at: NOW - 400, was: true } };
    expect(decisionFor(ill({ health: justNow }))).toMatchObject({ step: null, wakeAt: NOW + 600 });
  });

  it('is restarted when it exits by itself (3.16)', () => {
    expect(decisionFor(fell({})).step).toMatchObject({
      kind: 'restart',
      attempt: 1,
      reason: 'container_exited',
    });
  });

  it('waits longer before the second attempt, after the first is written down as failed', () => {
    const once = tried({ attempts: 1, lastAt: NOW - 2 * SECOND, judged: 0 });
    expect(stepFor(fell({ recovery: once }))).toBe('record recovery_failed');
    expect(decisionFor(fell({ recovery: { ...once, judged: 1 } })).wakeAt).toBe(NOW + 3 * SECOND);
  });

  it('is recreated at the last attempt: the old copy is condemned and replaced', () => {
    const twice = tried({ attempts: 2, lastAt: NOW - 40 * SECOND });
    expect(decisionFor(fell({ recovery: twice })).step).toMatchObject({
      event: 'recovery_started',
      fields: { strategy: 'recreate', attempt: 3 },
    });
    const condemned = {
      condemned: ['a'],
      recovery: tried({ attempts: 3, lastAt: NOW, judged: 2, open: NOW }),
    };
    expect(stepFor(fell(condemned))).toBe('create 1.0.0');
  });

  it('needs a person after the last attempt, and is tried slowly for ever', () => {
    const thrice = tried({ attempts: 3, lastAt: NOW - MINUTE });
    expect(stepFor(fell({ recovery: thrice }))).toBe('record recovery_exhausted');
    expect(decisionFor(fell({ recovery: { ...thrice, exhausted: true } })).wakeAt).toBe(NOW + 9 * MINUTE);
    const slow = { ...thrice, exhausted: true, lastAt: NOW - 10 * MINUTE };
    expect(stepFor(fell({ recovery: slow }))).toBe('record recovery_started');
  });

  it('has all its attempts anew after a soak of health', () => {
    const long = tried({ attempts: 3, lastAt: NOW - 30 * MINUTE, recoveredAt: NOW - 29 * MINUTE });
    expect(decisionFor(fell({ recovery: long })).step).toMatchObject({ attempt: 1 });
    const short = { ...long, recoveredAt: NOW - 5 * MINUTE };
    expect(stepFor(fell({ recovery: short }))).toBe('record recovery_exhausted');
  });

  it('counts attempts made since the fall, however long it was well before', () => {
    const again = tried({ attempts: 1, lastAt: NOW - SECOND, recoveredAt: NOW - 29 * MINUTE });
    expect(decisionFor(fell({ recovery: again })).wakeAt).toBe(NOW + 4 * SECOND);
  });

  it('is back when it is well: that is written down once (3.3)', () => {
    const open = {
      recovery: tried({ attempts: 1, lastAt: NOW - 5 * SECOND, judged: 0 }),
      incident: { id: 'i', downAt: NOW - MINUTE },
    };
    const back = decisionFor(world({ github: { instances: [live], memory: provenMemory(v1, 'a', open) } }));
    expect(back.step).toMatchObject({
      event: 'recovery_successful',
      fields: { attempts: 1, seconds_down: 60 },
    });
    const done = { recovery: tried({ attempts: 1, lastAt: NOW - 5 * SECOND, recoveredAt: NOW - SECOND }) };
    expect(stepFor(world({ github: { instances: [live], memory: provenMemory(v1, 'a', done) } }))).toBe(
      'nothing',
    );
  });

  it('is left alone when recovery is turned off', () => {
    const off = entry('github', { settings: settings({ recovery: { enabled: false } }) });
    expect(decisionFor(ill({}, { entry: off }))).toMatchObject({ step: null, wakeAt: null });
  });

  it('cannot go back either when the version gone back to fails all its attempts', () => {
    const rollback = { from: 'other', to: v1.digest, at: NOW - MINUTE, open: true };
    const worn = { rollback, recovery: tried({ attempts: 3, lastAt: NOW - MINUTE, exhausted: true }) };
    expect(stepFor(fell(worn))).toBe('record rollback_failed');
  });

  it('is not started again while its failure is put off (3.10)', () => {
    const postponed = {
      [v1.digest]: {
        until: NOW + 9,
        count: 1,
        error: 'busy',
        code: null,
        gate: 'start' as const,
        class: 'world' as const,
      },
    };
    expect(decisionFor(fell({ postponed }))).toMatchObject({ step: null, wakeAt: NOW + 9 });
  });

  it('waits for room while two others run (3.11)', () => {
    const others = [
      candidateOf(spec('github', '0.8.0'), 'x', { joined: true }),
      candidateOf(spec('github', '0.9.0'), 'y', { joined: true }),
    ];
    const pulses = { x: unseen(others[0]!), y: unseen(others[1]!) };
    const drains = { x: NOW, y: NOW };
    expect(stepFor(fell({ drains }, { instances: [down, ...others], pulses }))).toBe('nothing');
  });

  it('gets a new free port when its own was taken meanwhile, and nobody counts it as an attempt', () => {
    const postponed = {
      [v1.digest]: {
        until: NOW - 1,
        count: 1,
        error: 'in use',
        code: 'port_taken',
        gate: 'start' as const,
        class: 'world' as const,
      },
    };
    expect(stepFor(fell({ postponed }))).toBe('create 1.0.0');
  });
});

describe('what the restart policy says', () => {
  const at = (
    restartPolicy: 'always' | 'on-failure' | 'unless-stopped',
    by: Parameters<typeof exit>[0],
    code = 1,
    stable = true,
    resting = false,
  ) =>
    stepFor(
      fell(
        { exits: exit(by, code), resting, ...(stable ? {} : { stable: null }) },
        { entry: entry('github', { restartPolicy }) },
      ),
    );

  it('a stop by hand is undone, but for unless-stopped (3.13, 3.14)', () => {
    expect(at('always', 'person', 143)).toBe('restart a');
    expect(at('on-failure', 'person', 143)).toBe('restart a');
    expect(at('unless-stopped', 'person', 143)).toBe('record server_resting');
    expect(at('unless-stopped', 'person', 143, true, true)).toBe('nothing');
  });

  it('an end with code 0 rests under on-failure, but only once it is proven (3.15)', () => {
    expect(at('on-failure', 'itself', 0)).toBe('record server_resting');
    expect(at('on-failure', 'itself', 0, true, true)).toBe('nothing');
    expect(at('always', 'itself', 0)).toBe('restart a');
    expect(at('on-failure', 'itself', 0, false)).toBe('restart a');
  });

  it('what went down with the engine is started at once and uncounted, whatever the policy (3.12)', () => {
    for (const policy of ['always', 'on-failure', 'unless-stopped'] as const)
      expect(at(policy, 'engine', 0)).toBe('start a');
  });

  it('an exit that nobody saw is a crash without blame (3.14)', () => {
    expect(at('unless-stopped', 'away')).toBe('restart a');
  });
});

describe('a live server that is neither sick nor well', () => {
  it('is left alone after our own restart until it was asked (3.9)', () => {
    expect(stepFor(world({ github: { pulses: { 'github-1': null } } }))).toBe('nothing');
  });

  it('is never restarted for being degraded', () => {
    const one = instance(v1, 'github-1');
    const degraded = pulse(one, { state: 'degraded', healthySince: null, successes: 0, reason: 'degraded' });
    expect(stepFor(world({ github: { instances: [one], pulses: { 'github-1': degraded } } }))).toBe(
      'nothing',
    );
  });
});

describe('after the state was lost', () => {
  it('what answers is written down as promoted, then soaks, and nothing restarts (3.4)', () => {
    const forgotten = {
      github: { memory: { ...provenMemory(v1, 'github-1'), stable: null, promoted: null } },
    };
    expect(stepFor(world(forgotten))).toBe('promote github-1');
  });

  it('of several that are joined the newest is live', () => {
    const older = instance(v1, 'old', { createdAt: 1 });
    const memory = { ...provenMemory(v1, 'x'), stable: null, promoted: null };
    expect(stepFor(world({ github: { instances: [older, live], memory } }))).toBe('record drain_started');
  });

  it('a newer version that fails still has the one that answers to go back to', () => {
    const v2 = spec('github', '2.0.0');
    const late = candidateOf(v2, 'new', { startedAt: NOW - 5 * MINUTE });
    const memory = { ...provenMemory(v1, 'x'), stable: null, promoted: null };
    const all = world({
      github: { wanted: v2, instances: [live, late], pulses: { new: starting(late) }, memory },
    });
    expect(stepFor(all)).toBe('record version_quarantined');
  });
});

describe('while a newer version is on its way', () => {
  const v2 = spec('github', '2.0.0');
  const cand = candidateOf(v2, 'new');
  const scene = (memory: Partial<ServerMemory> = {}) =>
    fell(memory, { wanted: v2, instances: [down, cand], pulses: { new: starting(cand) } });

  it('the old one is still recovered (4.13)', () => {
    expect(stepFor(scene())).toBe('restart a');
  });

  it('so is one that runs and is sick, as soon as its candidate is made (4.13)', () => {
    const beside = { wanted: v2, instances: [live, cand], pulses: { a: unwell(live), new: starting(cand) } };
    expect(stepFor(ill({}, { wanted: v2 }))).toBe('create 2.0.0');
    expect(stepFor(ill({}, beside))).toBe('restart a');
    expect(stepFor(ill({ condemned: ['a'] }, beside)), 'it is being replaced already').toBe('nothing');
    const open = tried({ attempts: 1, lastAt: NOW - MINUTE, open: NOW - MINUTE, judged: 0 });
    const well = { ...beside, pulses: { new: starting(cand) } };
    const incident = { id: 'n', downAt: NOW - 2 * MINUTE };
    expect(stepFor(ill({ recovery: open, incident }, well))).toBe('record recovery_successful');
  });

  it('a condemned old one is not, as it is being replaced', () => {
    expect(stepFor(scene({ condemned: ['a'] }))).toBe('nothing');
  });

  it('nor is one that was set aside', () => {
    const quarantined = [
      { spec: v1.digest, imageDigest: '', version: null, gate: 'soak' as const, reason: '', at: 1 },
    ];
    expect(
      stepFor(
        scene({
          quarantined,
          stable: null,
          rollback: { from: v1.digest, to: v2.digest, at: 1, open: false },
        }),
      ),
    ).toBe('nothing');
  });
});

describe('copies that are of no use', () => {
  it('condemned ones are removed without waiting for the new one to be well (2.5)', () => {
    const worn = stoppedCopy(v1, 'b');
    const memory = provenMemory(v1, 'a', { condemned: ['b'], stopped: { b: NOW } });
    expect(stepFor(world({ github: { instances: [live, worn], pulses: { a: unseen(live) }, memory } }))).toBe(
      'remove b',
    );
  });

  it('a proven copy that was cut off its network is put back, and one blip does not restart it (4.9)', () => {
    const cut = { ...live, joined: false };
    const memory = provenMemory(v1, 'a');
    expect(stepFor(world({ github: { instances: [cut], memory } }))).toBe('promote a');
    const blip = pulse(cut, {
      state: 'degraded',
      lastOk: false,
      failures: 1,
      successes: 0,
      healthySince: null,
    });
    expect(decisionFor(world({ github: { instances: [cut], pulses: { a: blip }, memory } })).why).toBe(
      'a blip is not a verdict',
    );
    expect(stepFor(world({ github: { instances: [cut], pulses: { a: unwell(cut) }, memory } }))).toBe(
      'restart a',
    );
  });
});
