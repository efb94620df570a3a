import { describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../src/manifest/policy.ts';
import { formatProblems, validateManifest } from '../../src/manifest/validate.ts';
import { bytes } from './support.ts';

const validate = (text: string) => validateManifest({ content: bytes(text), file: 'm.yaml' }, defaultPolicy);

const TEXT = `version: "1.1"
servers:
  - name: a
    auto_update: true
    docker:
      image: evil.io/a:1.0.0
      port: 80
  - name: b
    transport: stdio
`;

describe('validate', () => {
  it('tells refusals and warnings together, in the order of the text', () => {
    const { problems, desired } = validate(TEXT);
    expect(problems.map(({ severity, line, path }) => `${severity} ${line} ${path}`)).toEqual([
      'warning 4 servers[0].auto_update',
      'error 6 servers[0].docker.image',
      'warning 8 servers[1]',
    ]);
    expect(desired?.servers.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('points at the entry where the refused thing is not written in it', () => {
    const text =
      'version: "1.1"\ndefaults: { docker: { networks: [db] } }\nservers:\n  - name: a\n    docker: { image: "liminalcommons/a:1", port: 80 }\n';
    expect(validate(text).problems).toMatchObject([{ line: 4, path: 'servers[0].docker.networks' }]);
  });

  it('wants nothing of a manifest that is refused as a whole', () => {
    expect(validate('version: "1.1"')).toMatchObject({
      desired: null,
      problems: [{ message: '`servers` is missing' }],
    });
  });

  it('has no problems with a sound manifest', () => {
    expect(
      validate('version: "1.1"\nservers: [{ name: a, docker: { image: "liminalcommons/a:1", port: 80 } }]')
        .problems,
    ).toEqual([]);
  });
});

describe('problems as text', () => {
  it('begin with a place that editors can jump to, and end with what to do', () => {
    expect(formatProblems(validate(TEXT).problems).split('\n').slice(0, 4)).toEqual([
      'm.yaml:4:18  servers[0].auto_update  warning: has no effect with version_strategy pinned',
      '    Remove it, or change the other.',
      'm.yaml:6:14  servers[0].docker.image  the image `evil.io/a` is not trusted',
      "    Start with --trust 'evil.io/*', or add 'evil.io/*' to trusted_images in the policy file.",
    ]);
  });

  it('name the file alone where there is no line', () => {
    expect(formatProblems(validate('').problems)).toMatch(/^m\.yaml {2}the manifest is empty\n/);
  });
});
