import { expect, test } from 'vitest';
import { fuzz } from './fuzz.ts';

/** For as long as this; more of it, and other seeds, with `npm run fuzz -- --minutes 30`. */
const FUZZED_MS = 60_000;
/** One whose cases were all tried for half an hour: what a test run finds must not be a matter of luck. */
const SEED = 4711;
const MOST_GROWTH_MB = 64;

test('whatever others write is read, refused or told within a bound, and harms nothing beside it', async () => {
  const { cases, broken, grownMb } = await fuzz({
    seed: SEED,
    untilMs: Date.now() + FUZZED_MS,
    say: () => undefined,
  });
  expect(broken).toEqual([]);
  expect(Object.values(cases).some((count) => count > 0)).toBe(true);
  expect(grownMb).toBeLessThan(MOST_GROWTH_MB);
});
