import { describe, expect, it } from 'vitest';
import { makePlan } from '../../src/plan/plan.ts';
import { decisionFor, stepFor, world } from '../support/world.ts';

describe('a server that is as desired', () => {
  it('is left alone', () => {
    expect(stepFor(world())).toBe('nothing');
    expect(decisionFor(world()).why).toBe('as desired');
  });

  it('appears once in a plan that survives being written as JSON', () => {
    const plan = makePlan(world({ github: {}, coda: {} }));
    expect(plan.decisions.map(({ server }) => server)).toEqual(['github', 'coda']);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });
});
