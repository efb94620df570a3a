import type { JSONSchema } from 'json-schema-to-ts';
import { flatSchema, nestedSchema } from './registry.ts';
import { defaultsSchema, serverSchema } from './server.ts';
import type { ServerEntry } from './server.ts';

/** The manifest as understood: every shape read into the 1.1 form, `defaults` merged under each server. */
export interface Manifest {
  /** As written, e.g. `1.1`. */
  readonly version: string;
  readonly trace_id: string | null;
  readonly paused: boolean;
  readonly servers: readonly ServerEntry[];
}

const has = (key: string): JSONSchema => ({
  type: 'object',
  required: [key],
  properties: { [key]: {} },
});

const manifestSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://raw.githubusercontent.com/liminalcommons/mcp-orchestration/main/docs/manifest.schema.json',
  title: 'ecosystem-manifest.yaml',
  description: 'Which MCP servers should run, and how.',
  type: 'object',
  additionalProperties: false,
  required: ['servers'],
  properties: {
    version: {
      type: 'string',
      description: 'Version of this format, in quotes: "1.0", "1.1". Required (or `manifest_version`).',
      examples: ['1.1'],
    },
    manifest_version: { type: 'string', description: 'Another name for `version`.' },
    trace_id: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'Joins all that this file causes.',
    },
    paused: { type: 'boolean', default: false, description: 'Watch, but do nothing anywhere.' },
    updated: { description: 'Carried, not acted on.' },
    provides: { description: 'Carried, not acted on.' },
    health_check_spec: { description: 'Carried, not acted on.' },
    defaults: { ...defaultsSchema, description: 'Merged under each server; lists are replaced, not joined.' },
    servers: {
      type: 'array',
      maxItems: 10_000,
      description: 'The list of servers.',
      items: {
        if: has('server'),
        then: nestedSchema,
        else: { if: has('docker_image'), then: flatSchema, else: serverSchema },
      },
    },
  },
} as const satisfies JSONSchema;

/** The whole schema as published and checked: JSON Schema 2020-12, keys that begin with `x-` allowed anywhere. */
export function manifestJsonSchema(): object {
  return withExtensions(manifestSchema) as object;
}

/** Said once for every block, and not in the types: nobody of ours reads an `x-` key. */
export function withExtensions(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withExtensions);
  if (typeof schema !== 'object' || schema === null) return schema;
  const members = Object.entries(schema).map(([key, member]) => [key, withExtensions(member)] as const);
  const closed = 'additionalProperties' in schema && schema.additionalProperties === false;
  return { ...Object.fromEntries(members), ...(closed ? { patternProperties: { '^x-': {} } } : {}) };
}
