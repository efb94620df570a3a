import { Linter } from 'eslint';
import ts from 'typescript';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import { ownKeys } from './support/own-keys.js';

const declared = `
interface Open { readonly [key: string]: { readonly name: string } | undefined }
declare const open: Open, list: string[], closed: { a: 1; b: 2 }, at: number, key: string, which: 'a' | 'b', any: any, word: 'word';
`;

describe('a key that other people chose is asked for with ownValue alone', () => {
  it.each([
    'open[key]',
    'open?.[key]?.name',
    'open[which]',
    'any[key]',
    'key in open',
    'const { [key]: found } = open',
    'Object.assign(closed, open)',
  ])('%s is refused', (code) => {
    expect(complaints(code)).toHaveLength(1);
  });

  it.each([
    'list[at]',
    'closed[which]',
    "'a' in closed",
    'open.name',
    "open['name']",
    'Object.hasOwn(open, key)',
  ])('%s is not', (code) => {
    expect(complaints(code)).toEqual([]);
  });
});

function complaints(code: string): readonly string[] {
  const text = `${declared}${code};`;
  const file = 'case.ts';
  const host = ts.createCompilerHost({});
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const program = ts.createProgram(
    [file],
    { noLib: true, strict: true },
    { ...host, getSourceFile: () => source },
  );
  const messages = new Linter().verify(
    text,
    {
      files: ['**/*.ts'],
      languageOptions: {
        parser: tseslint.parser,
        parserOptions: { programs: [program] },
      },
      plugins: { ours: { rules: { 'own-keys': ownKeys } } },
      rules: { 'ours/own-keys': 'error' },
    },
    file,
  );
  return messages.map(({ message }) => message);
}
