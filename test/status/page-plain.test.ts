import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { plain } from '../../src/lib/plain.ts';

const folder = new URL('../../src/status/page/', import.meta.url);
const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'));

const ofPage = async (): Promise<(text: string) => string> => {
  const there: unknown = await import(new URL('plain.js', folder).href);
  return (there as { plain: (text: string) => string }).plain;
};

it('the page takes the power of every sign that a terminal is kept from, and of no other', async () => {
  const shown = await ofPage();
  const signs = Array.from({ length: 0x11_0000 }, (_, code) => code).filter(
    (code) => code < 0xd8_00 || code > 0xdf_ff,
  );
  const differing = signs.filter((code) => {
    const text = `a${String.fromCodePoint(code)}b`;
    return shown(text) !== plain(text);
  });
  expect(differing).toEqual([]);
  expect(shown('a\u202eb\u001b[2Jc\nd\u2066')).toBe('a b [2Jc d ');
});

it('the page sets text by one door', () => {
  const others = scripts.filter((name) => name !== 'draw.js');
  expect(others).toContain('app.js');
  for (const name of others) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    expect(text, name).not.toMatch(
      /(textContent|innerText|innerHTML|outerHTML|nodeValue) = |insertAdjacent|createTextNode/,
    );
  }
});
