import type { JSONSchema } from 'json-schema-to-ts';

/** Words of the schema that several blocks share. Lengths and alphabets are those of DNS, Docker and POSIX. */

/** A DNS label: it becomes a container name and a network alias. */
export const nameSchema = {
  type: 'string',
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
  maxLength: 63,
} as const satisfies JSONSchema;

export const namespaceSchema = {
  type: 'string',
  pattern: '^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$',
  maxLength: 63,
} as const satisfies JSONSchema;

/** What a program may be given as an argument or a value: anything but NUL. */
export const valueSchema = { type: 'string', pattern: '^[^\\u0000]*$' } as const satisfies JSONSchema;

export const variableSchema = {
  type: 'string',
  pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
  maxLength: 255,
} as const satisfies JSONSchema;

/** An absolute path, of a URL or in a container. */
export const pathSchema = {
  type: 'string',
  pattern: '^/[^\\s\\u0000]*$',
  maxLength: 1024,
} as const satisfies JSONSchema;

export const textSchema = { type: 'string', maxLength: 10_000 } as const satisfies JSONSchema;
export const wordsSchema = { type: 'array', items: { type: 'string' } } as const satisfies JSONSchema;

/** A version as people write it; it may stand in an image's tag. */
export const versionSchema = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.+-]*$',
  maxLength: 128,
} as const satisfies JSONSchema;

/** Thirty days: longer waits are mistakes of unit. */
export const LONGEST_WAIT_SECONDS = 2_592_000;
