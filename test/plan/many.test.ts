import { describe, expect, it } from 'vitest';
import { imageRefOf } from '../../src/model/spec.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { instance, provenMemory, spec, unwell, world, type Scene } from '../support/world.ts';

/** One in five hangs; each brought its image here. */
function scene(index: number): [string, Scene] {
  const name = `s${index}`;
  const own = spec(name);
  const one = instance(own, `${name}-1`);
  const pulses = index % 5 === 0 ? { [one.id]: unwell(one, { silent: true }) } : {};
  const memory = provenMemory(own, one.id, { pulled: [imageRefOf(own)] });
  return [name, { instances: [one], pulses, memory }];
}

const manyServers = (count: number) =>
  world(Object.fromEntries(Array.from({ length: count }, (_, index) => scene(index))));

function cost(of: () => unknown): number {
  const before = process.cpuUsage();
  of();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

describe('a plan', () => {
  it('of four times as many servers takes about four times as long', () => {
    const [few, many] = [manyServers(250), manyServers(1_000)];
    const costs = Array.from({ length: 12 }, () => ({
      few: cost(() => Array.from({ length: 4 }, () => makePlan({ ...few }))),
      many: cost(() => makePlan({ ...many })),
    })).slice(4);
    // The same number of servers on both sides; each decision against all others would make it four times as much.
    const ratio = Math.min(...costs.map((one) => one.many)) / Math.min(...costs.map((one) => one.few));
    expect(ratio).toBeLessThan(2.5);
  });
});
