import { expect, it } from 'vitest';
import { closest } from '../../src/manifest/suggest.ts';

it('a word that is nearly one of ours is taken for it, and a whole text that became a key is not', () => {
  expect(closest('verison', ['version'])).toBe('version');
  expect(closest('health-Check', ['health_check'])).toBe('health_check');
  expect(closest(`version ${'a secret '.repeat(20)}`, ['version'])).toBeNull();
});
