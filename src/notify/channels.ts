import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

const fileOrText = (what: string) =>
  ({ type: 'string', minLength: 1, description: what }) as const satisfies JSONSchema;

const url = {
  type: 'string',
  pattern: '^https?://',
  maxLength: 2048,
  description: 'Where to post.',
} as const;

/** The file of `--channels`: who can be told, and who is told where an entry names nobody. */
export const channelsSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['channels'],
  properties: {
    channels: {
      type: 'object',
      description: 'By the name that entries use as `notification_channel`; one kind each.',
      propertyNames: { pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$', maxLength: 63 },
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        maxProperties: 1,
        properties: {
          webhook: {
            type: 'object',
            additionalProperties: false,
            required: ['url', 'secret_file'],
            properties: { url, secret_file: fileOrText('A file with the secret that signs each message.') },
          },
          slack: {
            type: 'object',
            additionalProperties: false,
            required: ['url_file'],
            properties: {
              url_file: fileOrText('A file with the incoming webhook, which is a secret itself.'),
            },
          },
          log: { type: 'object', additionalProperties: false, properties: {} },
        },
      },
    },
    default: {
      type: 'array',
      items: { type: 'string' },
      default: [],
      description: 'Told of what concerns no single server, and of servers whose entry names no channel.',
    },
    reminder_seconds: {
      type: 'integer',
      minimum: 60,
      default: 14_400,
      description: 'How often a trouble that lasts is told again.',
    },
  },
} as const satisfies JSONSchema;

export type ChannelsFile = FromSchema<typeof channelsSchema, { keepDefaultedPropertiesOptional: true }>;

/** One key: the kind. */
export type ChannelSettings = ChannelsFile['channels'][string];
