import { expect, it } from 'vitest';
import { parseYaml } from '../../src/manifest/yaml.ts';
import { closest } from '../../src/manifest/suggest.ts';

it('a word that is nearly one of ours is taken for it, and a whole text that became a key is not', () => {
  expect(closest('verison', ['version'])).toBe('version');
  expect(closest('health-Check', ['health_check'])).toBe('health_check');
  expect(closest(`version ${'a secret '.repeat(20)}`, ['version'])).toBeNull();
});

it('a text that became a key is called so, and what it holds is not shown', () => {
  const read = parseYaml(`"a secret ${'a'.repeat(300)}": 1`, 'manifest.yaml');
  expect(read).toMatchObject({ ok: false, error: [{ message: 'a key is longer than 255 letters' }] });
  expect(JSON.stringify(read)).not.toContain('a secret');
});
