import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  git,
  makeRepository,
  type Repository,
  serveOverGit,
  serveOverHttp,
  serveSilence,
  type Served,
} from '../support/git-remote.ts';
import { failureOf, MANIFEST, open, repository, served, temporaryFolder, textOf, within } from './stage.ts';

interface Setting {
  readonly repo: Repository;
  readonly server: Served;
  readonly manifest: string;
  readonly cloneDirectory: string;
  readonly clone: string;
}

async function setting(): Promise<Setting> {
  const repo = await repository();
  const server = await served(serveOverHttp(repo.folder));
  const cloneDirectory = join(repo.folder, 'state', 'source');
  const manifest = `${server.url}/remote.git`;
  return { repo, server, manifest, cloneDirectory, clone: join(cloneDirectory, 'repository.git') };
}

describe('a remote', () => {
  it('is only asked, not fetched, while it did not move', async () => {
    const given = await setting();
    const revision = await given.repo.commit({ [MANIFEST]: '1' });
    const source = await open(given);
    await source.read(null, within());
    const before = given.server.seen.length;
    expect(await source.read(revision, within())).toBeNull();
    expect(given.server.seen.length - before).toBeLessThanOrEqual(2);
  });

  it('of a branch is followed there', async () => {
    const given = await setting();
    await given.repo.commit({ [MANIFEST]: 'main' });
    await given.repo.branch('next');
    await given.repo.commit({ [MANIFEST]: 'next' });
    expect(textOf(await (await open(given)).read(null, within()))).toBe('main');
    const next = await open({ ...given, branch: 'next' });
    expect(textOf(await next.read(null, within()))).toBe('next');
    expect(next.branch).toBe('next');
  });

  it('without that branch, or without any commit, is missing something and says what to do', async () => {
    const given = await setting();
    const empty = await failureOf((await open(given)).read(null, within()));
    expect(empty).toMatchObject({
      code: 'source_missing',
      suggestedAction: expect.stringContaining('Push') as string,
    });
    await given.repo.commit({ [MANIFEST]: '1' });
    const failure = await failureOf((await open({ ...given, branch: 'nope' })).read(null, within()));
    expect(failure.message).toContain('"nope"');
    expect(failure.code).toBe('source_missing');
  });

  it('that goes away is unreachable, and is read again when it is back', async () => {
    const given = await setting();
    await given.repo.commit({ [MANIFEST]: '1' });
    const source = await open(given);
    const first = await source.read(null, within());
    await given.server.close();
    const failure = await failureOf(source.read(first?.revision ?? null, within()));
    expect(failure).toMatchObject({ code: 'source_unreachable', class: 'world' });
    await given.repo.commit({ [MANIFEST]: '2' });
    await served(serveOverHttp(given.repo.folder, { port: given.server.port }));
    expect(textOf(await source.read(first?.revision ?? null, within()))).toBe('2');
  });

  it('that is not a repository is missing', async () => {
    const given = await setting();
    const failure = await failureOf(
      (await open({ ...given, manifest: `${given.server.url}/no.git` })).read(null, within()),
    );
    expect(failure).toMatchObject({ code: 'source_missing' });
    expect(failure.suggestedAction).toContain('--git-token-file');
  });

  it('with a name that nobody knows is unreachable', async () => {
    const given = await setting();
    const source = await open({ ...given, manifest: 'https://nowhere.invalid/r.git' });
    expect((await failureOf(source.read(null, within()))).code).toBe('source_unreachable');
  });

  it('that gives no hints ends its watching with the signal', async () => {
    const source = await open(await setting());
    await source.watch(() => undefined, AbortSignal.abort());
  });

  it('that is missing its git program says so', async () => {
    const given = await setting();
    const source = await open({ ...given, environment: { PATH: given.repo.folder } });
    const failure = await failureOf(source.read(null, within()));
    expect(failure).toMatchObject({ code: 'source_unusable' });
    expect(failure.suggestedAction).toContain('Install git');
  });
});

describe('the address of a source', () => {
  it('names the manifest inside it, and is the same however a place on this machine is written', async () => {
    const given = await setting();
    expect((await open(given)).address).toBe(`${given.manifest}#${MANIFEST}`);
    const ways = [given.repo.bare, `file://${given.repo.bare}`, `${given.repo.work}/../remote.git/`];
    const sources = await Promise.all(ways.map((manifest) => open({ ...given, manifest })));
    expect(new Set(sources.map(({ address }) => address))).toEqual(
      new Set([`${given.repo.bare}#${MANIFEST}`]),
    );
    const folder = await open({ ...given, manifest: given.repo.folder, path: 'x/m.yaml' });
    expect(folder.address).toBe(join(given.repo.folder, 'x/m.yaml'));
  });
});

describe('the manifest at another commit', () => {
  it('is read by any name a local repository knows it by', async () => {
    const { repo } = await setting();
    const first = await repo.commit({ [MANIFEST]: '1' });
    await git(repo.work, 'tag', 'v1');
    await git(repo.work, 'update-ref', 'refs/remotes/origin/main', first);
    await repo.commit({ [MANIFEST]: '2' }, { push: false });
    const base = { manifest: repo.work, cloneDirectory: repo.folder };
    for (const at of ['v1', 'origin/main', first, first.slice(0, 8)]) {
      expect(textOf(await (await open({ ...base, at })).read(null, within()))).toBe('1');
    }
    const failure = await failureOf((await open({ ...base, at: 'nope' })).read(null, within()));
    expect(failure).toMatchObject({ code: 'source_missing' });
  });
});

describe('a remote that takes the call and never answers', () => {
  it.each(['http', 'git'])('(%s) is given up at the deadline, and no git stays behind', async (protocol) => {
    const hole = await served(serveSilence());
    const url = `${protocol}://${hole.url}/r.git`;
    const source = await open({ manifest: url, cloneDirectory: await temporaryFolder() });
    const began = performance.now();
    const failure = await failureOf(source.read(null, within(1000)));
    expect(performance.now() - began).toBeLessThan(2000);
    expect(failure.code).toBe('source_unreachable');
    await expect
      .poll(() => processesNaming(url), {
        timeout: process.platform === 'linux' ? 1000 : 15_000,
        interval: 100,
      })
      .toEqual([]);
  });
});

function processesNaming(word: string): string[] {
  const all = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(word) && line.includes('git'));
}

describe('the manifest in a commit', () => {
  it('may have spaces in its path', async () => {
    const given = await setting();
    await given.repo.commit({ 'a folder/the manifest*.yaml': 'x', 'a folder/the manifest1.yaml': 'y' });
    const source = await open({ ...given, path: 'a folder/the manifest*.yaml' });
    const snapshot = await source.read(null, within());
    expect(textOf(snapshot)).toBe('x');
    expect(snapshot?.file).toBe('a folder/the manifest*.yaml');
  });

  it('is not followed through a symlink, nor taken for a folder or a submodule', async () => {
    const given = await setting();
    await symlink('/etc/hostname', join(given.repo.work, MANIFEST));
    await mkdir(join(given.repo.work, 'folder'));
    const first = await given.repo.commit({ 'folder/x.yaml': '1' });
    await git(given.repo.work, 'update-index', '--add', '--cacheinfo', `160000,${first},module`);
    await git(given.repo.work, 'commit', '--quiet', '-m', 'Add a submodule');
    await git(given.repo.work, 'push', '--quiet', 'origin', 'HEAD');
    const said = async (path: string) =>
      (await failureOf((await open({ ...given, path })).read(null, within()))).message;
    expect(await said(MANIFEST)).toContain('a symlink');
    expect(await said('folder')).toContain('a folder');
    expect(await said('module')).toContain('a submodule');
    expect(await said('module/x.yaml')).toContain('has no');
  });

  it('is what was committed, whatever lies in the work tree', async () => {
    const given = await setting();
    await given.repo.commit({ [MANIFEST]: 'committed\r\n', '.gitattributes': '* text eol=crlf\n' });
    await writeFile(join(given.repo.work, MANIFEST), 'half-writ');
    const source = await open({ ...given, manifest: given.repo.work });
    expect(textOf(await source.read(null, within()))).toBe('committed\n');
  });

  it('of a repository with sha256 names is read, here and from a remote, and written back to', async () => {
    const folder = await temporaryFolder();
    const bare = join(folder, 'remote.git');
    await git(folder, 'init', '--quiet', '--bare', '--object-format=sha256', '--initial-branch=main', bare);
    await git(bare, 'config', 'http.receivepack', 'true');
    await git(folder, 'init', '--quiet', '--object-format=sha256', 'work');
    const commit = async (content: string): Promise<string> => {
      await writeFile(join(folder, 'work', MANIFEST), content);
      await git(join(folder, 'work'), 'add', '.');
      await git(join(folder, 'work'), 'commit', '--quiet', '-m', content);
      await git(join(folder, 'work'), 'push', '--quiet', bare, 'HEAD:main');
      return git(bare, 'rev-parse', 'main');
    };
    const first = await commit('1');
    const urls = [served(serveOverHttp(folder)), served(serveOverGit(folder))];
    const remotes = (await Promise.all(urls)).map(({ url }) => `${url}/remote.git`);
    const sources = await Promise.all(
      [bare, ...remotes].map((manifest, at) => open({ manifest, cloneDirectory: join(folder, String(at)) })),
    );
    for (const source of sources) expect((await source.read(null, within()))?.revision).toBe(first);
    const second = await commit('2');
    expect(second).toMatch(/^[0-9a-f]{64}$/);
    for (const source of sources) {
      expect(textOf(await source.read(first, within()))).toBe('2');
      expect(await source.descends?.(first, second, within())).toBe(true);
    }
    const proposal = { base: second, content: Buffer.from('3'), message: 'Raise', branch: 'raised' };
    const raised = await sources[1]?.propose?.(proposal, within());
    expect(await git(bare, 'rev-parse', 'raised', 'raised~1')).toBe(`${raised?.revision ?? ''}\n${second}`);
  });

  it.each([
    ['a time zone of three digits', oldCommitWithOddZone],
    ['a file mode with a zero in front', oldCommitWithOddMode],
  ])('is read after an old commit that git fsck complains of: %s', async (_what, makeOld) => {
    const given = await setting();
    await given.repo.commit({ [MANIFEST]: 'today' });
    const tree = await git(given.repo.bare, 'rev-parse', 'main^{tree}');
    const old = await makeOld(given.repo.bare, tree);
    const today = await git(given.repo.bare, 'commit-tree', tree, '-p', old, '-m', 'Today');
    await git(given.repo.bare, 'update-ref', 'refs/heads/main', today);
    await expect(git(given.repo.bare, 'fsck', '--strict')).rejects.toThrow();
    const source = await open(given);
    expect(textOf(await source.read(null, within()))).toBe('today');
    expect(await source.descends?.(old, today, within())).toBe(true);
  });
});

const oldCommitWithOddZone = (folder: string, tree: string): Promise<string> =>
  hashed(
    folder,
    'commit',
    `tree ${tree}\nauthor A <a@b> 1287367363 -700\ncommitter A <a@b> 1287367363 -700\n\nFirst\n`,
  );

async function oldCommitWithOddMode(folder: string, tree: string): Promise<string> {
  const blob = Buffer.from(await git(folder, 'rev-parse', `${tree}:${MANIFEST}`), 'hex');
  const odd = await hashed(folder, 'tree', Buffer.concat([Buffer.from('0100644 x.yaml\0'), blob]));
  return git(folder, 'commit-tree', odd, '-m', 'First');
}

/** Objects that git itself would refuse to make. */
async function hashed(folder: string, type: string, content: string | Buffer): Promise<string> {
  const args = ['hash-object', '-t', type, '-w', '--stdin', '--literally'];
  return execFileSync('git', args, { cwd: folder, input: content, encoding: 'utf8' }).trim();
}

describe('the clone', () => {
  const damages: [string, (clone: string) => Promise<unknown>][] = [
    ['deleted', (clone) => rm(clone, { recursive: true })],
    ['emptied', async (clone) => void (await rm(clone, { recursive: true }), await mkdir(clone))],
    ['without its objects', (clone) => rm(join(clone, 'objects'), { recursive: true })],
    ['without its HEAD', (clone) => rm(join(clone, 'HEAD'))],
    ['with a torn config', (clone) => writeFile(join(clone, 'config'), '[core\nrepositoryformat')],
    ['with a torn ref', (clone) => writeFile(join(clone, 'refs/heads/fetched'), 'deadbeef')],
    ['with truncated objects', (clone) => forEachObject(clone, (file) => truncate(file, 4))],
    ['with emptied objects', (clone) => forEachObject(clone, (file) => truncate(file, 0))],
    ['with overwritten objects', (clone) => forEachObject(clone, (file) => writeFile(file, 'x'.repeat(64)))],
    ['half written', (clone) => rm(join(clone, 'cloned-from'))],
    ['of another address', (clone) => writeFile(join(clone, 'cloned-from'), 'https://elsewhere/r')],
    [
      'replaced by a file',
      async (clone) => void (await rm(clone, { recursive: true }), await writeFile(clone, 'x')),
    ],
    ['holding a stale lock', (clone) => writeFile(join(clone, 'refs/heads/fetched.lock'), '')],
  ];

  it.each(damages)('%s is made anew', async (_how, damage) => {
    const given = await setting();
    await given.repo.commit({ [MANIFEST]: '1' });
    const source = await open(given);
    await source.read(null, within());
    await damage(given.clone);
    expect(textOf(await source.read(null, within()))).toBe('1');
    const next = await given.repo.commit({ [MANIFEST]: '2' });
    expect(textOf(await source.read(null, within()))).toBe('2');
    expect(await source.descends?.(next, next, within())).toBe(true);
  });

  it('with a manifest that was changed under its name is made anew', async () => {
    const given = await setting();
    await given.repo.commit({ [MANIFEST]: 'honest' });
    const source = await open(given);
    await source.read(null, within());
    await makeLoose(given.clone);
    await writeFile(join(given.repo.work, 'forged'), 'forged');
    const honest = await git(given.repo.work, 'rev-parse', `HEAD:${MANIFEST}`);
    const forged = await git(given.clone, 'hash-object', '-w', join(given.repo.work, 'forged'));
    const fileOf = (name: string) => join(given.clone, 'objects', name.slice(0, 2), name.slice(2));
    await rename(fileOf(forged), fileOf(honest));
    expect(await git(given.clone, 'cat-file', 'blob', honest)).toBe('forged');
    expect(textOf(await source.read(null, within()))).toBe('honest');
  });

  it('that was left behind by a death in the middle of the first fetch is made anew', async () => {
    const given = await setting();
    await given.repo.commit({ [MANIFEST]: '1' });
    await mkdir(join(given.clone, 'objects/pack'), { recursive: true });
    await writeFile(join(given.clone, 'objects/pack/tmp_pack_x'), 'PACK');
    expect(textOf(await (await open(given)).read(null, within()))).toBe('1');
  });

  it('is not readable for others', async () => {
    const given = await setting();
    await given.repo.commit({ [MANIFEST]: '1' });
    await (await open(given)).read(null, within());
    expect((await stat(given.cloneDirectory)).mode & 0o077).toBe(0);
  });

  it('that cannot be written is a failure with advice', async () => {
    const given = await setting();
    await given.repo.commit({ [MANIFEST]: '1' });
    const blocker = join(given.repo.folder, 'blocker');
    await writeFile(blocker, '');
    const source = await open({ ...given, cloneDirectory: join(blocker, 'source') });
    const failure = await failureOf(source.read(null, within()));
    expect(failure).toMatchObject({ code: 'source_unusable' });
    expect(failure.suggestedAction).toContain('--state');
  });

  it('is not what is wrong when a local repository is damaged', async () => {
    const repo = await repository();
    await repo.commit({ [MANIFEST]: '1' });
    const source = await open({ manifest: repo.bare, cloneDirectory: repo.folder });
    await forEachObject(repo.bare, (file) => truncate(file, 3));
    expect((await failureOf(source.read(null, within()))).code).toBe('source_unusable');
  });
});

async function makeLoose(clone: string): Promise<void> {
  const folder = join(clone, 'objects', 'pack');
  for (const name of (await readdir(folder)).filter((one) => one.endsWith('.pack'))) {
    const pack = join(clone, name);
    await rename(join(folder, name), pack);
    await rm(join(folder, name.replace('.pack', '.idx')));
    execFileSync('git', ['unpack-objects', '-q'], { cwd: clone, input: await readFile(pack) });
  }
}

async function forEachObject(clone: string, act: (file: string) => Promise<unknown>): Promise<void> {
  const names = await readdir(join(clone, 'objects'), { recursive: true, withFileTypes: true });
  for (const entry of names.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    await chmod(file, 0o644);
    await act(file);
  }
}

it('two sources may clone the same remote to two folders at once', async () => {
  const repo = await makeRepository();
  await repo.commit({ [MANIFEST]: '1' });
  const server = await served(serveOverHttp(repo.folder));
  const reads = ['a', 'b'].map(async (name) => {
    const source = await open({
      manifest: `${server.url}/remote.git`,
      cloneDirectory: join(repo.folder, name),
    });
    return textOf(await source.read(null, within()));
  });
  expect(await Promise.all(reads)).toEqual(['1', '1']);
  await repo.remove();
});
