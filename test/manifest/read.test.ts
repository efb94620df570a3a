import { describe, expect, it } from 'vitest';
import { MAX_MANIFEST_BYTES, readManifest } from '../../src/manifest/read.ts';
import { entry, manifestOf, read, told, toldOf } from './support.ts';

const problemsOf = (text: string) => {
  const result = read(text);
  return result.ok ? result.value.warnings : result.error.problems;
};

describe('reading a manifest', () => {
  it('reads a manifest of version 1.1 without a word', () => {
    expect(read(manifestOf([entry()]))).toMatchObject({
      ok: true,
      value: { manifest: { version: '1.1', paused: false, trace_id: null }, warnings: [] },
    });
  });

  it('carries the trace id, the pause and the places of entries and blocks', () => {
    const result = read(
      'version: "1.1"\ntrace_id: w3\npaused: true\nservers:\n  - name: a\n    transport: stdio\n',
    );
    expect(result).toMatchObject({
      ok: true,
      value: {
        manifest: { trace_id: 'w3', paused: true },
        places: { 'servers[0]': [5, 5], 'servers[0].name': [5, 11] },
      },
    });
  });

  it.each([
    [
      'a pointer of Git LFS',
      `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d'.repeat(32)}\nsize 412\n`,
    ],
    [
      'a merge was not finished: here is a conflict marker',
      `version: "1.1"\n<<<<<<< HEAD\nservers: []\n=======\n>>>>>>> x\n`,
    ],
    ['is UTF-16', Buffer.from('version: "1.1"\nservers: []\n', 'utf16le')],
    ['is UTF-16', Buffer.from('\uFEFFversion: "1.1"\nservers: []\n', 'utf16le')],
    ['is UTF-16', Buffer.from('\uFEFFversion: "1.1"\nservers: []\n', 'utf16le').swap16()],
  ])('calls by name what is no manifest: %s', (says, given) => {
    const content = typeof given === 'string' ? new TextEncoder().encode(given) : given;
    const result = readManifest({ content, file: 'm.yaml' });
    const problems = result.ok ? [] : result.error.problems;
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(says);
    expect(problems[0]?.line).toBe(says.includes('conflict') ? 2 : 0);
  });

  it('changes no value of an environment: what YAML would not read as a text is refused, all else stays as written', () => {
    const asWritten = {
      YES: 'yes',
      COUNTRY: 'NO',
      DATE: '2024-01-02',
      SEXAGESIMAL: '22:30',
      ID: '"1050659265498583164"',
      PRICE: '"pa$$w0rd${X}"',
      QUOTES: `'it''s "q"'`,
      UNI: '"zażółć 🙂"',
    };
    const withEnv = (env: Readonly<Record<string, string>>): string =>
      [
        'version: "1.1"',
        'servers:',
        '  - { name: a, version: "1.0.0", docker: { image: x/a, port: 80 }, config: { env: {',
        ...Object.entries(env).map(([name, value]) => `    ${name}: ${value},`),
        '    } } }',
      ].join('\n');
    const result = read(withEnv(asWritten));
    expect(result.ok && result.value.manifest.servers[0]?.config?.env).toEqual({
      ...asWritten,
      ...{ ID: '1050659265498583164', PRICE: 'pa$$w0rd${X}', QUOTES: `it's "q"`, UNI: 'zażółć 🙂' },
    });
    const numbers = ['1050659265498583164', '0755', '0o755', '0x1F', '1e3', '1.10', 'True', '~'];
    for (const value of numbers) expect(told(withEnv({ A: value }))).toHaveLength(1);
  });

  it('says every problem at once, each with its line and column, in the order of the text', () => {
    const text = [
      'version: "1.1"',
      'servers:',
      '  - name: Bad_Name',
      '    version: 1.10',
      '    docker: { image: x/a, port: 99999 }',
      '    helth_check: {}',
      '  - description: no name',
    ].join('\n');
    expect(problemsOf(text).map(({ line, column, path }) => `${line}:${column} ${path}`)).toEqual([
      '3:11 servers[0].name',
      '4:14 servers[0].version',
      '5:33 servers[0].docker.port',
      '6:5 servers[0].helth_check',
      '7:5 servers[1]',
    ]);
  });

  it('looks at the sound entries although others are broken', () => {
    const text = manifestOf([{ name: 'a', port: 1 }, entry({ name: 'b', depends_on: ['a', 'c'] })]);
    expect(told(text)).toEqual([
      'error servers[0].port: unknown key `port`',
      'error servers[1].depends_on[1]: no server is named `c`',
    ]);
  });

  it('points at the nearest written thing when the missing one stands nowhere', () => {
    const [problem] = problemsOf('version: "1.1"\nservers:\n  - name: a\n    docker: { image: x/a:1 }\n');
    expect(problem).toMatchObject({ line: 4, column: 13, path: 'servers[0].docker' });
  });

  it('tells at most 200 problems and how many more there are', () => {
    const problems = problemsOf(
      `version: "1.1"\nservers: []\n${Array.from({ length: 300 }, (_, n) => `k${n}: 1\n`).join('')}`,
    );
    expect(problems).toHaveLength(201);
    expect(problems.at(-1)?.message).toBe('and 101 more problems');
  });
});

describe('a text that is no manifest', () => {
  it.each([
    ['', 'the manifest is empty'],
    ['# nothing\n', 'the manifest is empty'],
    ['hello', 'the manifest is not a mapping'],
    ['[1, 2]', 'the manifest is not a mapping'],
    ['a: 1\n---\nb: 2\n', 'more than one document'],
    ['a: 1\na: 2\n', 'the key `a` is here twice'],
    ['__proto__: { servers: [] }\n', 'the key `__proto__` is not allowed'],
    ['a: !!js/function x\n', 'Unresolved tag: tag:yaml.org,2002:js/function'],
    ['a: *b\n', 'Unresolved alias (the anchor must be set before the alias): b'],
    ['[1]: 2\n', 'With stringKeys, all keys must be strings'],
    [`a: ${'['.repeat(20_000)}`, 'nested too deeply'],
  ])('%j is refused', (text, message) => {
    expect(problemsOf(text.slice(0, 30_000)).map((one) => one.message)).toContain(message);
  });

  it('refuses more than 20 aliases, with the place of the first too many', () => {
    const text = `x-a: &a 1\nx-b:\n${'  - *a\n'.repeat(21)}`;
    expect(problemsOf(text)).toMatchObject([{ line: 23, message: 'more than 20 aliases' }]);
  });

  it('refuses an alias bomb', () => {
    const level = (name: string, of: string) => `x-${name}: &${name} [${`*${of},`.repeat(6)}]\n`;
    expect(told(`x-a: &a [x]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}`)[0]).toMatch(
      /Excessive alias count/,
    );
  });

  it('allows a few aliases', () => {
    expect(
      read(
        'version: "1.1"\nx-env: &env { A: b }\nservers:\n  - { name: a, transport: stdio, config: { env: *env } }\n',
      ).ok,
    ).toBe(true);
  });

  it('refuses what is not UTF-8', () => {
    const result = readManifest({ content: Uint8Array.of(0xff, 0xfe, 0x00), file: 'm.yaml' });
    expect(result).toMatchObject({ ok: false, error: { details: { error: 'm.yaml is not UTF-8' } } });
  });

  it('refuses more than 4 MiB before it reads a byte', () => {
    const result = readManifest({ content: new Uint8Array(MAX_MANIFEST_BYTES + 1), file: 'm.yaml' });
    expect(result).toMatchObject({ ok: false, error: { problems: [{ message: /larger than 4 MiB/ }] } });
  });

  it('reads 20,000 keys of one mapping in good time', () => {
    const started = performance.now();
    const keys = Array.from({ length: 20_000 }, (_, n) => `      K${n}: v\n`).join('');
    const text = `version: "1.1"\nservers:\n  - name: a\n    transport: stdio\n    config:\n     env:\n${keys}`;
    expect(read(text).ok).toBe(true);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('the version of the format', () => {
  it.each(['1.0', '1.1', '1.0.0', '1.1.7'])('reads %s', (version) => {
    expect(read(`version: "${version}"\nservers: []`).ok).toBe(true);
  });

  it.each(['0.9.0', '1.2', '1.2.0', '2.0', '12.1'])('refuses %s and says what it expects', (version) => {
    expect(read(`version: "${version}"\nservers: []`)).toMatchObject({
      ok: false,
      error: {
        details: { error: 'Schema version mismatch', registry_version: version, expected: '>=1.0.0 <1.2.0' },
      },
    });
  });

  it('says whether it is too old or too new', () => {
    expect(told('version: "0.9"\nservers: [{}]')[0]).toContain('too old');
    expect(told('version: "1.2"\nservers: [{}]')[0]).toContain('newer than this orchestrator knows');
  });

  it('refuses a word that is no version', () => {
    expect(told('version: latest\nservers: [{}]')[0]).toBe(
      'error version: `latest` is not a version of the format',
    );
  });

  it('takes manifest_version as well, but not two that differ', () => {
    expect(read('manifest_version: "1.1"\nservers: []').ok).toBe(true);
    expect(read('manifest_version: "1.1"\nversion: "1.1"\nservers: []').ok).toBe(true);
    expect(told('manifest_version: "1.1"\nversion: "1.0"\nservers: [{}]')[0]).toContain('differ');
  });

  it('wants to be told, and knows a misspelt key', () => {
    expect(told('servers: [{ name: a, transport: stdio }]')[0]).toBe('error : `version` is missing');
    expect(told('verson: "1.1"\nservers: []')).toContain('error : `version` is missing (`verson` is not it)');
  });

  it('gives the quoted form of a version that YAML read as a number', () => {
    const [problem] = problemsOf('version: 1.10\nservers: [{ name: a, transport: stdio }]');
    expect(problem).toMatchObject({
      message: 'must be a string, is the number 1.1',
      advice: 'Write it in quotes: "1.10".',
    });
  });
});

describe('what a problem says', () => {
  const adviceOf = (differs: object) => {
    const result = read(manifestOf([entry(differs)]));
    return result.ok ? 'none' : result.error.problems[0]?.advice;
  };

  it.each([
    [{ auto_updat: true }, 'Did you mean `auto_update`?'],
    [{ autoUpdate: true }, 'Did you mean `auto_update`?'],
    [{ image: 'x/y' }, 'It belongs under `docker`.'],
    [{ privileged: true }, 'Remove it: no policy allows it.'],
    [{ restart_policy: 'allways' }, 'Did you mean `always`?'],
    [{ restart_policy: 'whenever' }, 'Write one of always, on-failure, unless-stopped.'],
    [{ auto_update: 'true' }, 'Write it without quotes, as YAML knows it (true, false, 5).'],
    [{ description: null }, 'Write a value, or remove the key.'],
    [{ docker: [] }, 'The container. Without it the server is only listed.'],
    [{ repository: 'nowhere' }, 'Where the source is.'],
    [{ name: 'x'.repeat(64) }, 'Shorten it.'],
    [{ notification_channel: '' }, 'Write something, or remove the key.'],
    [{ recovery: { backoff_seconds: [] } }, 'Add one, or remove the key.'],
    [{ health_check: { timeout_seconds: 0 } }, 'For one whole check.'],
    [{ config: { env: { 'a b': 'x' } } }, 'Correct the value.'],
    [{ config: { env: { PORT: 80 } } }, 'Write it in quotes.'],
    [{ restart_token: 80 }, 'Write it in quotes: "80".'],
    [{ '<<': {} }, 'Merge keys are not read: write `defaults`, or an alias as a whole value.'],
    [
      { docker: { image: 'Up/Case' } },
      'Required. A bare name takes `version` as its tag; `name:tag` and `name@sha256:...` work too. For example: liminalcommons/mcp-server-github.',
    ],
    [{ health_check: { tcp: { port: 1 } } }, 'Known here: nothing. Keys of your own begin with `x-`.'],
  ])('%j', (differs, advice) => {
    expect(adviceOf(differs)).toBe(advice);
  });

  it('repeats no value of an environment: problems are logged', () => {
    const env = { PIN: 424242, FLAG: true, TEXT: 'SECRET\0' };
    const result = read(manifestOf([entry({ config: { env } })]));
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toMatch(/424242|SECRET/);
    for (const config of [{ env: 'SECRET' }, { secrets: ['SECRET'] }, { secrets: [{ name: 'SECRET=1' }] }]) {
      expect(told(manifestOf([entry({ config })])).join()).not.toContain('SECRET');
    }
    expect(JSON.stringify(read('version: "1.1"\nservers:\n  - a\n  SECRET\n'))).not.toContain('SECRET');
  });

  it('allows keys of your own anywhere', () => {
    expect(toldOf({ 'x-note': 1, docker: { image: 'x/a', port: 1, 'x-why': 'because' } })).toEqual([]);
  });

  it('knows a list that is too long', () => {
    expect(toldOf({ recovery: { backoff_seconds: Array.from({ length: 101 }, () => 1) } })[0]).toContain(
      'more than 100 items',
    );
  });
});
