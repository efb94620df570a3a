import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import { folderSecrets, type FolderSecretsOptions } from '../../src/secrets/index.ts';

const SERVER = 'mcp-server-github';
const required = (...names: string[]) => names.map((name) => ({ name, required: true }));

async function setting(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: Partial<FolderSecretsOptions> = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'secrets-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(directory, name, '..'), { recursive: true });
    await writeFile(join(directory, name), content);
  }
  const secrets = folderSecrets({ directory, environment: {}, granted: () => [], ...options });
  const valueOf = async (name: string): Promise<string | undefined> => {
    const { refs } = await secrets.refs(SERVER, required(name));
    return (await secrets.values(SERVER, refs))[name];
  };
  return { directory, secrets, valueOf };
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const outcome = await promise.catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error(`expected a Failure, got ${JSON.stringify(outcome)}`);
}

describe('a secret', () => {
  it('is the content of its file, without the newline at its end', async () => {
    const { valueOf } = await setting({
      [`${SERVER}/A`]: 'value\n',
      [`${SERVER}/B`]: 'two\n\n',
      [`${SERVER}/C`]: ' x\r\n',
    });
    expect(await valueOf('A')).toBe('value');
    expect(await valueOf('B')).toBe('two\n');
    expect(await valueOf('C')).toBe(' x');
  });

  it('has no byte order mark, wherever it came from, and in UTF-16 it is called so', async () => {
    const { secrets, valueOf } = await setting(
      {
        [`${SERVER}/A`]: '\uFEFFvalue\r\n',
        B: '\uFEFFshared',
        [`${SERVER}/D`]: Buffer.from('\uFEFFvalue', 'utf16le'),
        [`${SERVER}/E`]: Buffer.from('value', 'utf16le'),
      },
      { environment: { MCP_SECRET_C: '\uFEFFenv' }, granted: () => ['B', 'C'] },
    );
    expect([await valueOf('A'), await valueOf('B'), await valueOf('C')]).toEqual(['value', 'shared', 'env']);
    for (const name of ['D', 'E'])
      expect(await failureOf(secrets.refs(SERVER, required(name)))).toMatchObject({
        code: 'secret_unreadable',
        message: `secret "${name}" of "${SERVER}" is UTF-16`,
      });
  });

  it('of a server is its own, before the shared one, before the environment', async () => {
    const environment = { MCP_SECRET_A: 'env', MCP_SECRET_B: 'env', MCP_SECRET_C: 'env' };
    const files = { [`${SERVER}/A`]: 'own', A: 'shared', B: 'shared' };
    const { valueOf } = await setting(files, { environment, granted: () => ['A', 'B', 'C'] });
    expect([await valueOf('A'), await valueOf('B'), await valueOf('C')]).toEqual(['own', 'shared', 'env']);
  });

  it('that is shared is only for servers it is granted to', async () => {
    const environment = { MCP_SECRET_B: 'env', PATH: '/bin' };
    const { secrets } = await setting(
      { A: 'shared' },
      { environment, granted: (server) => (server === 'x' ? ['A'] : []) },
    );
    const { refs, missing } = await secrets.refs(SERVER, [
      ...required('A', 'B', 'PATH'),
      { name: 'C', required: false },
    ]);
    expect(missing).toEqual(['A', 'B', 'PATH']);
    expect(refs.map((ref) => ref.version)).toEqual([null, null, null, null]);
    expect((await secrets.refs('x', required('A'))).missing).toEqual([]);
    expect(await secrets.values(SERVER, refs)).toEqual({});
  });

  it('can come from the environment alone', async () => {
    const { valueOf, secrets } = await setting(
      {},
      { directory: null, environment: { MCP_SECRET_A: 'e' }, granted: () => ['A'] },
    );
    expect(await valueOf('A')).toBe('e');
    expect((await secrets.refs(SERVER, required('B'))).missing).toEqual(['B']);
  });

  it('that is empty is missing', async () => {
    const { secrets } = await setting({ [`${SERVER}/A`]: '\n' });
    expect((await secrets.refs(SERVER, required('A'))).missing).toEqual(['A']);
  });

  it('may be mounted the way Kubernetes does', async () => {
    const { directory, valueOf } = await setting({
      [`${SERVER}/..v1/A`]: 'one',
      [`${SERVER}/..v2/A`]: 'two',
    });
    await symlink('..v1', join(directory, SERVER, '..data'));
    await symlink('..data/A', join(directory, SERVER, 'A'));
    expect(await valueOf('A')).toBe('one');
    await symlink('..v2', join(directory, SERVER, '..next'));
    await rename(join(directory, SERVER, '..next'), join(directory, SERVER, '..data'));
    expect(await valueOf('A')).toBe('two');
  });

  it.each(['../A', 'A/B', '..', '', 'A-B', '1A', 'A\n', '/etc/passwd'])(
    'named %j is not looked for',
    async (name) => {
      const { secrets } = await setting({}, { granted: () => [name] });
      expect((await failureOf(secrets.refs(SERVER, required(name)))).code).toBe('secret_unreadable');
    },
  );

  it.each(['..', 'a/b', 'A', '-a'])('of a server named %j is not looked for', async (server) => {
    const { secrets } = await setting({});
    expect((await failureOf(secrets.refs(server, required('A')))).code).toBe('secret_unreadable');
  });

  it.each([
    ['is no text', Uint8Array.from([0xff, 0xfe, 0x41]), 'UTF-8'],
    ['has a zero byte', 'a\0b', 'zero byte'],
    ['is too long for a variable', 'x'.repeat(140_000), 'longer'],
  ])('that %s is refused with advice', async (_what, content, says) => {
    const { secrets } = await setting({ [`${SERVER}/A`]: content });
    const failure = await failureOf(secrets.refs(SERVER, required('A')));
    expect(failure.message).toContain(says);
    expect(failure.suggestedAction).toMatch(/\.$/);
  });

  it('that is a folder, a pipe or a loop of symlinks is refused', async () => {
    const { directory, secrets } = await setting({ [`${SERVER}/A/x`]: '' });
    await symlink('B', join(directory, SERVER, 'B'));
    execFileSync('mkfifo', [join(directory, SERVER, 'C')]);
    for (const name of ['A', 'B', 'C']) {
      expect((await failureOf(secrets.refs(SERVER, required(name)))).code).toBe('secret_unreadable');
    }
    await chmod(join(directory, SERVER, 'C'), 0o600);
  });
});

describe('the version of a secret', () => {
  it('stays while the value stays, here and everywhere, and changes with it', async () => {
    const first = await setting({ [`${SERVER}/A`]: 'one' });
    const elsewhere = await setting({ [`${SERVER}/A`]: 'one\n' });
    const versionIn = async ({ secrets }: typeof first) =>
      (await secrets.refs(SERVER, required('A'))).refs[0]?.version;
    const version = await versionIn(first);
    expect(version).toMatch(/^[0-9a-f]{16}$/);
    expect(await versionIn(first)).toBe(version);
    expect(await versionIn(elsewhere)).toBe(version);
    await writeFile(join(first.directory, SERVER, 'A'), 'two');
    expect(await versionIn(first)).not.toBe(version);
  });

  it('tells nothing of equal values: not between servers, not between names', async () => {
    const { secrets } = await setting({ 'a/A': 'same', 'a/B': 'same', 'b/A': 'same' });
    const all = [
      ...(await secrets.refs('a', required('A', 'B'))).refs,
      ...(await secrets.refs('b', required('A'))).refs,
    ];
    expect(new Set(all.map((ref) => ref.version)).size).toBe(3);
  });

  it('that was fixed is not given another value', async () => {
    const { directory, secrets } = await setting({ [`${SERVER}/A`]: 'one' });
    const { refs } = await secrets.refs(SERVER, required('A'));
    await writeFile(join(directory, SERVER, 'A'), 'two');
    const changed = await failureOf(secrets.values(SERVER, refs));
    expect(changed).toMatchObject({ code: 'secret_missing' });
    expect(changed.message).not.toMatch(/one|two/);
    await rm(join(directory, SERVER, 'A'));
    expect((await failureOf(secrets.values(SERVER, refs))).message).toContain('not there');
  });
});

describe('a text', () => {
  it('loses every value that was ever read, in every form in which it is written down', async () => {
    const value = 'p@ss "word"/+ü\\n';
    const { directory, secrets, valueOf } = await setting({
      [`${SERVER}/A`]: value,
      [`${SERVER}/OLD`]: 'formerly',
    });
    await valueOf('A');
    await valueOf('OLD');
    await rm(join(directory, SERVER, 'OLD'));
    const login = Buffer.from(`user:${value}`).toString('base64');
    const texts = [
      value,
      JSON.stringify({ key: value }),
      `?q=${encodeURIComponent(value)}`,
      encodeURIComponent(value).replaceAll('%20', '+'),
      Buffer.from(value).toString('base64'),
      Buffer.from(`xx${value}`).toString('base64url'),
      `Basic ${login}`,
      'formerly known',
    ];
    const scrubbed = texts.map((text) => secrets.scrub(text));
    for (const text of scrubbed) expect(text).toContain('***');
    expect(scrubbed.join('\n')).not.toMatch(/p@ss|word|formerly/);
    expect(scrubbed[7]).toBe('*** known');
  });

  it('loses a key of several lines line by line', async () => {
    const { secrets, valueOf } = await setting({
      [`${SERVER}/KEY`]: '-----BEGIN-----\nMIIEabcdefgh\nab\n-----END-----\n',
    });
    await valueOf('KEY');
    expect(secrets.scrub('line MIIEabcdefgh and ab')).toBe('line *** and ab');
  });

  it('keeps what is shorter than any secret, and the longest value goes first', async () => {
    const { secrets, valueOf } = await setting({
      [`${SERVER}/A`]: 'yes',
      [`${SERVER}/B`]: 'token',
      [`${SERVER}/C`]: 'token-2',
    });
    for (const name of ['A', 'B', 'C', 'B']) await valueOf(name);
    expect(secrets.scrub('yes token-2 token')).toBe('yes *** ***');
  });
});
