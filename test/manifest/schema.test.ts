import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { policySchema } from '../../src/manifest/policy.ts';
import { manifestJsonSchema, withExtensions } from '../../src/manifest/schema/manifest.ts';
import { channelsSchema } from '../../src/notify/index.ts';

/** `compile` in check.ts leaves this out, and optimizes nothing: the schemas are ours and change with a release only. */
describe.each<[string, object]>([
  ['manifest', manifestJsonSchema()],
  ['policy', withExtensions(policySchema) as object],
  ['channels', withExtensions(channelsSchema) as object],
])('the schema of the %s', (_, schema) => {
  it('is a JSON Schema of 2020-12', () => {
    const ajv = new Ajv2020({ allErrors: true });
    expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true);
  });

  it('is one that the examination would refuse were it wrong', () => {
    expect(new Ajv2020({ allErrors: true }).validateSchema({ ...schema, type: 'mapping' })).toBe(false);
  });
});
