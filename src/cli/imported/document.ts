import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { err, ok, type Result } from '../../lib/result.ts';
import { readUtf8 } from '../../lib/utf8.ts';
import { MAX_MANIFEST_BYTES } from '../../manifest/read.ts';
import { parseYaml } from '../../manifest/yaml.ts';

/**
 * What a file of another program says; an error is the end of a sentence about it. A text in braces is JSON as editors
 * write it, with comments and commas at the end: what is commented out is not there. All else is YAML.
 */
export function readDocument(content: Uint8Array, file: string): Result<unknown, string> {
  if (content.byteLength > MAX_MANIFEST_BYTES) return err('is larger than 4 MiB');
  const text = readUtf8(content);
  if (!text.ok) return err(`${text.error.what}. ${text.error.advice}`);
  return inBraces.test(text.value) ? readJson(text.value) : readYaml(text.value, file);
}

const inBraces = /^\s*([{[]|\/\/|\/\*)/;

function readJson(text: string): Result<unknown, string> {
  if (depthOf(text) > MAX_DEPTH) return err(`is nested more than ${MAX_DEPTH} deep`);
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first === undefined) return ok(value);
  const before = text.slice(0, first.offset).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  return err(`cannot be read: ${wordsOf(first)} at ${place}`);
}

function readYaml(text: string, file: string): Result<unknown, string> {
  const read = parseYaml(text, file);
  return read.ok ? ok(read.value.value) : err(`cannot be read: ${read.error[0]?.message ?? ''}`);
}

/** The parser calls itself for each level: no text may make it do so without end. */
const MAX_DEPTH = 100;

/** At least as deep as it is: brackets in texts and comments count too. */
function depthOf(text: string): number {
  let deepest = 0;
  let depth = 0;
  for (const letter of text) {
    if (letter === '{' || letter === '[') deepest = Math.max(deepest, (depth += 1));
    else if (letter === '}' || letter === ']') depth -= 1;
  }
  return deepest;
}

/** `CommaExpected` -> `comma expected`. */
const wordsOf = ({ error }: ParseError): string =>
  printParseErrorCode(error)
    .replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`)
    .toLowerCase();
