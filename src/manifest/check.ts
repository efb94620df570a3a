import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Finding } from './finding.ts';
import { isRecord, pathOf, under } from './places.ts';
import { sentenceFor } from './sentences.ts';

/** Looks a value over against a schema and returns every problem, each in a sentence. */
type Check = (value: unknown, sourceOf: SourceOf) => readonly Finding[];
/** How a scalar was written in the text, or null. */
type SourceOf = (path: string) => string | null;

/** Nobody corrects more at once, and a sentence costs time. */
const MOST_FINDINGS = 1000;

/** Compiles at the first use: a command that reads no manifest does not pay for it. */
export function checkFor(schema: () => object): Check {
  let compiled: ValidateFunction | null = null;
  return (value, sourceOf) => {
    compiled ??= compile(schema());
    if (compiled(value)) return [];
    return (compiled.errors ?? [])
      .filter(tells)
      .slice(0, MOST_FINDINGS)
      .map((fault) => toFinding(fault, value, sourceOf));
  };
}

/**
 * Nothing is filled in or converted: `resolve` does the one, and a person the other. That the schema itself is one is
 * tested; to look again here, or to optimize code that runs once, would be most of the time that a small manifest takes.
 */
function compile(schema: object): ValidateFunction {
  const ajv = new Ajv2020({
    ...{ allErrors: true, strict: true, strictRequired: false, verbose: true },
    ...{ validateSchema: false, code: { optimize: false, regExp: boundedPatterns(schema) } },
  });
  formats.default(ajv, ['uri']);
  const { uri } = ajv.formats;
  if (typeof uri === 'function')
    ajv.addFormat('uri', (text: string) => text.length > LONGEST_URI || uri(text) === true);
  return ajv.compile(schema);
}

/** As `maxLength` says beside each. */
const LONGEST_URI = 2048;

/** A text that is too long is told by its length, and its pattern is not tried. */
function boundedPatterns(schema: object) {
  const longest = new Map<string, number>();
  for (const { pattern, maxLength } of patternsIn(schema))
    longest.set(pattern, Math.max(longest.get(pattern) ?? 0, maxLength));
  const engine = (pattern: string, flags: string) => {
    const expression = new RegExp(pattern, flags);
    const most = longest.get(pattern) ?? Infinity;
    const test = (text: string): boolean => text.length > most || expression.test(text);
    // The compiler tells patterns apart by this.
    return { test, toString: () => String(expression) };
  };
  return Object.assign(engine, { code: 'boundedPattern' });
}

/** Every pattern of a schema, and the length that stands beside it; Infinity: none. */
export function patternsIn(schema: unknown): { readonly pattern: string; readonly maxLength: number }[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { pattern, maxLength } = schema as { pattern?: unknown; maxLength?: unknown };
  const own =
    typeof pattern === 'string'
      ? [{ pattern, maxLength: typeof maxLength === 'number' ? maxLength : Infinity }]
      : [];
  return [...own, ...Object.values(schema).flatMap(patternsIn)];
}

/** `if` and `propertyNames` only say that another error is there. */
const tells = (fault: ErrorObject): boolean => fault.keyword !== 'if' && fault.keyword !== 'propertyNames';

function toFinding(fault: ErrorObject, document: unknown, sourceOf: SourceOf): Finding {
  const path = pathOf(fault.instancePath, document);
  const key = keyOf(fault);
  const where = key === null ? path : under(path, key);
  const { message, advice } = sentenceFor({
    keyword: fault.keyword,
    params: fault.params,
    schema: isRecord(fault.parentSchema) ? fault.parentSchema : {},
    value: fault.data,
    source: sourceOf(path),
    key,
    secret: ENVIRONMENT.test(path),
  });
  return { severity: 'error', path: where, message, advice, at: key === null ? 'value' : 'key' };
}

/** Problems are logged, and no value of an environment ever is. */
const ENVIRONMENT = /\.(env|environment|secrets)([.[]|$)/;

/** The key itself is what is wrong: unknown, or badly named. */
function keyOf(fault: ErrorObject): string | null {
  if (fault.propertyName !== undefined) return fault.propertyName;
  const unknown: unknown = fault.params['additionalProperty'];
  return typeof unknown === 'string' ? unknown : null;
}
