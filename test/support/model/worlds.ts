import fc from 'fast-check';
import type { Instance, Pulse } from '../../../src/model/observed.ts';
import type { Spec } from '../../../src/model/spec.ts';
import type { World } from '../../../src/model/world.ts';
import {
  MINUTE,
  NOW,
  SECOND,
  entry,
  instance,
  provenMemory,
  pulse,
  spec,
  starting,
  unseen,
  unwell,
  world,
  type Scene,
} from '../world.ts';

const versions = ['1.0.0', '2.0.0', '3.0.0'];
const ago = fc.constantFrom(0, SECOND, 20 * SECOND, 2 * MINUTE, 11 * MINUTE, 60 * MINUTE);
const kinds = ['well', 'sick', 'silent', 'starting', 'unseen', 'wrong', 'none'] as const;

const copies = fc.array(
  fc.record({
    version: fc.constantFrom(...versions),
    state: fc.constantFrom<Instance['state'][]>('running', 'running', 'running', 'exited', 'created'),
    joined: fc.boolean(),
    since: ago,
    ended: ago,
    code: fc.constantFrom(0, 1, 143),
    drift: fc.nat(9).map((n) => (n === 0 ? ['renamed'] : [])),
    elsewhere: fc.nat(9).map((n) => n === 0),
    pulse: fc.constantFrom(...kinds),
    draining: fc.option(ago, { freq: 3 }),
    stopped: fc.boolean(),
    condemned: fc.nat(9).map((n) => n === 0),
  }),
  { maxLength: 3 },
);

const scene = fc.record({
  wanted: fc.constantFrom(...versions),
  place: fc.constantFrom('running', 'running', 'running', 'running', 'stopped', 'gone', 'refused'),
  policy: fc.constantFrom('always' as const, 'on-failure' as const, 'unless-stopped' as const),
  rollback: fc.boolean(),
  exclusive: fc.nat(4).map((n) => n === 0),
  copies,
  stable: fc.option(fc.constantFrom(...versions)),
  promoted: fc.option(fc.constantFrom(...versions)),
  aside: fc.option(fc.constantFrom(...versions)),
  postponed: fc.nat(6).map((n) => n === 0),
  attempts: fc.nat(4),
  triedAgo: ago,
  exhausted: fc.nat(5).map((n) => n === 0),
  paused: fc.nat(9).map((n) => n === 0),
  stranger: fc.nat(9).map((n) => n === 0),
});

type Drawn = typeof scene extends fc.Arbitrary<infer T> ? T : never;

/** Worlds nobody planned: copies, pulses and memories that need not agree with one another. */
export const anyWorld: fc.Arbitrary<World> = fc
  .record({
    scenes: fc.array(scene, { minLength: 1, maxLength: 4 }),
    bootAgo: ago,
    engineAgo: ago,
    imagesThere: fc.boolean(),
    suspectSince: fc.option(ago, { freq: 4 }),
    lockHeld: fc.nat(19).map((n) => n > 0),
  })
  .map(({ scenes, bootAgo, engineAgo, imagesThere, suspectSince, lockHeld }) => {
    const strangers = scenes.flatMap(({ stranger }, index) =>
      stranger ? [{ name: `foreign-${index}`, server: `s${index}`, hostPorts: [] }] : [],
    );
    return world(Object.fromEntries(scenes.map((drawn, index) => [`s${index}`, play(`s${index}`, drawn)])), {
      bootAt: NOW - bootAgo,
      lockHeld,
      sighting: {
        engine: { id: 'engine', startedAt: NOW - engineAgo, version: '27' },
        strangers,
        ...(imagesThere ? {} : { images: [] }),
      },
      memory: { viewSuspectSince: suspectSince === null ? null : NOW - suspectSince },
    });
  });

const sealed = new Map<string, Spec>();

/** Sealing is slow; a version is sealed once for all worlds. */
function versionOf(name: string, version: string, exclusive: boolean): Spec {
  const key = `${name} ${version} ${exclusive}`;
  const known = sealed.get(key) ?? spec(name, version, exclusive ? { order: 'stop-first' } : {});
  sealed.set(key, known);
  return known;
}

function play(name: string, drawn: Drawn): Scene {
  const of = (version: string) => versionOf(name, version, drawn.exclusive);
  const instances = drawn.copies.map((copy, index) =>
    instance(of(copy.version), `${name}-${index}`, {
      state: copy.state,
      joined: copy.joined,
      createdAt: NOW - copy.since - index,
      startedAt: copy.state === 'created' ? 0 : NOW - copy.since,
      finishedAt: copy.state === 'exited' ? NOW - Math.min(copy.ended, copy.since) : 0,
      exitCode: copy.code,
      drift: copy.drift,
      ...(copy.elsewhere ? { source: 'elsewhere' } : {}),
    }),
  );
  const by = <T>(what: (copy: Drawn['copies'][number], one: Instance) => T | null): Record<string, T> =>
    Object.fromEntries(
      drawn.copies.flatMap((copy, index) => {
        const one = instances[index] as Instance;
        const value = what(copy, one);
        return value === null ? [] : [[one.id, value]];
      }),
    );
  const refusal = {
    phase: 'refused' as const,
    reason: 'untrusted_image',
    message: 'no',
    suggestedAction: 'trust it',
  };
  const recovery = {
    attempts: drawn.attempts,
    lastAt: drawn.attempts === 0 ? null : NOW - drawn.triedAgo,
    open: drawn.attempts === 2 ? NOW - drawn.triedAgo : null,
    exhausted: drawn.exhausted,
    told: drawn.exhausted,
    recoveredAt: null,
    judged: Math.max(0, drawn.attempts - 1),
  };
  const aside = drawn.aside === null ? [] : [of(drawn.aside)];
  return {
    entry:
      drawn.place === 'gone'
        ? null
        : entry(name, {
            desiredState: drawn.place === 'stopped' ? 'stopped' : 'running',
            restartPolicy: drawn.policy,
            rollbackOnFailure: drawn.rollback,
            paused: drawn.paused,
            refusal: drawn.place === 'refused' ? refusal : null,
          }),
    wanted: of(drawn.wanted),
    instances,
    pulses: by((copy, one) => pulseOf(copy.pulse, one)),
    memory: provenMemory(of('1.0.0'), 'x', {
      stable: drawn.stable === null ? null : of(drawn.stable).digest,
      promoted:
        drawn.promoted === null
          ? null
          : { container: `${name}-0`, spec: of(drawn.promoted).digest, version: null, at: NOW - MINUTE },
      quarantined: aside.map(({ digest, imageDigest }) => ({
        spec: digest,
        imageDigest,
        version: null,
        gate: 'soak',
        reason: 'timeout',
        at: 1,
      })),
      postponed: drawn.postponed
        ? {
            [of(drawn.wanted).digest]: {
              until: NOW + MINUTE,
              count: 1,
              error: 'e',
              code: null,
              gate: 'pull',
              class: 'world',
            },
          }
        : {},
      drains: by(({ draining }) => (draining === null ? null : NOW - draining)),
      stopped: by(({ stopped }, one) => (stopped ? one.startedAt + 1 : null)),
      condemned: instances.filter((_, index) => drawn.copies[index]?.condemned).map(({ id }) => id),
      recovery,
    }),
  };
}

function pulseOf(kind: (typeof kinds)[number], one: Instance): Pulse {
  switch (kind) {
    case 'well':
      return pulse(one);
    case 'sick':
      return unwell(one);
    case 'silent':
      return unwell(one, { silent: true, reason: 'timeout' });
    case 'starting':
      return starting(one);
    case 'wrong':
      return pulse(one, { versionOk: false });
    case 'unseen':
    case 'none':
      return unseen(one);
  }
}

/** Worlds in which every server is as desired; versions, restart policies and ages differ. */
export const convergedWorld: fc.Arbitrary<World> = fc
  .array(
    fc.record({
      version: fc.constantFrom(...versions),
      since: fc.constantFrom(11 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE),
      policy: fc.constantFrom('always' as const, 'on-failure' as const, 'unless-stopped' as const),
      exclusive: fc.boolean(),
      stopped: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((servers) =>
    world(Object.fromEntries(servers.map((one, index) => [`s${index}`, restful(`s${index}`, one)]))),
  );

function restful(
  name: string,
  one: {
    version: string;
    since: number;
    policy: 'always' | 'on-failure' | 'unless-stopped';
    exclusive: boolean;
    stopped: boolean;
  },
): Scene {
  const made = versionOf(name, one.version, one.exclusive);
  const startedAt = NOW - one.since;
  const at = one.stopped
    ? ({ state: 'exited', joined: false, finishedAt: NOW - SECOND, exitCode: 0 } as const)
    : ({ state: 'running', joined: true } as const);
  return {
    entry: entry(name, { restartPolicy: one.policy, desiredState: one.stopped ? 'stopped' : 'running' }),
    wanted: made,
    instances: [instance(made, `${name}-1`, { createdAt: startedAt, startedAt, ...at })],
    memory: provenMemory(
      made,
      `${name}-1`,
      one.stopped ? { stopped: { [`${name}-1`]: NOW - SECOND }, resting: true } : {},
    ),
  };
}
