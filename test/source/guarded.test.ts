import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { git, type Repository, serveOverHttp } from '../support/git-remote.ts';
import { serveOverSsh, type SshRemote } from '../support/ssh-remote.ts';
import { cert, key } from '../status/certificate.ts';
import { failureOf, type Given, MANIFEST, open, repository, served, textOf, within } from './stage.ts';

const environment = { PATH: process.env['PATH'], HOME: '/nonexistent' };

async function overSsh(
  options: { old?: boolean } = {},
): Promise<{ repo: Repository; remote: SshRemote; given: Given }> {
  const repo = await repository();
  await repo.commit({ [MANIFEST]: '1' });
  const remote = await serveOverSsh(repo.bare, options);
  onTestFinished(() => remote.close());
  const cloneDirectory = join(repo.folder, 'state', 'source');
  return { repo, remote, given: { manifest: remote.url, sshKey: remote.key, cloneDirectory, environment } };
}

const proposal = (base: string, branch: string | null = 'raised') => ({
  base,
  content: Buffer.from('2'),
  message: 'Raise',
  branch,
});

describe('a repository behind a real sshd', () => {
  it.each([[false], [true]])('is read and written to by key (of the old protocol: %s)', async (old) => {
    const { repo, given } = await overSsh({ old });
    await git(repo.bare, 'config', 'uploadpack.allowFilter', 'true');
    const source = await open(given);
    const first = await source.read(null, within());
    expect(textOf(first)).toBe('1');
    const made = await source.propose?.(proposal(first?.revision ?? ''), within());
    expect(await git(repo.bare, 'rev-parse', 'raised')).toBe(made?.revision);
  });

  it('of a host that is met for the first time is read, and its key kept; with another key it is refused', async () => {
    const { remote, given } = await overSsh();
    const source = await open(given);
    await source.read(null, within());
    expect(await readFile(join(given.cloneDirectory, 'known_hosts'), 'utf8')).toContain('ssh-ed25519');
    await remote.changeHostKey();
    const failure = await failureOf(source.read(null, within()));
    expect(failure).toMatchObject({ code: 'source_denied' });
    expect(failure.message).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
    expect(failure.suggestedAction).toContain('another ssh key than the one known for it');
  });

  it('that does not know our key says so', async () => {
    const { remote, given } = await overSsh();
    const source = await open({ ...given, sshKey: remote.strangeKey });
    const failure = await failureOf(source.read(null, within()));
    expect(failure).toMatchObject({ code: 'source_denied' });
    expect(failure.message).toContain('Permission denied (publickey');
    expect(failure.suggestedAction).toContain('--ssh-key');
  });

  it('is read with a deploy key that may only read, and says so when a version is written back', async () => {
    const { remote, given } = await overSsh();
    const source = await open({ ...given, sshKey: remote.readingKey });
    const first = await source.read(null, within());
    const failure = await failureOf(
      source.propose?.(proposal(first?.revision ?? ''), within()) ?? Promise.resolve(),
    );
    expect(failure).toMatchObject({ code: 'source_denied' });
    expect(failure.message).toContain('marked as read only');
    expect(failure.suggestedAction).toBe(
      'Give the deploy key or token write access, or start without --write-back.',
    );
  });
});

describe('a repository behind TLS', () => {
  const TOKEN = 'glpat-Zq9xK3vQwT7';

  async function overTls(refuse?: Parameters<typeof serveOverHttp>[1]): Promise<{
    repo: Repository;
    given: Given & { tokenFile: string };
    authority: string;
  }> {
    const repo = await repository();
    await repo.commit({ [MANIFEST]: '1' });
    await git(repo.bare, 'config', 'http.receivepack', 'true');
    const login = `x-access-token:${TOKEN}`;
    const { url } = await served(serveOverHttp(repo.folder, { tls: { cert, key }, login, ...refuse }));
    const [authority, tokenFile] = [join(repo.folder, 'ca.pem'), join(repo.folder, 'token')];
    await writeFile(authority, cert);
    await writeFile(tokenFile, TOKEN);
    const cloneDirectory = join(repo.folder, 'state', 'source');
    const trusting = { ...environment, SSL_CERT_FILE: authority };
    return {
      ...{ repo, authority },
      given: { manifest: `${url}/remote.git`, cloneDirectory, tokenFile, environment: trusting },
    };
  }

  it('of a private authority is read where SSL_CERT_FILE or GIT_SSL_CAINFO names it, and says so where none does', async () => {
    const { given, authority } = await overTls();
    expect(textOf(await (await open(given)).read(null, within()))).toBe('1');
    const own = { ...environment, GIT_SSL_CAINFO: authority, SSL_CERT_FILE: '/nonexistent' };
    expect(textOf(await (await open({ ...given, environment: own })).read(null, within()))).toBe('1');
    const failure = await failureOf((await open({ ...given, environment })).read(null, within()));
    expect(failure).toMatchObject({ code: 'source_unreachable' });
    expect(failure.suggestedAction).toContain('SSL_CERT_FILE or GIT_SSL_CAINFO');
  });

  it('that refuses a token says that it is wrong, has expired or was withdrawn; without one, that it wants one', async () => {
    const { given } = await overTls();
    const { tokenFile, ...without } = given;
    const none = await failureOf((await open(without)).read(null, within()));
    expect(none.suggestedAction).toContain('Give --git-token-file a token');
    await writeFile(tokenFile, 'glpat-expired-yesterday');
    const source = await open(given);
    const expired = await failureOf(source.read(null, within()));
    expect(expired).toMatchObject({ code: 'source_denied' });
    expect(expired.suggestedAction).toContain('it is wrong, has expired or was withdrawn');
    expect(expired.message).not.toContain('expired-yesterday');
    await writeFile(tokenFile, TOKEN);
    expect(textOf(await source.read(null, within()))).toBe('1');
  });

  it('with a token that may only read says so when a version is written back', async () => {
    const { given, repo } = await overTls({
      refuse: ({ url }) =>
        url?.includes('git-receive-pack') === true ? [403, 'Write access not granted.'] : null,
    });
    const source = await open(given);
    const base = (await source.read(null, within()))?.revision ?? '';
    const failure = await failureOf(source.propose?.(proposal(base), within()) ?? Promise.resolve());
    expect(failure).toMatchObject({ code: 'source_denied' });
    expect(failure.suggestedAction).toContain('with --write-back, write to it');
    expect(await git(repo.bare, 'rev-parse', 'main')).toBe(base);
  });

  it('whose hook declines a push is quoted, and its branch stays', async () => {
    const { given, repo } = await overTls();
    const hook = join(repo.bare, 'hooks', 'pre-receive');
    const words = 'GH006: Protected branch update failed for refs/heads/main.';
    await writeFile(hook, `#!/bin/sh\necho '${words}' >&2\nexit 1\n`);
    await chmod(hook, 0o755);
    const source = await open(given);
    const base = (await source.read(null, within()))?.revision ?? '';
    const failure = await failureOf(source.propose?.(proposal(base, null), within()) ?? Promise.resolve());
    expect(failure).toMatchObject({ code: 'source_denied' });
    expect(failure.message).toContain(words);
    expect(failure.message).toContain('pre-receive hook declined');
    expect(failure.suggestedAction).toContain('--write-back branch');
    expect(await git(repo.bare, 'rev-parse', 'main')).toBe(base);
  });
});
