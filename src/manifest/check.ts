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
    ...{ validateSchema: false, code: { optimize: false } },
  });
  formats.default(ajv, ['uri']);
  return ajv.compile(schema);
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
