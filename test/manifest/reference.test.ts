import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { manifestReference } from '../../src/manifest/reference.ts';
import { manifestJsonSchema } from '../../src/manifest/schema/manifest.ts';
import { serverSchema } from '../../src/manifest/schema/server.ts';

describe('the published schema', () => {
  it('is plain JSON and a valid schema that anybody can use', () => {
    const schema = JSON.parse(JSON.stringify(manifestJsonSchema())) as object;
    const ajv = new Ajv2020({ strict: true, strictRequired: false });
    formats.default(ajv);
    const check = ajv.compile(schema);
    expect(check({ version: '1.1', 'x-own': 1, servers: [{ name: 'a', 'x-own': 1 }] })).toBe(true);
    expect(check({ version: '1.1', servers: [{ name: 'a', own: 1 }] })).toBe(false);
  });
});

describe('the reference', () => {
  const text = manifestReference();

  it('has a row for every key of a server', () => {
    for (const key of Object.keys(serverSchema.properties)) expect(text).toContain(`| \`${key}\` |`);
  });

  it('tells kinds, ranges and defaults', () => {
    expect(text).toContain('| `port` | whole number (1 to 65535) |');
    expect(text).toContain('| `timeout_seconds` | number (above 0 to 2592000) | `5` |');
    expect(text).toContain('| `restart_policy` | `always`, `on-failure`, `unless-stopped` | `always` |');
  });

  it('has the older shapes and the policy file', () => {
    for (const title of ['## Flat', '## Nested', '## `policy`', '## `policy.max_resources`'])
      expect(text).toContain(title);
  });
});
