import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ManifestSource, Proposal } from '../../src/source/source.ts';
import { git, type Repository, serveOverHttp, serveSilence, type Served } from '../support/git-remote.ts';
import { failureOf, type Given, MANIFEST, open, repository, served, textOf, within } from './stage.ts';

const MESSAGE = 'Raise a to 1.1.0\n\nThe registry has it.\n\nTrace-Id: the-trace';
const OWN = 'mcp-orchestration/a-1.1.0';

interface Setting {
  readonly repo: Repository;
  readonly source: ManifestSource;
  readonly base: string;
  readonly given: Given;
}

/** A repository with a manifest, read once, in one of the ways there are. */
async function setting(
  where: (repo: Repository) => Promise<Partial<Given> & { manifest: string }>,
  path = MANIFEST,
): Promise<Setting> {
  const repo = await repository();
  const base = await repo.commit({ [path]: 'one\n', 'other/README.md': 'stays\n' });
  const given = { cloneDirectory: join(repo.folder, 'state', 'source'), path, ...(await where(repo)) };
  const source = await open(given);
  await source.read(null, within());
  return { repo, source, base, given };
}

async function overHttp(repo: Repository, login?: string): Promise<Served> {
  await git(repo.bare, 'config', 'http.receivepack', 'true');
  return served(serveOverHttp(repo.folder, login === undefined ? {} : { login }));
}

const kinds = {
  'a bare repository': async (repo: Repository) => ({ manifest: repo.bare }),
  'smart http': async (repo: Repository) => ({ manifest: `${(await overHttp(repo)).url}/remote.git` }),
};

const changed = (base: string, differs: Partial<Proposal> = {}): Proposal => ({
  base,
  content: Buffer.from('two\r\n\u00fc'),
  message: MESSAGE,
  branch: null,
  ...differs,
});

async function proposed(
  { source, base }: Setting,
  differs: Partial<Proposal> = {},
): Promise<{ branch: string; revision: string }> {
  if (source.propose === undefined) throw new Error('this source takes no proposals');
  return source.propose(changed(base, differs), within());
}

describe.each(Object.entries(kinds))('a change to %s', (_kind, where) => {
  it('on the followed branch is one commit on top, byte for byte, with its trace', async () => {
    const at = await setting(where);
    const { branch, revision } = await proposed(at);
    expect(branch).toBe('main');
    expect(await git(at.repo.bare, 'rev-parse', 'main', 'main~1')).toBe(`${revision}\n${at.base}`);
    const snapshot = await at.source.read(at.base, within());
    expect(textOf(snapshot)).toBe('two\r\n\u00fc');
    expect(snapshot?.commit).toMatchObject({ revision, subject: 'Raise a to 1.1.0', traceId: 'the-trace' });
    expect(await git(at.repo.bare, 'log', '-1', '--format=%an %cn', 'main')).toBe(
      'mcp-orchestration mcp-orchestration',
    );
    expect(await git(at.repo.bare, 'diff', '--name-only', 'main~1', 'main')).toBe(MANIFEST);
  });

  it('on a branch of its own leaves the followed one, and is made once', async () => {
    const at = await setting(where);
    const first = await proposed(at, { branch: OWN });
    expect(first.branch).toBe(OWN);
    expect(await git(at.repo.bare, 'rev-parse', 'main', OWN)).toBe(`${at.base}\n${first.revision}`);
    expect(await proposed(at, { branch: OWN, content: Buffer.from('else\n') })).toEqual(first);
    expect(await git(at.repo.bare, 'rev-list', '--count', OWN)).toBe('2');
  });

  it('that somebody was faster with changes nothing and says so', async () => {
    const at = await setting(where);
    const theirs = await at.repo.commit({ [MANIFEST]: 'theirs\n' });
    const failure = await failureOf(proposed(at));
    expect(failure).toMatchObject({ code: 'source_moved', class: 'world' });
    expect(failure.suggestedAction).toContain('again');
    expect(await git(at.repo.bare, 'rev-parse', 'main')).toBe(theirs);
    await at.source.read(at.base, within());
    const { revision } = await proposed({ ...at, base: theirs });
    expect(await git(at.repo.bare, 'rev-parse', 'main~1')).toBe(theirs);
    expect(await git(at.repo.bare, 'rev-parse', 'main')).toBe(revision);
  });
});

describe('a change to a repository with a work tree', () => {
  it('touches neither the work tree nor the index of whoever works there', async () => {
    const at = await setting(async ({ work }) => ({ manifest: work }));
    const before = await stat(join(at.repo.work, '.git', 'index'));
    const { revision } = await proposed(at, { branch: OWN });
    expect((await stat(join(at.repo.work, '.git', 'index'))).ino).toBe(before.ino);
    expect(await git(at.repo.work, 'status', '--porcelain')).toBe('');
    expect(await readFile(join(at.repo.work, MANIFEST), 'utf8')).toBe('one\n');
    expect(await git(at.repo.work, 'show', `${revision}:other/README.md`)).toBe('stays');
  });

  it('is refused on the branch that is checked out there', async () => {
    const at = await setting(async ({ work }) => ({ manifest: work }));
    const failure = await failureOf(proposed(at));
    expect(failure).toMatchObject({ code: 'source_denied' });
    expect(failure.message).toContain('branch main is checked out');
    expect(failure.suggestedAction).toContain('--write-back branch');
    expect(await at.repo.head()).toBe(at.base);
  });

  it('is made on another branch that is followed there', async () => {
    const at = await setting(async (repo) => {
      await repo.branch('elsewhere');
      return { manifest: repo.work, branch: 'main' };
    });
    const { revision } = await proposed(at);
    expect(await git(at.repo.work, 'rev-parse', 'main')).toBe(revision);
  });

  it('runs no hook of the repository', async () => {
    const at = await setting(async ({ bare }) => ({ manifest: `file://${bare}` }));
    const hook = join(at.repo.bare, 'hooks', 'reference-transaction');
    await mkdir(join(at.repo.bare, 'hooks'), { recursive: true });
    await writeFile(hook, '#!/bin/sh\nexit 1\n');
    await chmod(hook, 0o755);
    expect((await proposed(at)).branch).toBe('main');
  });
});

describe('a change to a manifest in a folder of the repository', () => {
  it('changes that file and keeps its mode', async () => {
    const path = 'deep/er/m.yaml';
    const at = await setting(async (repo) => {
      await git(repo.work, 'update-index', '--chmod=+x', path);
      await git(repo.work, 'commit', '--quiet', '-m', 'executable');
      await git(repo.work, 'push', '--quiet', 'origin', 'HEAD');
      return { manifest: repo.bare };
    }, path);
    const base = await git(at.repo.bare, 'rev-parse', 'main');
    await proposed({ ...at, base });
    expect(await git(at.repo.bare, 'diff', '--raw', '--abbrev=4', 'main~1', 'main')).toMatch(
      /^:100755 100755 \w+ \w+ M\tdeep\/er\/m\.yaml$/,
    );
  });
});

describe('a remote', () => {
  const LOGIN = 'bot:s3cret-token';

  it('is pushed to with the token of the file', async () => {
    const at = await setting(async (repo) => {
      const token = join(repo.folder, 'token');
      await writeFile(token, LOGIN);
      return { manifest: `${(await overHttp(repo, LOGIN)).url}/remote.git`, tokenFile: token };
    });
    const { revision } = await proposed(at);
    expect(await git(at.repo.bare, 'rev-parse', 'main')).toBe(revision);
  });

  it('that takes no pushes is denied, with advice', async () => {
    const at = await setting(async (repo) => {
      const server = await served(serveOverHttp(repo.folder));
      return { manifest: `${server.url}/remote.git` };
    });
    const failure = await failureOf(proposed(at));
    expect(failure).toMatchObject({ code: 'source_denied' });
    expect(failure.suggestedAction).toContain('--write-back');
    expect(await git(at.repo.bare, 'rev-parse', 'main')).toBe(at.base);
  });

  it('that refuses the commit is denied, and its branch stays', async () => {
    const at = await setting(async (repo) => {
      await git(repo.bare, 'config', 'receive.maxInputSize', '1');
      return { manifest: `${(await overHttp(repo)).url}/remote.git` };
    });
    expect(await failureOf(proposed(at))).toMatchObject({ code: 'source_denied' });
    expect(await git(at.repo.bare, 'rev-parse', 'main')).toBe(at.base);
  });

  it('that says nothing is given up at the deadline', async () => {
    const at = await setting(kinds['smart http']);
    const silent = await served(serveSilence());
    const source = await open({ ...at.given, manifest: `http://${silent.url}/remote.git` });
    const asked = source.propose?.(changed(at.base), within(500)) ?? Promise.resolve();
    expect(await failureOf(asked)).toMatchObject({ code: 'source_unreachable' });
  });

  it('is written to even where our clone of it is gone', async () => {
    const at = await setting(kinds['smart http']);
    await rm(at.given.cloneDirectory, { recursive: true });
    const { revision } = await proposed(at);
    expect(await git(at.repo.bare, 'rev-parse', 'main')).toBe(revision);
  });
});

it('a name that is no branch is refused before anything is made', async () => {
  const at = await setting(kinds['a bare repository']);
  expect(await failureOf(proposed(at, { branch: 'a..b' }))).toMatchObject({ code: 'source_unusable' });
});

it('a file takes no proposals', async () => {
  const repo = await repository();
  const source = await open({ manifest: join(repo.work, MANIFEST), cloneDirectory: repo.folder });
  expect(source).not.toHaveProperty('propose');
});
