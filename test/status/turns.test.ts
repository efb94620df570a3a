import { expect, it } from 'vitest';
import { nextTurn } from '../../src/lib/clock.ts';
import { Turns } from '../../src/status/turns.ts';

it('of many who ask at once some are served before everything else has a turn, in the order of asking', async () => {
  const turns = new Turns(3);
  const served: number[] = [];
  const ask = (...who: number[]): void => who.forEach((one) => turns.take(() => served.push(one)));
  ask(1, 2, 3, 4, 5, 6, 7);
  expect(served).toEqual([1, 2, 3]);
  await nextTurn();
  expect(served).toEqual([1, 2, 3, 4, 5, 6]);
  ask(8);
  expect(served).toHaveLength(6);
  await nextTurn();
  expect(served).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  ask(9, 10, 11);
  expect(served).toHaveLength(11);
});
