import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isEqual } from '../../src/lib/equal.ts';

it('plain data is equal when it says the same as JSON', () => {
  const data = fc.jsonValue({ maxDepth: 2 });
  fc.assert(fc.property(data, (value) => isEqual(value, structuredClone(value))));
  fc.assert(
    fc.property(data, data, (one, other) => {
      // JSON has no negative zero.
      fc.pre(JSON.stringify(one) !== JSON.stringify(other));
      expect(isEqual(one, other)).toBe(false);
    }),
  );
});

it.each([
  [[], {}],
  [{ a: 1 }, { b: 1 }],
  [{ a: null }, {}],
  [null, {}],
  [{ a: [1, 2] }, { a: [1, 3] }],
])('%j is not %j', (one, other) => {
  expect([isEqual(one, other), isEqual(other, one)]).toEqual([false, false]);
});
