import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/model/step.ts';
import type { World } from '../../src/model/world.ts';
import { decide } from '../../src/plan/decide.ts';
import { guard } from '../../src/plan/guards.ts';
import { isSettled, makePlan } from '../../src/plan/plan.ts';
import { toStatus } from '../../src/plan/describe.ts';
import { viewsOf } from '../../src/plan/view.ts';
import { anyWorld, convergedWorld } from '../support/model/worlds.ts';

/** Single looks: with the 3,800 histories of the other two property tests of plans they are 100,000 cases in CI. */
const runs =
  process.env['CI'] === undefined ? { any: 150, converged: 150 } : { any: 11_200, converged: 40_200 };
const slow = { timeout: 120_000 };

const always = (law: (world: World) => void, worlds = anyWorld, numRuns = runs.any): void =>
  fc.assert(fc.property(worlds, law), { numRuns });

describe('in any world', () => {
  it('a plan has every server once, survives JSON, and only waits for what is still to come', slow, () => {
    always((world) => {
      const plan = makePlan(world);
      const names = [
        ...world.desired.servers.map(({ name }) => name),
        ...world.sighting.instances.map(({ server }) => server),
        ...Object.keys(world.memory.servers),
      ];
      const planned = plan.decisions.map(({ server }) => server).sort();
      expect(isDeepStrictEqual(planned, [...new Set(names)].sort())).toBe(true);
      expect(survivesJson(plan)).toBe(true);
      const late = plan.decisions.filter(
        ({ step, wakeAt }) => step === null && wakeAt !== null && wakeAt <= world.now,
      );
      expect(late.length).toBe(0);
    });
  });

  it('the order in which the engine lists its containers does not matter', slow, () => {
    always((world) => {
      const { instances } = world.sighting;
      const reversed = { ...world, sighting: { ...world.sighting, instances: [...instances].reverse() } };
      expect(isDeepStrictEqual(makePlan(reversed), makePlan(world))).toBe(true);
    });
  });

  it('guards only take away', slow, () => {
    always((world) => {
      const before = viewsOf(world).map(decide);
      const { decisions } = guard(before, world);
      decisions.forEach(({ server, step, held }, index) => {
        expect(server).toBe(before[index]?.server);
        if (step === null) expect(held !== null || before[index]?.step === null).toBe(true);
        else expect(step).toBe(before[index]?.step);
      });
    });
  });

  it('nothing foreign is ever named in a step, and nothing begins that was set aside', slow, () => {
    always((world) => {
      for (const { step, pull, server } of makePlan(world).decisions) {
        const { quarantined = [], stable = null, promoted = null } = world.memory.servers[server] ?? {};
        const aside = quarantined.map(({ spec }) => spec).filter((spec) => spec !== stable);
        if (pull !== null) expect(aside).not.toContain(pull.spec.digest);
        if (step === null) continue;
        for (const id of containersIn(step)) {
          const isThere = world.sighting.instances.some((one) => one.id === id && one.server === server);
          expect(isThere || promoted?.container === id).toBe(true);
        }
        const begun =
          step.kind === 'create' ? step.spec.digest : step.kind === 'start' ? step.instance.specDigest : null;
        expect(aside).not.toContain(begun);
      }
    });
  });

  it('a status can be made, and says whether the revision is settled', slow, () => {
    const source = {
      url: 'u',
      branch: null,
      attempted_revision: null,
      applied_revision: null,
      state: 'synced',
      last_successful_sync_at: null,
      error: null,
    } as const;
    always((world) => {
      const plan = makePlan(world);
      const view = toStatus(world, plan, { source, inHand: {}, advertise: null, progress: {} });
      expect(survivesJson(view)).toBe(true);
      for (const { routable, endpoints } of view.servers)
        if (routable) expect(endpoints.length).toBeGreaterThan(0);
      const settled = isSettled(world, plan);
      expect(settled === null || (settled.failed.length === 0) === (settled.outcome === 'applied')).toBe(
        true,
      );
    });
  });
});

it('a converged world decides nothing, and is settled', slow, () => {
  always(
    (world) => {
      const plan = makePlan(world);
      expect(plan.decisions.every(({ step }) => step === null)).toBe(true);
      expect(isSettled(world, plan)?.outcome).toBe('applied');
    },
    convergedWorld,
    runs.converged,
  );
});

const survivesJson = (value: unknown): boolean => isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value);

function containersIn(step: Step): string[] {
  if ('instance' in step) return [step.instance.id];
  const named =
    step.kind === 'record' && 'container_id' in step.fields ? step.fields.container_id : undefined;
  return named === undefined ? [] : [named];
}
