import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serveOverHttp, serveSilence, type Served } from '../support/git-remote.ts';
import { processesWith } from '../support/processes.ts';
import { failureOf, MANIFEST, open, repository, served, textOf, within } from './stage.ts';

const TOKEN = 'ghp_averysecrettoken0123456789';

async function guarded(login: string) {
  const repo = await repository();
  await repo.commit({ [MANIFEST]: '1' });
  const server = await served(serveOverHttp(repo.folder, { login }));
  const tokenFile = join(repo.folder, 'token');
  const cloneDirectory = join(repo.folder, 'state', 'source');
  return { repo, server, tokenFile, given: { manifest: `${server.url}/remote.git`, cloneDirectory } };
}

/** Everything a failure would show in a log or a status. */
const shown = (failure: Error): string =>
  `${failure.message} ${String(failure.stack)} ${JSON.stringify(failure)} ${String(failure.cause)}`;

describe('a token', () => {
  it('opens a guarded remote', async () => {
    const { tokenFile, given } = await guarded(`x-access-token:${TOKEN}`);
    await writeFile(tokenFile, `${TOKEN}\n`);
    expect(textOf(await (await open({ ...given, tokenFile })).read(null, within()))).toBe('1');
  });

  it('may be a user and a password, in the file or in the address', async () => {
    const { server, tokenFile, given } = await guarded('me:pass');
    await writeFile(tokenFile, 'me:pass');
    expect(textOf(await (await open({ ...given, tokenFile })).read(null, within()))).toBe('1');
    const manifest = `http://me:pass@127.0.0.1:${String(server.port)}/remote.git`;
    const source = await open({ ...given, manifest });
    expect(textOf(await source.read(null, within()))).toBe('1');
    expect(source.address).not.toContain('pass');
  });

  it('that was rotated is taken up at the next look', async () => {
    const { tokenFile, given } = await guarded(`x-access-token:${TOKEN}`);
    await writeFile(tokenFile, 'an-old-token');
    const source = await open({ ...given, tokenFile });
    expect((await failureOf(source.read(null, within()))).code).toBe('source_denied');
    await writeFile(tokenFile, TOKEN);
    expect(textOf(await source.read(null, within()))).toBe('1');
  });

  it('that is missing or wrong is denied with advice, and shown nowhere', async () => {
    const { tokenFile, given } = await guarded('x-access-token:another');
    const without = await failureOf((await open(given)).read(null, within()));
    expect(without).toMatchObject({ code: 'source_denied' });
    expect(without.suggestedAction).toContain('--git-token-file');
    await writeFile(tokenFile, TOKEN);
    const wrong = await failureOf((await open({ ...given, tokenFile })).read(null, within()));
    expect(wrong.code).toBe('source_denied');
    expect(shown(wrong)).not.toContain(TOKEN);
    expect(shown(wrong)).not.toContain(Buffer.from(`x-access-token:${TOKEN}`).toString('base64'));
  });

  it.each([
    ['is not there', null],
    ['is empty', ''],
    ['holds two lines', 'one\ntwo'],
  ])('whose file %s is denied without a call', async (_how, content) => {
    const { server, tokenFile, given } = await guarded('x:y');
    if (content !== null) await writeFile(tokenFile, content);
    const failure = await failureOf((await open({ ...given, tokenFile })).read(null, within()));
    expect(failure.message).toContain('--git-token-file');
    expect(failure.code).toBe('source_denied');
    expect(server.seen).toEqual([]);
  });

  it('is never sent in the clear over a network', async () => {
    const { tokenFile, given } = await guarded('x:y');
    await writeFile(tokenFile, TOKEN);
    const source = await open({ ...given, manifest: 'http://git.example.org/r.git', tokenFile });
    const failure = await failureOf(source.read(null, within()));
    expect(failure).toMatchObject({ code: 'source_denied', suggestedAction: 'Use https in --manifest.' });
  });

  it('is in no list of processes while git uses it', async () => {
    const silent = await served(serveSilence());
    const folder = (await repository()).folder;
    const manifest = `http://me:${TOKEN}@${silent.url}/r.git`;
    const stop = new AbortController();
    const read = failureOf((await open({ manifest, cloneDirectory: folder })).read(null, stop.signal));
    await expect.poll(() => processesWith(`http://${silent.url}/r.git`)).not.toEqual([]);
    const encoded = Buffer.from(`me:${TOKEN}`).toString('base64');
    expect([await processesWith(TOKEN), await processesWith(encoded)]).toEqual([[], []]);
    stop.abort();
    await read;
  });

  it('does not follow to where the server points', async () => {
    const { tokenFile, given, server } = await guarded(`x-access-token:${TOKEN}`);
    await writeFile(tokenFile, TOKEN);
    const other: Served = await served(serveOverHttp('/nonexistent', {}));
    const pointing = await served(serveOverHttp('/nonexistent', { redirectTo: other.url }));
    const source = await open({ ...given, manifest: `${pointing.url}/remote.git`, tokenFile });
    const failure = await failureOf(source.read(null, within()));
    expect(failure.code).toBe('source_unreachable');
    expect(failure.suggestedAction).toContain('another address');
    expect(other.seen).toEqual([]);
    expect(server.seen).toEqual([]);
  });
});

describe('ssh', () => {
  /** In place of ssh: writes down how it was called, then does what it was asked here. */
  async function withSsh(script: string) {
    const repo = await repository();
    await repo.commit({ [MANIFEST]: '1' });
    const folder = join(repo.folder, 'bin');
    await mkdir(folder);
    const called = join(folder, 'called');
    await writeFile(
      join(folder, 'ssh'),
      `#!/bin/sh\nfor a; do echo "$a" >> '${called}'; last=$a; done\n${script}\n`,
    );
    await chmod(join(folder, 'ssh'), 0o755);
    const environment = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, HOME: '/home/me' };
    const given = { environment, cloneDirectory: join(repo.folder, 'the state', 'source') };
    return { repo, given, called: async () => (await readFile(called, 'utf8')).split('\n') };
  }

  it('never asks anybody, uses the given key alone, and keeps the keys of hosts it meets', async () => {
    const { repo, given, called } = await withSsh('exec sh -c "$last"');
    const sshKey = join(repo.folder, "it's a key");
    const source = await open({ ...given, manifest: `git@example.org:${repo.bare.slice(1)}`, sshKey });
    // The fake ssh runs the command here, where the path is relative to nothing.
    expect((await failureOf(source.read(null, within()))).code).toBe('source_missing');
    const absolute = await open({ ...given, manifest: `ssh://git@example.org${repo.bare}`, sshKey });
    expect(textOf(await absolute.read(null, within()))).toBe('1');
    const args = await called();
    expect(args).toEqual(
      expect.arrayContaining(['BatchMode=yes', 'IdentitiesOnly=yes', sshKey, 'git@example.org']),
    );
    expect(args).toContain('StrictHostKeyChecking=accept-new');
    expect(args).toContain(
      `UserKnownHostsFile="${given.cloneDirectory}/known_hosts" "/home/me/.ssh/known_hosts"`,
    );
  });

  it.each([
    ['Permission denied (publickey).', 'source_denied', '--ssh-key'],
    ['Host key verification failed.', 'source_denied', 'known_hosts'],
    ['ssh: connect to host example.org port 22: Connection refused', 'source_unreachable', 'network'],
  ])('that says %s is %s', async (says, code, advice) => {
    const { given } = await withSsh(`echo '${says}' >&2; exit 255`);
    const { HOME: _home, ...environment } = given.environment;
    const source = await open({ ...given, environment, manifest: 'git@example.org:o/r.git' });
    const failure = await failureOf(source.read(null, within()));
    expect(failure.code).toBe(code);
    expect(failure.suggestedAction).toContain(advice);
  });
});
