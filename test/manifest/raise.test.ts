import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { raiseVersion } from '../../src/manifest/raise.ts';
import { bytes } from './support.ts';

/** The text with the version raised, or why not. */
function raised(text: string, tag = '1.1.0', server = 'github'): string {
  const result = raiseVersion({ content: bytes(text), file: 'm.yaml' }, { server, tag });
  if (!result.ok) return `not: ${result.error}`;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(result.value);
}

const manifest = (entry: string): string => `version: "1.1"\nservers:\n  - name: github\n${entry}`;
const DOCKER = '    docker: { image: liminalcommons/github, port: 8080 }\n';

describe('a raised version', () => {
  it.each([
    ['double quotes', 'version: "1.0.0"', 'version: "1.1.0"'],
    ['single quotes', "version: '1.0.0'", "version: '1.1.0'"],
    ['no quotes', 'version: 1.0.0', 'version: 1.1.0'],
    ['spaces and a comment', 'version:   "1.0.0"   # as 1.0.0 was', 'version:   "1.1.0"   # as 1.0.0 was'],
  ])('keeps %s', (_what, before, after) => {
    const around = (line: string): string =>
      manifest(`    # the 1.0.0 of old\n    ${line}\n${DOCKER}\n# end`);
    expect(raised(around(before))).toBe(around(after));
  });

  it('keeps CRLF, a byte order mark and what is not ASCII', () => {
    const text = (version: string): string =>
      `\uFEFF${manifest(`    description: "größer 🚀"\n    version: "${version}"\n${DOCKER}`)}`.replaceAll(
        '\n',
        '\r\n',
      );
    expect(raised(text('1.0.0'))).toBe(text('1.1.0'));
  });

  it('is written into the tag as well, or into the tag alone', () => {
    const tagged = (version: string, tag: string): string =>
      manifest(`    ${version}docker: {image: "liminalcommons/github:${tag}", port: 8080} # as it was\n`);
    const both = (version: string, tag: string): string => tagged(`version: "${version}"\n    `, tag);
    expect(raised(both('1.0.0', '1.0.0'))).toBe(both('1.1.0', '1.1.0'));
    expect(raised(both('1.0.0', 'v1.0.0-alpine'), 'v1.1.0-alpine')).toBe(both('1.1.0', 'v1.1.0-alpine'));
    expect(raised(tagged('', '1.0.0'))).toBe(tagged('', '1.1.0'));
  });

  it('is that of its own server alone', () => {
    const two = (version: string): string =>
      `${manifest(`    version: "${version}"\n${DOCKER}`)}  - name: other\n    version: "1.0.0"\n    docker: {image: liminalcommons/other, port: 1}\n`;
    expect(raised(two('1.0.0'))).toBe(two('1.1.0'));
  });

  it('is written into the older shapes', () => {
    const flat = (tag: string): string =>
      `version: "1.0"\nservers:\n- name: github\n  docker_image: liminalcommons/github:${tag}\n  port: 8080\n`;
    const nested = (version: string): string =>
      `version: "1.0"\nservers:\n- server: {name: github, version: "${version}"}\n  docker: {image: liminalcommons/github, port: 8080}\n`;
    expect(raised(flat('1.0.0'))).toBe(flat('1.1.0'));
    expect(raised(nested('1.0.0'))).toBe(nested('1.1.0'));
  });

  it('is written into JSON, which is YAML too', () => {
    const json = (version: string): string =>
      `{"version":"1.1","servers":[{"name":"github","version":"${version}","docker":{"image":"a/b","port":1}}]}`;
    expect(raised(json('1.0.0'))).toBe(json('1.1.0'));
  });
});

describe('a version is not raised', () => {
  it.each([
    [
      'of a server that is not there',
      manifest(`    version: "1.0.0"\n${DOCKER}`).replace('github', 'else'),
      'no entry',
    ],
    [
      'by an alias',
      `x-v: &v "1.0.0"\n${manifest(`    version: *v\n${DOCKER}`)}`,
      'servers[0].version is said by an alias',
    ],
    [
      'where others say it by an alias',
      manifest(`    version: &v "1.0.0"\n    restart_token: *v\n${DOCKER}`),
      'in more places',
    ],
    [
      'in an entry that is an alias',
      `x-e: &e {name: github, version: "1.0.0", docker: {image: a/b, port: 1}}\nversion: "1.1"\nservers:\n  - *e\n`,
      'by an alias',
    ],
    ['in a block of text', manifest(`    version: >-\n      1.0.0\n${DOCKER}`), 'one plain word'],
    ['where it is written with escapes', manifest(`    version: "1.0\\x2e0"\n${DOCKER}`), 'one plain word'],
    [
      'where `defaults` say the tag',
      `defaults: {docker: {image: "a/b:1.0.0"}}\n${manifest('    docker: {port: 1}\n')}`,
      'does not say its version',
    ],
    [
      'against the tag of `defaults`',
      `defaults: {docker: {image: "a/b:1.0.0"}}\n${manifest('    version: "1.0.0"\n    docker: {port: 1}\n')}`,
      'would be refused',
    ],
    ['in what is no manifest', 'servers: [', 'cannot be read'],
  ])('%s', (_where, text, why) => {
    expect(raised(text)).toMatch(/^not: /);
    expect(raised(text)).toContain(why);
  });

  it('in what is not UTF-8', () => {
    const content = Uint8Array.from([...bytes(manifest(`    version: "1.0.0"\n${DOCKER}    # `)), 0xff, 10]);
    const version = { server: 'github', tag: '1.1.0' };
    expect(raiseVersion({ content, file: 'm.yaml' }, version)).toMatchObject({ ok: false });
  });

  it('to what YAML would not read as that word', () => {
    expect(raised(manifest(`    version: 1.0.0\n${DOCKER}`), '1.1')).toMatch(/^not: /);
    expect(raised(manifest(`    version: "1.0.0"\n${DOCKER}`), '1.1.0"\n    paused: true # ')).toMatch(
      /^not: /,
    );
  });
});

describe('any manifest with comments', () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  const comment = fc.stringMatching(/^[ -~]{0,20}$/);
  const versions = fc.constantFrom('1.0.0', '0.9.12', '10.2.3');
  const servers = fc.uniqueArray(
    fc.record({ name: word, version: versions, tagged: fc.boolean(), description: comment }),
    { minLength: 1, maxLength: 4, selector: ({ name }) => name },
  );
  const layout = fc.record({
    indent: fc.integer({ min: 2, max: 6 }),
    defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_SINGLE' as const, 'QUOTE_DOUBLE' as const),
    collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
  });

  it('has nothing else changed', () => {
    fc.assert(
      fc.property(servers, layout, comment, fc.boolean(), fc.nat(3), (all, style, said, crlf, at) => {
        const chosen = all[at % all.length]?.name ?? '';
        const marked = all.map((one) => (one.name === chosen ? { ...one, version: '7.7.7' } : one));
        const written = commented(stringify(documentOf(marked), { ...style, version: '1.2' }), said);
        const text = crlf ? written.replaceAll('\n', '\r\n') : written;
        expect(raised(text, '10.11.12', chosen)).toBe(text.replaceAll('7.7.7', '10.11.12'));
      }),
      { numRuns: 100 },
    );
  });

  const documentOf = (
    all: readonly { name: string; version: string; tagged: boolean; description: string }[],
  ) => ({
    version: '1.1',
    servers: all.map(({ name, version, tagged, description }) => ({
      ...{ name, description, version },
      docker: { image: tagged ? `liminalcommons/${name}:${version}` : `liminalcommons/${name}`, port: 8080 },
    })),
  });

  /** A comment after every line, where no word goes on over lines. */
  const commented = (text: string, said: string): string =>
    text.replaceAll(/([\]},a-z0-9"'])\n/g, `$1 # ${said.replaceAll('$', '')}\n`);
});
