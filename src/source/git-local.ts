import { readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { settingsForReading } from './credentials.ts';
import { gitIn } from './git-command.ts';
import { branchMissing } from './git-remote.ts';
import type { Origin } from './origin.ts';
import { watchTree } from './watch.ts';

interface LocalOptions {
  readonly folder: string;
  readonly branch: string | null;
  /** Any name git knows a commit by (`origin/main`, a tag, a hash) instead of a branch; a checked ref name. */
  readonly at?: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** True for a work tree (`.git` is a folder, or a file that names one) and for a bare repository. */
export async function isRepository(folder: string): Promise<boolean> {
  if (await exists(join(folder, '.git'))) return true;
  const parts = await Promise.all(['HEAD', 'objects', 'refs'].map((part) => exists(join(folder, part))));
  return parts.every((part) => part);
}

/** A repository on this machine is read where it lies, commits only: never its work tree, never its index. */
export function localOrigin(options: LocalOptions): Origin {
  const folder = resolve(options.folder);
  const git = gitIn(folder, settingsForReading(options.environment));
  const wanted = options.at ?? (options.branch === null ? 'HEAD' : `refs/heads/${options.branch}`);
  return {
    git,
    async tip(signal) {
      const args = ['rev-parse', '--verify', '--quiet', `${wanted}^{commit}`];
      const revision = (await git.text(args, signal)).trim();
      if (revision === '') throw branchMissing(options.at ?? options.branch);
      return revision;
    },
    fetch: async (tip) => tip,
    repair: async () => false,
    async watch(hint, signal) {
      const trees = (await gitFolders(folder)).map((top) => ({ top, matters: isRef(top), swapped: top }));
      await Promise.all(trees.map((tree) => watchTree(tree, { hint, signal, clock: options.clock })));
    },
  };
}

/** Where HEAD and the refs are: two folders where this work tree is one of several. */
async function gitFolders(folder: string): Promise<readonly string[]> {
  const dotGit = join(folder, '.git');
  const pointer = await readFile(dotGit, 'utf8').catch(() => null);
  if (pointer === null) return [(await exists(dotGit)) ? dotGit : folder];
  const own = resolve(folder, pointer.replace(/^gitdir: /, '').trim());
  const common = await readFile(join(own, 'commondir'), 'utf8').catch(() => '.');
  return [...new Set([own, resolve(own, common.trim())])];
}

/** Where a moved branch shows: not among the objects, of which there are many. */
const isRef =
  (top: string) =>
  (path: string): boolean =>
    /^$|^(HEAD|packed-refs)$|^(refs|reftable)(\/|$)/.test(relative(top, path)) && !path.endsWith('.lock');

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
