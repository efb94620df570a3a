import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder this is all in, without a slash at the end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** A text file, by its path from the root of the repository. */
export const textOf = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

/** Every committed file, and every new one that no .gitignore names, by its path from the root. */
export function committedFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\0'))].filter((path) => path !== '' && isFile(path)).sort();
}

/** A deleted file is listed until its deletion is committed; a link leads to what is listed elsewhere. */
const isFile = (path: string): boolean =>
  lstatSync(`${root}/${path}`, { throwIfNoEntry: false })?.isFile() ?? false;
