import type { JSONSchema } from 'json-schema-to-ts';
import { nameSchema, pathSchema, valueSchema, variableSchema } from './text.ts';

const volumeSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['source', 'target'],
  properties: {
    source: {
      type: 'string',
      pattern: '^(/[^\\u0000]*|[a-zA-Z0-9][a-zA-Z0-9_.-]*)$',
      maxLength: 1024,
      description:
        'A word: the volume `<server>_<source>`. An absolute path: that folder of the host, where policy allows it.',
    },
    target: { ...pathSchema, description: 'Where the container sees it.' },
    read_only: { type: 'boolean', default: false, description: 'The container cannot write to it.' },
    shareable: {
      type: 'boolean',
      default: false,
      description:
        'Two running copies may write to it at once. A writable volume that is not makes the server stop-first.',
    },
    external: {
      type: 'boolean',
      default: false,
      description: 'The volume of that very name, made by somebody else, where policy allows it.',
    },
  },
} as const satisfies JSONSchema;

export const resourcesSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    cpus: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1024,
      default: 1,
      description: 'Cores; fractions too.',
    },
    memory: {
      type: 'string',
      pattern: '^[1-9][0-9]{0,12}[bkmgBKMG]?$',
      maxLength: 14,
      default: '512m',
      description: 'Bytes, or with one of the units b, k, m, g (powers of 1024).',
    },
    pids: {
      type: 'integer',
      minimum: 1,
      maximum: 4_194_304,
      default: 256,
      description: 'Processes and threads.',
    },
  },
} as const satisfies JSONSchema;

export const dockerSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    image: {
      type: 'string',
      pattern:
        '^(([A-Za-z0-9-]+([.][A-Za-z0-9-]+)+(:[0-9]{1,5})?|[A-Za-z0-9-]+:[0-9]{1,5}|localhost)/)?[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$',
      maxLength: 512,
      description:
        'Required. A bare name takes `version` as its tag; `name:tag` and `name@sha256:...` work too.',
      examples: ['liminalcommons/mcp-server-github'],
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: 'Required. The port inside the container.',
    },
    path: { ...pathSchema, description: 'Where MCP answers. Default `/mcp`, with `transport: sse` `/sse`.' },
    host_port: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 0,
      description: '0: a free port of our choosing. A fixed one makes the server stop-first.',
    },
    command: { type: 'array', items: valueSchema, default: [], description: "The image's arguments." },
    user: {
      type: 'string',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$',
      maxLength: 255,
      description: "User, or `user:group`; default: the image's own.",
      examples: ['1000'],
    },
    volumes: { type: 'array', items: volumeSchema, default: [], description: 'What outlives the container.' },
    networks: {
      type: 'array',
      items: { type: 'string', pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.:-]*$', maxLength: 255 },
      default: ['mcp-network'],
      description: '`mcp-network` always; others must exist and be allowed by policy.',
    },
    resources: { ...resourcesSchema, description: 'Limits the engine enforces.' },
    read_only_root: {
      type: 'boolean',
      default: false,
      description: 'The root file system cannot be written to.',
    },
  },
} as const satisfies JSONSchema;

export const configSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    env: {
      type: 'object',
      propertyNames: variableSchema,
      additionalProperties: valueSchema,
      default: {},
      description: 'Environment variables. Never a secret: this file is in git.',
    },
    secrets: {
      type: 'array',
      default: [],
      description: 'Names of secrets the operator holds; each becomes an environment variable of that name.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: {
          name: { ...variableSchema, description: 'The name, never the value.' },
          required: { type: 'boolean', default: true, description: 'Without it the server is refused.' },
        },
      },
    },
  },
} as const satisfies JSONSchema;

export const dependsOnSchema = {
  type: 'array',
  items: nameSchema,
  default: [],
  description: 'Servers that must be ready before a version of this one is promoted for the first time.',
} as const satisfies JSONSchema;
