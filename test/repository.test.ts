import { describe, expect, it } from 'vitest';
import { committedFiles, textOf } from './support/repository.ts';

const files = committedFiles();
const texts = files.filter((path) => !/\.(png|ico|gz)$/.test(path));

/** What belongs to one machine or one person, and tells nobody else anything: home folders, temporary ones of a run. */
const machine: readonly RegExp[] = [
  /(?<![\w.-])\/(?:home|Users)\/(?!me\b|node\b|user\b)[a-z][\w.-]*\//,
  /(?<![\w./}-])\/root\/[\w.]/,
  /\/tmp\/tmp\.\w/,
];

/** Notes to oneself. An open question is an issue. */
const notes: readonly RegExp[] = [/\bTODO\b/, /\bFIXME\b/, /\bXXX\b/];

/** Here they are said, not used. */
const exempt = ['test/repository.test.ts', 'package-lock.json'];

describe('every committed file', () => {
  const found = (patterns: readonly RegExp[]): readonly string[] =>
    texts
      .filter((path) => !exempt.includes(path))
      .flatMap((path) => patterns.flatMap((pattern) => linesWith(path, pattern)));

  it('is free of paths of one machine', () => {
    expect(found(machine)).toEqual([]);
  });

  it('is free of notes to oneself', () => {
    expect(found(notes)).toEqual([]);
  });

  it('ends with one newline and has no CR', () => {
    const untidy = texts
      .filter((path) => /\.(ts|js|json|md|ya?ml)$/.test(path))
      .filter((path) => isUntidy(textOf(path)));
    expect(untidy).toEqual([]);
  });

  it('is source: nothing built, nothing from a run', () => {
    const built = files.filter(
      (path) => /^(dist|coverage|node_modules)\//.test(path) || /^state\/(?!README|\.git)/.test(path),
    );
    expect(built).toEqual([]);
  });
});

describe('the tests', () => {
  const tests = texts.filter((path) => /^test\/.*\.ts$/.test(path) && !exempt.includes(path));

  it('are all run: none is skipped for good, none is alone', () => {
    const idle = /\b(?:it|test|describe)(?:\.\w+)*\.(?:only|todo|skip)\b(?!If)/;
    expect(tests.flatMap((path) => linesWith(path, idle))).toEqual([]);
  });

  it('are measured without exceptions', () => {
    const ignored = /\b(?:v8|c8|istanbul) ignore\b/;
    expect(
      texts
        .filter((path) => /^(src|test)\//.test(path) && !exempt.includes(path))
        .flatMap((path) => linesWith(path, ignored)),
    ).toEqual([]);
  });
});

describe('package.json', () => {
  const { scripts, bin } = JSON.parse(textOf('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>;
    readonly bin: Readonly<Record<string, string>>;
  };

  it('has every script that a page names', () => {
    const named = texts
      .filter((path) => path.endsWith('.md') && !path.startsWith('examples/mcp-server/'))
      .flatMap((path) => [...textOf(path).matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, name = '']) => name));
    expect([...new Set(named)].filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('runs files that are there', () => {
    const run = Object.values(scripts).flatMap((script) => script.match(/[\w/-]+\.ts\b/g) ?? []);
    expect(run.filter((path) => !files.includes(path))).toEqual([]);
    expect(Object.values(bin)).toEqual(['dist/main.js']);
  });
});

const linesWith = (path: string, pattern: RegExp): readonly string[] =>
  textOf(path)
    .split('\n')
    .flatMap((line, position) =>
      pattern.test(line) ? [`${path}:${position + 1} ${line.trim().slice(0, 80)}`] : [],
    );

const isUntidy = (text: string): boolean => text.includes('\r') || (text !== '' && !/[^\n]\n$/.test(text));
