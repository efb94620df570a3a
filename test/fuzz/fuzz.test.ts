import { expect, test } from 'vitest';
import { fuzz } from './fuzz.ts';

/** For as long as this; more of it with `npm run fuzz -- --minutes 30`. */
const FUZZED_MS = 60_000;
const MOST_GROWTH_MB = 64;

test('whatever others write is read, refused or told within a bound, and harms nothing beside it', async () => {
  const seed = Date.now() % 1_000_000_000;
  const { cases, broken, grownMb } = await fuzz({
    seed,
    untilMs: Date.now() + FUZZED_MS,

    say: () => undefined,
  });
  expect(broken).toEqual([]);
  expect(Object.values(cases).some((count) => count > 0)).toBe(true);
  expect(grownMb).toBeLessThan(MOST_GROWTH_MB);
});
