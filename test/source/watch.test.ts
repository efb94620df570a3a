import { spawn } from 'node:child_process';
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ManifestSource } from '../../src/source/source.ts';
import { git } from '../support/git-remote.ts';
import { MANIFEST, open, repository, temporaryFolder, textOf, within } from './stage.ts';

/** Counts hints, and tells when there was one since it was last asked. */
async function watching(
  source: ManifestSource,
): Promise<{ hinted(): Promise<void>; quiet(): Promise<void> }> {
  const stop = new AbortController();
  let hints = 0;
  const watched = source.watch(() => (hints += 1), stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watched;
  });
  // The first comes when it watches; on a busy machine that takes a while.
  await expect.poll(() => hints).toBeGreaterThan(0);
  await pause(400);
  hints = 0;
  return {
    async hinted() {
      await expect.poll(() => hints).toBeGreaterThan(0);
      await pause(250);
      hints = 0;
    },
    async quiet() {
      await pause(600);
      expect(hints).toBe(0);
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a watched file', () => {
  it('that is written, or replaced by a rename, again and again, gives a hint each time', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, MANIFEST);
    await writeFile(file, '0');
    const watch = await watching(await open({ manifest: file, cloneDirectory: folder }));
    await writeFile(file, '1');
    await watch.hinted();
    for (const content of ['2', '3']) {
      await writeFile(`${file}.new`, content);
      await rename(`${file}.new`, file);
      await watch.hinted();
    }
  });

  it('that is deleted and comes back gives a hint', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, MANIFEST), '0');
    const watch = await watching(await open({ manifest: folder, cloneDirectory: folder }));
    await unlink(join(folder, MANIFEST));
    await watch.hinted();
    await writeFile(join(folder, MANIFEST), '1');
    await watch.hinted();
  });

  it('whose folder is deleted and comes back gives a hint, twice over', async () => {
    const top = await temporaryFolder();
    const folder = join(top, 'etc');
    await mkdir(folder);
    await writeFile(join(folder, MANIFEST), '0');
    const watch = await watching(await open({ manifest: folder, cloneDirectory: top }));
    for (const content of ['1', '2']) {
      await rm(folder, { recursive: true });
      await watch.hinted();
      await mkdir(folder);
      await writeFile(join(folder, MANIFEST), content);
      await watch.hinted();
    }
    await writeFile(join(folder, MANIFEST), '3');
    await watch.hinted();
  });

  it('whose folder above is deleted and comes back gives a hint', async () => {
    const top = await temporaryFolder();
    const folder = join(top, 'a', 'b');
    await mkdir(folder, { recursive: true });
    const file = join(folder, MANIFEST);
    await writeFile(file, '0');
    const watch = await watching(await open({ manifest: file, cloneDirectory: top }));
    await rm(join(top, 'a'), { recursive: true });
    await watch.hinted();
    await mkdir(folder, { recursive: true });
    await writeFile(file, '1');
    await watch.hinted();
    await writeFile(file, '2');
    await watch.hinted();
  });

  it('that was missing with two folders at the start gives a hint when it comes', async () => {
    const top = await temporaryFolder();
    const file = join(top, 'late', 'x', 'm.yaml');
    const source = await open({ manifest: file, cloneDirectory: top });
    const watch = await watching(source);
    await mkdir(join(top, 'late', 'x'), { recursive: true });
    await writeFile(file, '1');
    await watch.hinted();
    await writeFile(file, '2');
    await watch.hinted();
    expect(textOf(await source.read(null, within()))).toBe('2');
  });

  it('that is a mounted ConfigMap gives a hint when it is swapped', async () => {
    const folder = await temporaryFolder();
    const version = async (name: string, content: string): Promise<void> => {
      await mkdir(join(folder, `..${name}`));
      await writeFile(join(folder, `..${name}`, MANIFEST), content);
      await symlink(`..${name}`, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await version('one', '1');
    await symlink(join('..data', MANIFEST), join(folder, MANIFEST));
    const source = await open({ manifest: folder, cloneDirectory: folder });
    const watch = await watching(source);
    await version('two', '2');
    await watch.hinted();
    expect(textOf(await source.read(null, within()))).toBe('2');
    await version('three', '3');
    await watch.hinted();
  });

  it('in a folder that is a symlink gives a hint when that is swapped', async () => {
    const top = await temporaryFolder();
    for (const name of ['v1', 'v2']) {
      await mkdir(join(top, name));
      await writeFile(join(top, name, MANIFEST), name);
    }
    const current = join(top, 'current');
    await symlink('v1', current);
    const source = await open({ manifest: current, cloneDirectory: top });
    const watch = await watching(source);
    await symlink('v2', join(top, 'next'));
    await rename(join(top, 'next'), current);
    await watch.hinted();
    expect(textOf(await source.read(null, within()))).toBe('v2');
  });

  it('is not disturbed by its neighbours', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, MANIFEST), '0');
    await mkdir(join(folder, 'deep'));
    const watch = await watching(await open({ manifest: folder, cloneDirectory: folder }));
    await writeFile(join(folder, 'notes.txt'), '1');
    await writeFile(join(folder, 'deep', MANIFEST), '1');
    await watch.quiet();
  });
});

describe('a watched local repository', () => {
  it('gives a hint when a branch moves, and none when only the work tree does', async () => {
    const repo = await repository();
    await repo.commit({ [MANIFEST]: '0' });
    const watch = await watching(await open({ manifest: repo.work, cloneDirectory: repo.folder }));
    await writeFile(join(repo.work, MANIFEST), 'draft');
    await git(repo.work, 'add', '.');
    await watch.quiet();
    await repo.commit({ [MANIFEST]: '1' }, { push: false });
    await watch.hinted();
  });

  it('gives a hint for a push into it, for packed refs and for another HEAD', async () => {
    const repo = await repository();
    await repo.commit({ [MANIFEST]: '0' });
    const watch = await watching(await open({ manifest: repo.bare, cloneDirectory: repo.folder }));
    await repo.commit({ [MANIFEST]: '1' });
    await watch.hinted();
    await git(repo.bare, 'pack-refs', '--all');
    await watch.hinted();
    await repo.commit({ [MANIFEST]: '2' });
    await watch.hinted();
    await git(repo.bare, 'symbolic-ref', 'HEAD', 'refs/heads/other');
    await watch.hinted();
  });

  it('gives a hint where it is one of several work trees', async () => {
    const repo = await repository();
    await repo.commit({ [MANIFEST]: '0' });
    const tree = join(repo.folder, 'tree');
    await git(repo.work, 'worktree', 'add', '--quiet', '-b', 'other', tree);
    const source = await open({ manifest: tree, cloneDirectory: repo.folder });
    const watch = await watching(source);
    await writeFile(join(tree, MANIFEST), 'other');
    await git(tree, 'commit', '--quiet', '-a', '-m', 'x');
    await watch.hinted();
    expect(textOf(await source.read(null, within()))).toBe('other');
  });
});

it('where the system cannot tell of changes, they are looked for', async () => {
  process.env['CHOKIDAR_USEPOLLING'] = '1';
  onTestFinished(() => void delete process.env['CHOKIDAR_USEPOLLING']);
  const folder = await temporaryFolder();
  await writeFile(join(folder, MANIFEST), '0');
  const watch = await watching(await open({ manifest: folder, cloneDirectory: folder }));
  await pause(1100);
  await writeFile(join(folder, MANIFEST), 'longer');
  await watch.hinted();
});

it.skipIf(process.platform !== 'linux').each([['instances'], ['watches']])(
  'where the system has no inotify %s left, changes are looked for, and it says so',
  async (kind) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, MANIFEST), '0');
    // In a namespace of its own: nobody else on this machine goes without.
    const script = `echo 0 > /proc/sys/user/max_inotify_${kind} && exec "$0" --import tsx -e "$1"`;
    const child = spawn('unshare', ['-Ur', 'sh', '-c', script, process.execPath, watchingIn(folder)]);
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines: string[] = [];
    for (const output of [child.stdout, child.stderr])
      output.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n')));
    await expect.poll(() => lines.join('\n')).toContain('the system has no watches left');
    await expect.poll(() => lines.at(-2)).toBe('hint');
    const before = lines.length;
    await expect
      .poll(async () => (await writeFile(join(folder, MANIFEST), String(before)), lines.length))
      .toBeGreaterThan(before);
    expect(lines.filter((line) => line.includes('no watches left'))).toHaveLength(1);
  },
);

const watchingIn = (folder: string): string => `
  import { openSource } from ${JSON.stringify(join(import.meta.dirname, '../../src/source/index.ts'))};
  import { systemClock as clock } from ${JSON.stringify(join(import.meta.dirname, '../../src/lib/clock.ts'))};
  const log = { warn: (_fields, message) => console.log(message) };
  const options = { branch: null, path: ${JSON.stringify(MANIFEST)}, tokenFile: null, sshKey: null, clock, log };
  const places = { manifest: ${JSON.stringify(folder)}, cloneDirectory: '/nonexistent', environment: process.env };
  const source = await openSource({ ...options, ...places });
  await source.watch(() => console.log('hint'), new AbortController().signal);
`;
