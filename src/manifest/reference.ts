import { ownValue } from '../lib/own-value.ts';
import { isRecord } from './places.ts';
import { policySchema } from './policy.ts';
import { manifestJsonSchema } from './schema/manifest.ts';
import { flatSchema, nestedSchema } from './schema/registry.ts';
import { serverSchema } from './schema/server.ts';

type Block = Readonly<Record<string, unknown>>;

/** `docs/manifest.md`: every key of the manifest and of the policy file, from the schemas that check them. */
export function manifestReference(): string {
  const parts = [
    INTRODUCTION,
    section(topLevel(), 'Top level'),
    ...sections(serverSchema, 'servers[]'),
    SHAPES,
    ...shapes(),
    POLICY,
    ...sections(policySchema, 'policy'),
  ];
  return `${parts.join('\n\n')}\n`;
}

const INTRODUCTION = `# The manifest

Generated from the schema that checks it: do not edit. The file is \`ecosystem-manifest.yaml\`, UTF-8, one YAML
document, at most 4 MiB and 20 aliases. Unknown keys are errors; keys that begin with \`x-\` are yours. Words that YAML
would read as numbers are written in quotes: \`version: "1.10"\`. All times are seconds.`;

const SHAPES = `# Older shapes

Entries of the first registries are read as well, and may stand beside entries of the form above. What they do not
say is not made up.`;

const POLICY = `# The policy file

Given with \`--policy <file>\`. It belongs to the machine and is never in the repository it judges. A refused entry
leaves its server as it runs; the others go on. Nothing here allows a privileged container, the host's network, process
or IPC namespaces, added capabilities, or the engine's socket by any path.`;

function topLevel(): Block {
  const { properties, ...rest } = manifestJsonSchema() as { readonly properties: Block };
  const { servers: _servers, defaults: _defaults, ...own } = properties;
  const described = {
    defaults: { description: 'Any key of a server but who it is; merged under each. Lists are replaced.' },
    servers: { description: 'The list of servers. Required.' },
  };
  return { ...rest, properties: { ...own, ...described } };
}

function shapes(): readonly string[] {
  const flat = own(flatSchema, [
    'name',
    'docker_image',
    'port',
    'endpoint',
    'health_url',
    'volumes',
    'environment',
  ]);
  const nested = own(nestedSchema, ['server', 'metadata', 'health']);
  return [
    section(flat, 'Flat: `servers[]` with `docker_image`'),
    section(nested, 'Nested: `servers[].server`'),
  ];
}

/** Of a shape only what the 1.1 form has not. */
function own(
  schema: { readonly properties: Block; readonly required: readonly string[] },
  keys: readonly string[],
): Block {
  return {
    ...schema,
    properties: Object.fromEntries(keys.map((key) => [key, ownValue(schema.properties, key)])),
  };
}

/** The block itself, then each block inside it. */
function sections(block: Block, path: string): readonly string[] {
  const inner = Object.entries(propertiesOf(block)).flatMap(([key, member]) =>
    blocksIn(member, `${path}.${key}`),
  );
  return [section(block, `\`${path}\``), ...inner];
}

function blocksIn(member: unknown, path: string): readonly string[] {
  if (!isRecord(member)) return [];
  if (isRecord(member['items'])) return blocksIn(member['items'], `${path}[]`);
  return Object.keys(propertiesOf(member)).length > 0 ? sections(member, path) : [];
}

function section(block: Block, title: string): string {
  const required = Array.isArray(block['required']) ? (block['required'] as unknown[]) : [];
  const rows = Object.entries(propertiesOf(block)).map(([key, member]) =>
    row(key, member, required.includes(key)),
  );
  return [`## ${title}`, '', '| key | kind | default | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function row(key: string, member: unknown, required: boolean): string {
  const schema = isRecord(member) ? member : {};
  const fallback = required ? 'required' : 'default' in schema ? code(schema['default']) : '';
  const about = typeof schema['description'] === 'string' ? schema['description'] : '';
  return `| \`${key}\` | ${kindOf(schema)} | ${fallback} | ${about.replaceAll('|', '\\|')} |`;
}

function kindOf(schema: Block): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].map(code).join(', ');
  const names: Readonly<Record<string, string>> = {
    object: 'mapping',
    array: 'list',
    integer: 'whole number',
  };
  const type = typeof schema['type'] === 'string' ? schema['type'] : 'any';
  return `${ownValue(names, type) ?? type}${range(schema)}`;
}

function range({ minimum, exclusiveMinimum, maximum }: Block): string {
  const least = exclusiveMinimum === undefined ? minimum : `above ${plain(exclusiveMinimum)}`;
  return least === undefined ? '' : ` (${plain(least)} to ${plain(maximum)})`;
}

const propertiesOf = (block: Block): Block => (isRecord(block['properties']) ? block['properties'] : {});

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const code = (value: unknown): string => `\`${plain(value)}\``;
