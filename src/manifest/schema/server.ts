import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { configSchema, dependsOnSchema, dockerSchema } from './docker.ts';
import { healthCheckSchema, recoverySchema, updateSchema } from './lifecycle.ts';
import { nameSchema, namespaceSchema, textSchema, versionSchema, wordsSchema } from './text.ts';

const toolsSchema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string', minLength: 1 }, description: textSchema },
  },
} as const satisfies JSONSchema;

/** What says who a server is: never a default for all. */
export const identityProperties = {
  name: {
    ...nameSchema,
    description: 'Unique: the id everywhere, and the host name on the live network.',
    examples: ['mcp-server-github'],
  },
  namespace: {
    ...namespaceSchema,
    description: 'Unique. Default: the name without a leading `mcp-server-`.',
  },
  version: { ...versionSchema, description: 'Required with an untagged image; must agree with a tag.' },
  description: { ...textSchema, description: 'For people.' },
  repository: { type: 'string', format: 'uri', maxLength: 2048, description: 'Where the source is.' },
  tools: { ...toolsSchema, description: 'What it offers: `{name, description}`.' },
  restart_token: { type: 'string', description: 'A changed value restarts the server once.' },
  depends_on: dependsOnSchema,
  paused: { type: 'boolean', default: false, description: 'Watch, but do nothing here.' },
} as const;

/** What may stand under `defaults` as well. */
export const commonProperties = {
  maintainers: { ...wordsSchema, description: 'People or teams.' },
  tags: { ...wordsSchema, description: 'For finding it.' },
  capabilities: { ...wordsSchema, description: 'What it can do, in words.' },
  quality_tier: { enum: ['bronze', 'silver', 'gold', 'platinum'], description: 'See QUALITY_STANDARDS.' },
  transport: {
    enum: ['http', 'sse', 'stdio'],
    default: 'http',
    description: '`stdio` is listed as undeployable until it can be bridged.',
  },
  desired_state: { enum: ['running', 'stopped'], default: 'running', description: 'What should be.' },
  docker: { ...dockerSchema, description: 'The container. Without it the server is only listed.' },
  config: { ...configSchema, description: 'What it is told.' },
  health_check: { ...healthCheckSchema, description: 'How it is asked whether it is well.' },
  restart_policy: {
    enum: ['always', 'on-failure', 'unless-stopped'],
    default: 'always',
    description: 'Which ends are recovered. Carried out by the orchestrator, not by Docker.',
  },
  prune: { type: 'boolean', default: true, description: 'false: never removed when the entry goes.' },
  auto_update: { type: 'boolean', default: false, description: 'false: newer versions are only reported.' },
  version_strategy: {
    enum: ['latest', 'pinned', 'semantic'],
    default: 'pinned',
    description:
      '`pinned`: as written. `semantic`: the highest in the range. `latest`: whatever the tag means.',
  },
  rollback_on_failure: { type: 'boolean', default: true, description: 'Go back when a new version fails.' },
  notification_channel: { type: 'string', minLength: 1, description: "One of the operator's channels." },
  update: { ...updateSchema, description: 'How one version follows another.' },
  recovery: { ...recoverySchema, description: 'How it is brought back.' },
} as const;

/** Known to the ecosystem, carried, not acted on. */
const carriedProperties = {
  health_check_response: { description: 'Carried, not acted on.' },
  endpoint: { description: 'Carried, not acted on.' },
  health_spec_version: { description: 'Carried, not acted on.' },
  metadata: { description: 'Carried, not acted on.' },
  created_at: { description: 'Carried, not acted on.' },
  updated_at: { description: 'Carried, not acted on.' },
} as const;

export const serverSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { ...identityProperties, ...commonProperties, ...carriedProperties },
} as const satisfies JSONSchema;

export const defaultsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: commonProperties,
} as const satisfies JSONSchema;

/** An entry as written: what is optional stays optional. */
export type ServerEntry = FromSchema<typeof serverSchema, { keepDefaultedPropertiesOptional: true }>;
export type Defaults = FromSchema<typeof defaultsSchema, { keepDefaultedPropertiesOptional: true }>;
