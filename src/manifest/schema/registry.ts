import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { commonProperties, identityProperties } from './server.ts';
import { nameSchema, textSchema, versionSchema } from './text.ts';

const { docker, ...policyProperties } = commonProperties;
const { tags } = commonProperties;
const { namespace, tools, depends_on, paused, restart_token } = identityProperties;

/** The flat 1.0 registry, as the gateway and the vision document write it. */
export const flatSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'docker_image'],
  description: 'The flat 1.0 registry entry, read into the form above.',
  properties: {
    ...identityProperties,
    ...policyProperties,
    docker_image: { ...docker.properties.image, description: '`docker.image`' },
    port: { ...docker.properties.port, description: '`docker.port`' },
    endpoint: {
      type: 'string',
      pattern: '^https?://[^\\s]+$',
      maxLength: 2048,
      description: 'Where it answers; a port on localhost is a fixed `docker.host_port`.',
    },
    health_url: {
      type: 'string',
      pattern: '^https?://[^\\s]+$',
      maxLength: 2048,
      description: 'Its path is `health_check.endpoint`.',
    },
    volumes: {
      type: 'object',
      description: 'Host path or volume name -> `{bind, mode}`.',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['bind'],
        properties: { bind: docker.properties.volumes.items.properties.target, mode: { enum: ['ro', 'rw'] } },
      },
    },
    environment: { ...commonProperties.config.properties.env, description: '`config.env`' },
    health_spec_version: { description: 'Carried, not acted on.' },
    metadata: { description: 'Carried, not acted on.' },
    created_at: { description: 'Carried, not acted on.' },
    updated_at: { description: 'Carried, not acted on.' },
  },
} as const satisfies JSONSchema;

/** The nested registry: who a server is, but not how to run it. */
export const nestedSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['server'],
  description: 'The nested registry entry; deployable once a `docker` block is added.',
  properties: {
    server: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: {
        name: nameSchema,
        description: textSchema,
        version: versionSchema,
        repository: { type: 'string', format: 'uri', maxLength: 2048 },
        transport: commonProperties.transport,
      },
    },
    namespace,
    tools,
    metadata: {
      type: 'object',
      properties: { tags, maintainer: { type: 'string' } },
      description: '`tags` and `maintainer` are read, the rest is carried.',
    },
    health: {
      type: 'object',
      properties: { endpoint: { type: 'string', pattern: '^(https?:/)?/[^\\s]+$', maxLength: 2048 } },
      description: 'The path of `endpoint` is `health_check.endpoint`.',
    },
    ...{ depends_on, paused, restart_token },
    ...commonProperties,
  },
} as const satisfies JSONSchema;

export type FlatEntry = FromSchema<typeof flatSchema, { keepDefaultedPropertiesOptional: true }>;
export type NestedEntry = FromSchema<typeof nestedSchema, { keepDefaultedPropertiesOptional: true }>;
