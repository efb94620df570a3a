import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { well, wrong, type Finding } from './finding.ts';

const LEAST_FREE_BYTES = 100 * 1024 * 1024;

/** Whether it can be written to, and what room there is; nothing is written. */
export async function stateFinding(path: string): Promise<Finding> {
  const folder = resolve(path);
  const there = await nearest(folder);
  const made = there === folder ? '' : ' (it is made at the first start)';
  if (!(await stat(there)).isDirectory())
    return wrong('state', `${there} is no folder`, 'name another folder with --state');
  const denied = await access(there, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => null,
    (error: NodeJS.ErrnoException) => error.code ?? 'denied',
  );
  if (denied !== null)
    return wrong('state', `${folder}: ${there} cannot be written to (${denied})`, 'let our user write there');
  const { bavail, bsize, files, ffree } = await statfs(there);
  const free = bavail * bsize;
  const says = `${folder}${made}: ${megabytes(free)} MB free`;
  if (free < LEAST_FREE_BYTES) return wrong('state', says, 'free space there: 100 MB is the least');
  if (files > 0 && ffree === 0) return wrong('state', `${says}, and no inode`, 'delete files there');
  return well('state', says);
}

const megabytes = (bytes: number): number => Math.floor(bytes / 1024 / 1024);

/** The folder itself, or the first above it that is there. */
async function nearest(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  return isThere || dirname(folder) === folder ? folder : nearest(dirname(folder));
}
