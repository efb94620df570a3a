import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, stringify } from 'yaml';
import type { Document, ParsedNode, YAMLError, YAMLMap, YAMLSeq } from 'yaml';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { ownValue } from '../lib/own-value.ts';
import type { Problem } from '../model/problem.ts';
import type { Place, Places, Written } from './places.ts';
import { problemAt, under } from './places.ts';

/** A YAML text as a plain value, and where each part of it stands. */
export interface Parsed {
  readonly value: unknown;
  readonly places: Places;
}

const MAX_ALIASES = 20;
/** A longer key is text that lost its quotes or its colon: it may hold values, and is not shown. */
const MAX_KEY = 255;

/**
 * Reads one YAML 1.2 document. YAML's own warnings count as errors. At most 20 aliases.
 * Duplicate keys are looked for here and not by the library, whose search is quadratic in the keys of a mapping.
 */
export function parseYaml(text: string, file: string): Result<Parsed, readonly Problem[]> {
  const shape = mistaken(text, file);
  if (shape !== null) return err([shape]);
  const lines = new LineCounter();
  const document = parseDocument(text, { ...STRICT, lineCounter: lines });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) return err(faults.map((fault) => toProblem(fault, lines, file)));
  const survey = new Survey(lines, file);
  survey.visit(document.contents, '', null);
  if (survey.problems.length > 0) return err(survey.problems);
  const value = plain(document, file);
  return value.ok ? ok({ value: value.value, places: survey.places }) : value;
}

/** What git left in the place of the text; to the parser it is YAML of a strange kind. */
function mistaken(text: string, file: string): Problem | null {
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    return problemAt(file, null, 'is a pointer of Git LFS, not the file itself', LFS_ADVICE);
  const at = text.search(/^<{7} /m);
  if (at < 0 || !/^>{7} /m.test(text)) return null;
  const place = { line: text.slice(0, at).split('\n').length, column: 1 };
  return problemAt(file, place, 'a merge was not finished: here is a conflict marker', CONFLICT_ADVICE);
}

const KEY_ADVICE = 'Check the quotes, brackets and colons of this line and the one before.';
const LFS_ADVICE =
  'Keep this file out of Git LFS: remove its pattern from .gitattributes, then git add --renormalize and commit.';
const CONFLICT_ADVICE =
  'Choose between the two sides, remove the lines <<<<<<<, ======= and >>>>>>>, and commit.';

const STRICT = {
  uniqueKeys: false,
  stringKeys: true,
  prettyErrors: false,
  // At 'silent' a second document would be dropped without a word.
  logLevel: 'error',
} as const;

function toProblem({ code, message, pos }: YAMLError, lines: LineCounter, file: string): Problem {
  const said = ownValue(MESSAGES, code) ?? withoutQuotation(message);
  return problemAt(file, placeAt(lines, pos[0]), said, ownValue(ADVICE, code) ?? 'Correct the YAML here.');
}

/** Some messages end with the text in question, which may be a value that nobody should log. */
const withoutQuotation = (message: string): string =>
  firstLine(message).replace(/: (?!tag:).*$|(?<=^Unknown directive) .*$/, '');

/** Where the library's words are for programmers. */
const MESSAGES: Readonly<Record<string, string>> = {
  RESOURCE_EXHAUSTION: 'nested too deeply',
  MULTIPLE_DOCS: 'more than one document',
};

const ADVICE: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'Keep one document: remove everything from the second `---` on.',
  TAB_AS_INDENT: 'Indent with spaces.',
  TAG_RESOLVE_FAILED: 'Remove the tag: only plain YAML is read.',
  BAD_ALIAS: 'Write the value out instead of an alias.',
  RESOURCE_EXHAUSTION: 'Nest less deeply.',
  MULTILINE_IMPLICIT_KEY: 'Check the indentation and the colons of this line and the one before.',
  BAD_INDENT: 'Check the indentation of this line and the one before.',
  NON_STRING_KEY: 'Write the key in quotes.',
};

/** A value as block YAML that reads back as the same value. */
export const toYaml = (value: unknown): string => stringify(value, { version: '1.2' });

/** Walks the document once and notes every place; the walk is bounded by the depth that the parser accepts. */
class Survey {
  readonly places = new Map<string, Written>();
  readonly problems: Problem[] = [];
  readonly #lines: LineCounter;
  readonly #file: string;
  #aliases = 0;

  constructor(lines: LineCounter, file: string) {
    this.#lines = lines;
    this.#file = file;
  }

  visit(node: unknown, path: string, key: Place | null): void {
    const place = isNode(node) && node.range ? placeAt(this.#lines, node.range[0]) : key;
    if (place === null) return;
    const source = isScalar(node) && typeof node.source === 'string' ? node.source : null;
    const span = isScalar(node) && node.range ? ([node.range[0], node.range[1]] as const) : null;
    this.places.set(path, { key, value: place, source, span });
    if (isMap(node)) this.#visitMap(node, path);
    if (isSeq(node)) this.#visitList(node, path);
    if (isAlias(node)) this.#countAlias(place);
  }

  #visitMap(map: YAMLMap, path: string): void {
    const seen = new Set<string>();
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const place = isNode(key) && key.range ? placeAt(this.#lines, key.range[0]) : null;
      if (name.length > MAX_KEY) return this.#fault(place, 'a key is longer than 255 letters', KEY_ADVICE);
      if (seen.has(name)) this.#fault(place, `the key \`${name}\` is here twice`, 'Keep one of the two.');
      if (name === '__proto__') this.#fault(place, 'the key `__proto__` is not allowed', 'Remove it.');
      seen.add(name);
      this.visit(value, under(path, name), place);
    }
  }

  #visitList(list: YAMLSeq, path: string): void {
    list.items.forEach((item, index) => this.visit(item, `${path}[${index}]`, null));
  }

  #countAlias(place: Place): void {
    this.#aliases += 1;
    if (this.#aliases !== MAX_ALIASES + 1) return;
    this.#fault(place, `more than ${MAX_ALIASES} aliases`, 'Write the values out, or use `defaults`.');
  }

  #fault(place: Place | null, message: string, advice: string): void {
    this.problems.push(problemAt(this.#file, place, message, advice));
  }
}

/** Expanding aliases is where a bomb would go off; the library counts and throws. */
function plain(document: Document.Parsed<ParsedNode>, file: string): Result<unknown, readonly Problem[]> {
  try {
    return ok(document.toJS({ maxAliasCount: MAX_ALIASES }));
  } catch (error) {
    const message = error instanceof Error ? firstLine(error.message) : String(error);
    return err([problemAt(file, null, message, 'Write the values out instead of aliases.')]);
  }
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text;
