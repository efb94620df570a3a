import { rename } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { ManifestSource } from '../../src/source/source.ts';
import { git, type Repository, serveOverHttp } from '../support/git-remote.ts';
import { failureOf, MANIFEST, open, repository, served, within } from './stage.ts';

interface Setting {
  readonly repo: Repository;
  readonly source: ManifestSource;
}

async function setting(): Promise<Setting> {
  const repo = await repository();
  return { repo, source: await open({ manifest: repo.bare, cloneDirectory: repo.folder }) };
}

async function clonedSetting(): Promise<Setting> {
  const repo = await repository();
  const server = await served(serveOverHttp(repo.folder));
  const cloneDirectory = `${repo.folder}/state/source`;
  return { repo, source: await open({ manifest: `${server.url}/remote.git`, cloneDirectory }) };
}

const tell = (source: ManifestSource, from: string, to: string) => source.between?.(from, to, within());

describe('the trace of a revision', () => {
  it('is the trailer of HEAD', async () => {
    const { repo, source } = await setting();
    await repo.commit({ [MANIFEST]: '1' }, { trailers: { 'Trace-Id': 'older' } });
    await repo.commit({ 'README.md': 'x' }, { trailers: { 'trace-id': 'ecosystem-w3' } });
    expect((await source.read(null, within()))?.commit?.traceId).toBe('ecosystem-w3');
  });

  it('is that of the newest commit since the known one that touches the manifest, when a merge is HEAD', async () => {
    const { repo, source } = await setting();
    const known = await repo.commit({ [MANIFEST]: '1' });
    await repo.branch('change');
    await repo.commit({ [MANIFEST]: '2' }, { trailers: { 'Trace-Id': 'the-change' }, push: false });
    await repo.commit({ 'notes.md': 'x' }, { trailers: { 'Trace-Id': 'the-notes' }, push: false });
    await repo.checkout('main');
    await repo.commit({ 'other.md': 'x' });
    const merged = await repo.merge('change');
    const snapshot = await source.read(known, within());
    expect(snapshot?.commit).toMatchObject({
      revision: merged,
      subject: 'Merge change',
      traceId: 'the-change',
    });
  });

  it('is not taken from before the known revision, nor from the middle of a message', async () => {
    const { repo, source } = await setting();
    const known = await repo.commit({ [MANIFEST]: '1' }, { trailers: { 'Trace-Id': 'old' } });
    await repo.commit({ [MANIFEST]: '2' }, { message: 'Change\n\nTrace-Id: not-a-trailer\n\nmore text' });
    expect((await source.read(known, within()))?.commit?.traceId).toBeNull();
  });

  it('is the last of several', async () => {
    const { repo, source } = await setting();
    await repo.commit({ [MANIFEST]: '1' }, { message: 'Change\n\nTrace-Id: a\nTrace-Id:   b c' });
    expect((await source.read(null, within()))?.commit?.traceId).toBe('b c');
  });
});

describe('a release of removals', () => {
  it('counts from every commit since the known one', async () => {
    const { repo, source } = await setting();
    await repo.commit({ [MANIFEST]: '0' }, { trailers: { 'Allow-Removal': 'long-ago' } });
    const known = await repo.commit({ [MANIFEST]: '1' });
    await repo.commit({ [MANIFEST]: '2' }, { message: 'x\n\nAllow-Removal: a, b\nAllow-Removal: c' });
    await repo.commit({ [MANIFEST]: '3' }, { trailers: { 'Allow-Removal': 'all' } });
    const snapshot = await source.read(known, within());
    expect(snapshot?.commit?.allowRemoval).toEqual(['all', 'a', 'b', 'c']);
  });

  it('of long ago does not count at the first read', async () => {
    const { repo, source } = await setting();
    await repo.commit({ [MANIFEST]: '0' }, { trailers: { 'Allow-Removal': 'long-ago' } });
    await repo.commit({ [MANIFEST]: '1' });
    expect((await source.read(null, within()))?.commit?.allowRemoval).toEqual([]);
  });
});

describe.each([
  ['a local repository', setting],
  ['a clone', clonedSetting],
])('the way between two revisions of %s', (_kind, begin) => {
  it('lists the commits, newest first', async () => {
    const { repo, source } = await begin();
    const first = await repo.commit({ [MANIFEST]: '1' });
    const second = await repo.commit(
      { [MANIFEST]: '2' },
      { message: 'Second', trailers: { 'Trace-Id': 't2' } },
    );
    const third = await repo.commit({ [MANIFEST]: '3' }, { message: 'Third' });
    await source.read(null, within());
    expect(await tell(source, first, third)).toEqual({
      rewind: false,
      commits: [
        { revision: third, subject: 'Third', traceId: null, allowRemoval: [] },
        { revision: second, subject: 'Second', traceId: 't2', allowRemoval: [] },
      ],
    });
    expect(await source.descends?.(first, third, within())).toBe(true);
    expect(await source.descends?.(first.slice(0, 8), third, within())).toBe(true);
    expect(await source.descends?.(third, third, within())).toBe(true);
    expect(await source.descends?.(third, first, within())).toBe(false);
  });

  it('is a rewind after a force-push, and the manifest of the new tip is read', async () => {
    const { repo, source } = await begin();
    const first = await repo.commit({ [MANIFEST]: '1' });
    const second = await repo.commit({ [MANIFEST]: '2' });
    await source.read(null, within());
    await repo.forcePush(first);
    expect((await source.read(second, within()))?.revision).toBe(first);
    expect(await tell(source, second, first)).toEqual({ rewind: true, commits: [] });
  });

  it('is a rewind when history was rewritten', async () => {
    const { repo, source } = await begin();
    const old = await repo.commit({ [MANIFEST]: '1' });
    await source.read(null, within());
    const anew = await repo.rewrite({ [MANIFEST]: '2' });
    const snapshot = await source.read(old, within());
    expect(snapshot?.revision).toBe(anew);
    const way = await tell(source, old, anew);
    expect(way).toMatchObject({ rewind: true, commits: [{ revision: anew, subject: 'Begin anew' }] });
    expect(await source.descends?.(old, anew, within())).toBe(false);
  });

  it('cannot be told from what is no commit, and to what is not there', async () => {
    const { repo, source } = await begin();
    const first = await repo.commit({ [MANIFEST]: '1' });
    await source.read(null, within());
    expect(await tell(source, 'sha256:abc', first)).toMatchObject({ rewind: true });
    expect(await tell(source, 'f'.repeat(40), first)).toMatchObject({ rewind: true });
    expect(await source.descends?.('--all', first, within())).toBe(false);
    const failure = await failureOf(Promise.resolve(tell(source, first, 'e'.repeat(40))));
    expect(failure.code).toBe('source_missing');
  });
});

it('a history of a thousand commits is told by its newest hundred', async () => {
  const { repo, source } = await setting();
  const first = await repo.commit({ [MANIFEST]: '1' });
  const lines = Array.from(
    { length: 1000 },
    (_, n) =>
      `commit refs/heads/main\ncommitter A <a@b> ${String(n)} +0000\ndata 2\n${String(n % 10)}\n${n === 0 ? `from ${first}\n` : ''}`,
  );
  await importStream(repo.bare, lines.join('\n'));
  const tip = await git(repo.bare, 'rev-parse', 'main');
  const way = await tell(source, first, tip);
  expect(way?.rewind).toBe(false);
  expect(way?.commits).toHaveLength(100);
});

async function importStream(folder: string, stream: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const child = spawn('git', ['fast-import', '--quiet', '--force'], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(stream);
  await new Promise((resolve) => child.on('close', resolve));
}

describe('a repository on this machine that is away when we begin', () => {
  it('is missing, and is a repository as soon as it is there', async () => {
    const repo = await repository();
    await repo.commit({ [MANIFEST]: '1' });
    await rename(repo.bare, `${repo.bare}.away`);
    const source = await open({ manifest: `file://${repo.bare}`, cloneDirectory: repo.folder });
    expect((await failureOf(source.read(null, within()))).code).toBe('source_missing');
    await rename(`${repo.bare}.away`, repo.bare);
    const snapshot = await source.read(null, within());
    expect(snapshot?.commit).not.toBeNull();
    expect(source.address).toBe(`${repo.bare}#${MANIFEST}`);
  });
});
