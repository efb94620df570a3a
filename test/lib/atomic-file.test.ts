import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeAtomically } from '../../src/lib/atomic-file.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'atomic-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it('replaces a file whole, for its owner alone', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'a');
  await writeFile(file, 'something longer');
  await chmod(file, 0o644);
  await writeAtomically(file, 'new');
  expect(await readFile(file, 'utf8')).toBe('new');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['a']);
});

it('leaves what was there, and no draft, when it cannot', async () => {
  const folder = await temporaryFolder();
  const target = join(folder, 'a');
  await mkdir(join(target, 'not-empty'), { recursive: true });
  await expect(writeAtomically(target, 'x')).rejects.toThrow();
  expect(await readdir(folder)).toEqual(['a']);
  await expect(writeAtomically(join(folder, 'nowhere', 'a'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
});

it('many writers at once leave one whole content', async () => {
  const file = join(await temporaryFolder(), 'a');
  const contents = Array.from({ length: 20 }, (_, n) => String(n).repeat(1000));
  await Promise.all(contents.map((content) => writeAtomically(file, content)));
  expect(contents).toContain(await readFile(file, 'utf8'));
});
