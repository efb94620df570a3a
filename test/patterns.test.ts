import ts from 'typescript';
import { expect, it } from 'vitest';
import { committedFiles, textOf } from './support/repository.ts';

const LENGTH = 20_000;
/** What is quadratic takes a second over so much, what is linear a fraction of a millisecond. */
const MOST_MS = 50;
const pieces = [
  'a',
  '0',
  '-',
  '.',
  '/',
  ' ',
  '@',
  ':',
  '"',
  '=',
  'a-',
  'a.',
  'a/',
  '${',
  '{{',
  '[',
  '<',
  '(',
  ',',
  '\n',
];
const ends = ['', '!'];
const beginnings = ['', '://'];

/** Never asked about a long text: file and pattern -> why. */
const bounded: Readonly<Record<string, string>> = {
  'src/cli/imported/names.ts /-+$/': 'the text was cut to 63 letters before',
  'src/cli/imported/volumes.ts /-+$/': 'the text was cut to 200 letters before',
  'src/cli/program.ts /([\\w.-]+:\\d+):\\d+\\)?$/m': 'a line of a stack, cut to 300 letters',
  'src/plan/versions.ts /v?\\d+\\.\\d+\\.\\d+-[a-z0-9._-]+/gi': 'a range has at most 200 letters',
};

interface Literal {
  readonly where: string;
  readonly pattern: RegExp;
}

const literals: readonly Literal[] = committedFiles()
  .filter((path) => /^src\/.*\.(ts|js)$/.test(path))
  .flatMap(literalsIn)
  .filter(({ where }) => !Object.hasOwn(bounded, where));

function literalsIn(path: string): Literal[] {
  const found: Literal[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node))
      found.push({ where: `${path} ${node.text}`, pattern: asWritten(node.text) });
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, true));
  return found;
}

function asWritten(literal: string): RegExp {
  const end = literal.lastIndexOf('/');
  return new RegExp(literal.slice(1, end), literal.slice(end + 1));
}

/** Time of our own, and the least of three: what else the machine does is not the pattern's fault. */
function leastMs(pattern: RegExp, text: string): number {
  const took = (): number => {
    const began = process.cpuUsage();
    text.replace(pattern, '');
    return process.cpuUsage(began).user / 1_000;
  };
  const first = took();
  return first < MOST_MS ? first : Math.min(first, took(), took());
}

function slowIn({ where, pattern }: Literal): string[] {
  for (const piece of pieces)
    for (const end of ends)
      for (const beginning of beginnings) {
        const text = `${beginning}${piece.repeat(LENGTH / piece.length)}${end}`;
        if (leastMs(pattern, text) > MOST_MS) return [`${where} over ${JSON.stringify(beginning + piece)}`];
      }
  return [];
}

it('no pattern of the program takes longer and longer over a text that somebody else wrote', () => {
  expect(literals.length).toBeGreaterThan(200);
  expect(literals.flatMap(slowIn)).toEqual([]);
});
