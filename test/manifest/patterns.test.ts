import { expect, it } from 'vitest';
import { patternsIn } from '../../src/manifest/check.ts';
import { policySchema } from '../../src/manifest/policy.ts';
import { manifestJsonSchema } from '../../src/manifest/schema/manifest.ts';
import { channelsSchema } from '../../src/notify/index.ts';

const patterns = [manifestJsonSchema(), policySchema, channelsSchema].flatMap(patternsIn);
const all = new Map(patterns.map(({ pattern, maxLength }) => [pattern, maxLength]));

/** One class of letters over the whole text, and nothing that could begin again: linear at any length. */
const plainly = (pattern: string): boolean => /^\^(\[[^\]]*\]|\/)[*+]?\$?$/.test(pattern);

it('every text that has to fit a pattern may be so long and no longer, or its pattern has one way to fit', () => {
  const unbounded = [...all].filter(([pattern, maxLength]) => maxLength === Infinity && !plainly(pattern));
  expect(unbounded).toEqual([]);
});

it('no pattern takes long over the worst text that it may be asked about', () => {
  const pieces = ['a', 'a-', 'a.', 'a_', '__', '-', 'a/', 'a:', '/', '0', 'a.a/', '*', 'http://', 'A'];
  for (const [pattern, maxLength] of all) {
    const expression = new RegExp(pattern, 'u');
    const length = Math.min(maxLength, 1_000_000);
    for (const piece of pieces) {
      const worst = `${piece.repeat(length / piece.length)}`.slice(0, length - 1) + '\u0000';
      // Time of our own, and the least of five: what else the machine does is not the pattern's fault.
      const took = [1, 2, 3, 4, 5].map(() => {
        const began = process.cpuUsage();
        expression.test(worst);
        return process.cpuUsage(began).user / 1_000;
      });
      expect(Math.min(...took), `${pattern} over ${piece}`).toBeLessThan(50);
    }
  }
});
