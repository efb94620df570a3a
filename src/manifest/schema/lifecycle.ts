import type { JSONSchema } from 'json-schema-to-ts';
import { LONGEST_WAIT_SECONDS, pathSchema } from './text.ts';

const wait = { type: 'number', minimum: 0, maximum: LONGEST_WAIT_SECONDS } as const;
const pause = { type: 'number', minimum: 1, maximum: LONGEST_WAIT_SECONDS } as const;
const count = { type: 'integer', minimum: 1, maximum: 1000 } as const;
const nothing = { type: 'object', additionalProperties: false, properties: {} } as const;

export const healthCheckSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    endpoint: {
      ...pathSchema,
      default: '/health',
      description: 'HTTP GET here. One of `endpoint`, `tcp`, `docker`.',
    },
    tcp: { ...nothing, description: 'A connection that is taken is health enough.' },
    docker: { ...nothing, description: "The image's own HEALTHCHECK is believed." },
    strict: {
      type: 'boolean',
      default: false,
      description: 'An answer without a readable body is a failure; else it is only reported.',
    },
    interval_seconds: { ...pause, default: 30, description: 'From start to start of two checks, at most.' },
    timeout_seconds: { ...wait, exclusiveMinimum: 0, default: 5, description: 'For one whole check.' },
    failure_threshold: { ...count, default: 3, description: 'Consecutive failures that make it unhealthy.' },
    success_threshold: {
      ...count,
      default: 2,
      description: 'Consecutive successes that make it healthy again.',
    },
    suspect_interval_seconds: { ...pause, default: 5, description: 'Between checks after a first failure.' },
    start_period_seconds: {
      ...wait,
      default: 30,
      description:
        'After a start, in which failures do not count; `healthy_deadline_seconds` reaches further until the first success.',
    },
  },
} as const satisfies JSONSchema;

export const updateSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    order: {
      enum: ['start-first', 'stop-first'],
      description:
        'Default start-first: the old instance answers until the new one is proven. stop-first with a fixed port or an unshareable writable volume.',
    },
    version_range: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'Only semantic: versions it may move to. Default `^<version>`.',
      examples: ['^1.0.0'],
    },
    exclude: {
      type: 'array',
      items: { type: 'string' },
      default: [],
      description: 'Only semantic: versions never taken.',
    },
    min_healthy_seconds: { ...wait, default: 10, description: 'Health in one piece before it is promoted.' },
    healthy_deadline_seconds: { ...pause, default: 120, description: 'From the start to the first health.' },
    soak_seconds: {
      ...wait,
      default: 600,
      description: 'In use without failure before a version is stable.',
    },
    drain_min_seconds: { ...wait, default: 70, description: 'The old instance stays at least so long.' },
    drain_timeout_seconds: { ...wait, default: 300, description: 'And leaves after this, busy or not.' },
    min_age_seconds: {
      ...wait,
      default: 0,
      description: 'A found version is left alone until it is this old.',
    },
  },
} as const satisfies JSONSchema;

export const recoverySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    enabled: { type: 'boolean', default: true, description: 'false: a sick server is only reported.' },
    max_attempts: { ...count, default: 3, description: 'Then a person is asked for; slow retries go on.' },
    backoff_seconds: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      items: wait,
      default: [1, 5, 30],
      description: 'The wait before each attempt; the last one serves for all later.',
    },
    slow_retry_seconds: {
      ...pause,
      default: 600,
      description: 'Between retries once the attempts are used up.',
    },
    strategy: {
      enum: ['restart', 'recreate', 'manual'],
      description:
        'As RFC 0001 writes it. `manual` is `enabled: false`; the others name what is done anyway.',
    },
    backoff: {
      type: 'object',
      additionalProperties: false,
      description: 'As RFC 0001 writes it, in place of `backoff_seconds`.',
      properties: {
        initial_delay: { ...wait, default: 1, description: 'Seconds before the first attempt.' },
        max_delay: { ...wait, default: 300, description: 'Seconds; no wait is longer.' },
        multiplier: {
          type: 'number',
          minimum: 1,
          maximum: 100,
          default: 2,
          description: 'From wait to wait.',
        },
      },
    },
  },
} as const satisfies JSONSchema;
