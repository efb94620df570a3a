import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../src/manifest/policy.ts';
import { formatProblems, validateManifest } from '../../src/manifest/validate.ts';
import { bytes } from './support.ts';

const folder = new URL('../../examples/ecosystem-manifest/', import.meta.url);
const textOf = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

describe('the example of a manifest repository', () => {
  it('has a manifest without a problem or a warning, trusted by the default policy', () => {
    const file = 'ecosystem-manifest.yaml';
    const { problems, desired } = validateManifest({ content: bytes(textOf(file)), file }, defaultPolicy);
    expect(formatProblems(problems)).toBe('');
    expect(desired?.servers.map(({ name }) => name)).toEqual([
      'mcp-server-github',
      'mcp-server-lightrag',
      'mcp-server-n8n',
      'mcp-server-coda',
    ]);
  });

  it('has the entry of its CONTRIBUTING work as it stands', () => {
    const [entry = ''] = /- name: mcp-server-example[^`]*/.exec(textOf('CONTRIBUTING.md')) ?? [];
    const text = `version: "1.1"\nservers:\n   ${entry}`;
    expect(
      formatProblems(validateManifest({ content: bytes(text), file: 'm' }, defaultPolicy).problems),
    ).toBe('');
  });

  it('shows health answers that its own schema accepts', () => {
    const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
    formats.default(ajv);
    const check = ajv.compile(JSON.parse(textOf('docs/health-check.schema.json')) as object);
    const answers = [...textOf('docs/health-check-specification.md').matchAll(/```json\n([^`]*)```/g)];
    expect(answers.length).toBeGreaterThan(1);
    for (const [, answer = ''] of answers) expect(check(JSON.parse(answer)) ? [] : check.errors).toEqual([]);
    expect(check({ status: 'healthy', timestamp: 'now', uptime_seconds: 1 })).toBe(false);
  });

  it('links only to files that are there', () => {
    for (const page of [
      'README.md',
      'CONTRIBUTING.md',
      'QUALITY_STANDARDS.md',
      'docs/health-check-specification.md',
    ]) {
      for (const [, link = ''] of textOf(page).matchAll(/\]\((?!http)([^)#]+)/g)) {
        expect(() => readFileSync(new URL(link, new URL(page, folder)))).not.toThrow();
      }
    }
  });
});
