import { ownValue } from '../lib/own-value.ts';
import { isRecord } from './places.ts';
import { closest } from './suggest.ts';

/** One broken rule of a schema, as the validator tells it. */
interface Breach {
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The block of the schema that has the rule. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly value: unknown;
  /** How a scalar was written. */
  readonly source: string | null;
  /** The key that is wrong, where it is a key. */
  readonly key: string | null;
  /** The value must not be repeated. */
  readonly secret: boolean;
}

interface Sentence {
  readonly message: string;
  readonly advice: string;
}

/** A broken rule as a sentence, and what to do about it. */
export function sentenceFor(breach: Breach): Sentence {
  const known = ownValue(sentences, breach.keyword);
  return known?.(breach) ?? { message: `breaks the rule \`${breach.keyword}\``, advice: describe(breach) };
}

const sentences: Readonly<Record<string, (breach: Breach) => Sentence>> = {
  additionalProperties: unknownKey,
  required: ({ params, schema }) => ({
    message: `\`${text(params['missingProperty'])}\` is missing`,
    advice: adviceOfProperty(schema, text(params['missingProperty'])),
  }),
  type: wrongType,
  enum: wrongChoice,
  pattern: wrongForm,
  format: (breach) => ({
    message: `${shown(breach)} is not a ${text(breach.params['format'])}`,
    advice: describe(breach),
  }),
  maxItems: ({ params }) => ({ message: `more than ${text(params['limit'])} items`, advice: 'Remove some.' }),
  minItems: ({ params }) => ({
    message: `fewer than ${text(params['limit'])} items`,
    advice: 'Add one, or remove the key.',
  }),
  maxLength: ({ params }) => ({
    message: `longer than ${text(params['limit'])} characters`,
    advice: 'Shorten it.',
  }),
  minLength: () => ({ message: 'is empty', advice: 'Write something, or remove the key.' }),
  minimum: outOfRange,
  maximum: outOfRange,
  exclusiveMinimum: outOfRange,
};

function unknownKey({ key, schema }: Breach): Sentence {
  const message = `unknown key \`${key ?? ''}\``;
  if (key === '<<')
    return { message, advice: 'Merge keys are not read: write `defaults`, or an alias as a whole value.' };
  if (NEVER.includes(key ?? '')) return { message, advice: 'Remove it: no policy allows it.' };
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const inside = Object.entries(properties).find(([, block]) => hasProperty(block, key ?? ''));
  if (inside !== undefined) return { message, advice: `It belongs under \`${inside[0]}\`.` };
  const meant = closest((key ?? '').slice(0, 80), Object.keys(properties));
  if (meant !== null) return { message, advice: `Did you mean \`${meant}\`?` };
  return {
    message,
    advice: `Known here: ${Object.keys(properties).join(', ') || 'nothing'}. Keys of your own begin with \`x-\`.`,
  };
}

/** What people coming from compose files try first. */
const NEVER = [
  'privileged',
  'network_mode',
  'pid',
  'ipc',
  'cap_add',
  'devices',
  'security_opt',
  'userns_mode',
];

function wrongType(breach: Breach): Sentence {
  const wanted = text(breach.params['type']);
  const message = `must be ${article(wanted)}, is ${nameOf(breach)}`;
  if (wanted === 'string' && isScalarValue(breach.value)) {
    const quoted = breach.secret ? '' : `: "${breach.source ?? text(breach.value)}"`;
    return { message, advice: `Write it in quotes${quoted}.` };
  }
  if (breach.value === null) return { message, advice: 'Write a value, or remove the key.' };
  if (typeof breach.value === 'string' && /^(boolean|integer|number)$/.test(wanted)) {
    return { message, advice: 'Write it without quotes, as YAML knows it (true, false, 5).' };
  }
  return { message, advice: describe(breach) };
}

function wrongChoice(breach: Breach): Sentence {
  const allowed = Array.isArray(breach.params['allowedValues'])
    ? breach.params['allowedValues'].map(text)
    : [];
  const meant = closest(text(breach.value).slice(0, 80), allowed);
  return {
    message: `${shown(breach)} is not one of ${allowed.join(', ')}`,
    advice: meant === null ? `Write one of ${allowed.join(', ')}.` : `Did you mean \`${meant}\`?`,
  };
}

function wrongForm(breach: Breach): Sentence {
  const what = breach.key === null ? shown(breach) : `the name \`${breach.key}\``;
  const pattern = text(breach.params['pattern']);
  const form = pattern.length <= 60 ? ` (its form: ${pattern})` : '';
  return { message: `${what} is not allowed here${form}`, advice: describe(breach) };
}

function outOfRange(breach: Breach): Sentence {
  const bound = `${text(breach.params['comparison'])} ${text(breach.params['limit'])}`;
  return { message: `${shown(breach)} must be ${bound}`, advice: describe(breach) };
}

function adviceOfProperty(schema: Readonly<Record<string, unknown>>, key: string): string {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const about = ownValue(properties, key);
  const description = isRecord(about) ? about['description'] : undefined;
  return typeof description === 'string' ? `Add \`${key}\`: ${description}` : `Add \`${key}\`.`;
}

function describe({ schema }: Breach): string {
  const description = schema['description'];
  const examples = schema['examples'];
  const example = Array.isArray(examples) ? ` For example: ${text(examples[0])}.` : '';
  return `${typeof description === 'string' ? description : 'Correct the value.'}${example}`;
}

const hasProperty = (block: unknown, key: string): boolean =>
  isRecord(block) && isRecord(block['properties']) && Object.hasOwn(block['properties'], key);

const isScalarValue = (value: unknown): boolean => ['number', 'boolean', 'bigint'].includes(typeof value);

const article = (type: string): string =>
  ({ object: 'a mapping', array: 'a list', integer: 'a whole number', boolean: 'true or false' })[type] ??
  `a ${type}`;

function nameOf({ value, secret }: Breach): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return secret ? `a ${typeof value}` : `the ${typeof value} ${text(value)}`;
}

const shown = ({ value, source, secret }: Breach): string =>
  secret ? 'the value' : `\`${(source ?? text(value)).slice(0, 80)}\``;

const text = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
