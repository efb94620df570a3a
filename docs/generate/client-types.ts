import { schemas, type Schema } from '../../src/status/schemas.ts';

/** `examples/gateway-kit/client/types.ts`: the shapes of the OpenAPI document as TypeScript. */
export function clientTypes(): string {
  const shapes = Object.entries(schemas).filter(([name]) => !['OpenApi', 'Text'].includes(name));
  return [
    '// Generated from the schemas of /openapi.json: do not edit; `npm run generate` writes it.\n',
    ...shapes.map(([name, schema]) => shape(name, schema)),
  ].join('\n');
}

function shape(name: string, schema: Schema): string {
  const required = new Set(schema['required'] as string[]);
  const fields = Object.entries(schema['properties'] as Record<string, Schema>).map(
    ([field, each]) => `  readonly ${field}${required.has(field) ? '' : '?'}: ${typeOf(each)};`,
  );
  return `export interface ${name} {\n${fields.join('\n')}\n}\n`;
}

function typeOf(schema: Schema): string {
  const { $ref, type, items, const: only, enum: words, anyOf, properties } = schema;
  if (typeof $ref === 'string') return $ref.split('/').at(-1) ?? 'unknown';
  if (Array.isArray(anyOf)) return (anyOf as Schema[]).map(typeOf).join(' | ');
  if (only !== undefined) return quoted(only);
  if (Array.isArray(words)) return words.map(quoted).join(' | ');
  if (items !== undefined) return `readonly (${typeOf(items as Schema)})[]`;
  if (properties !== undefined) return inline(properties as Record<string, Schema>);
  return [type].flat().map(plain).join(' | ');
}

const inline = (properties: Record<string, Schema>): string =>
  `{ ${Object.entries(properties)
    .map(([field, each]) => `readonly ${field}: ${typeOf(each)}`)
    .join('; ')} }`;

const quoted = (word: unknown): string =>
  word === null ? 'null' : JSON.stringify(word).replaceAll('"', "'");

const plain = (type: unknown): string => (type === 'integer' ? 'number' : String(type));
