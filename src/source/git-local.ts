import { readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Failure } from '../model/failure.ts';
import { settingsForReading } from './credentials.ts';
import { type Git, gitIn } from './git-command.ts';
import { branchMissing, branchUnknown } from './git-remote.ts';
import type { Origin } from './origin.ts';
import { watchTree } from './watch.ts';

interface LocalOptions {
  readonly folder: string;
  readonly branch: string | null;
  /** Any name git knows a commit by (`origin/main`, a tag, a hash) instead of a branch; a checked ref name. */
  readonly at?: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** True for a work tree (`.git` is a folder, or a file that names one) and for a bare repository. */
export async function isRepository(folder: string): Promise<boolean> {
  if (await exists(join(folder, '.git'))) return true;
  const parts = await Promise.all(['HEAD', 'objects', 'refs'].map((part) => exists(join(folder, part))));
  return parts.every((part) => part);
}

/** Not there at the moment, and named as only a repository is: taken for a folder, it would be one for as long as we live. */
export async function isRepositoryAway(place: string): Promise<boolean> {
  return place.endsWith('.git') && !(await exists(place));
}

/** A repository on this machine is used where it lies, commits only: never its work tree, never its index. */
export function localOrigin(options: LocalOptions): Origin {
  const folder = resolve(options.folder);
  const git = gitIn(folder, settingsForReading(options));
  const wanted = options.at ?? (options.branch === null ? 'HEAD' : `refs/heads/${options.branch}`);
  return {
    git,
    async tip(signal) {
      const revision = await commitAt(git, wanted, signal);
      if (revision === null) throw branchMissing(options.at ?? options.branch);
      return revision;
    },
    fetch: async (tip) => tip,
    obtain: async () => false,
    reach: async () => undefined,
    repair: async () => false,
    gitWith: (index) => gitIn(folder, { ...settingsForReading(options), index }),
    followed: (signal) => followedHere(git, options.branch, signal),
    tipOf: (ref, signal) => commitAt(git, ref, signal),
    async move(ref, { from, to }, signal) {
      await refuseCheckedOut(git, ref, signal);
      // Zeros: only where there is no such branch.
      await git.text(['update-ref', ref, to, from ?? '0'.repeat(to.length)], signal);
    },
    async watch(hint, signal) {
      const trees = (await gitFolders(folder)).map((top) => ({ top, matters: isRef(top), swapped: top }));
      await Promise.all(trees.map((tree) => watchTree(tree, { ...options, hint, signal })));
    },
  };
}

async function commitAt(git: Git, name: string, signal: AbortSignal): Promise<string | null> {
  const found = (await git.text(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], signal)).trim();
  return found === '' ? null : found;
}

async function followedHere(git: Git, branch: string | null, signal: AbortSignal): Promise<string> {
  if (branch !== null) return `refs/heads/${branch}`;
  const ref = (await git.text(['symbolic-ref', '--quiet', 'HEAD'], signal)).trim();
  if (!ref.startsWith('refs/heads/')) throw branchUnknown();
  return ref;
}

/** A branch that moves under a work tree makes it look as if somebody had undone the commit. */
async function refuseCheckedOut(git: Git, ref: string, signal: AbortSignal): Promise<void> {
  const trees = await git.text(['worktree', 'list', '--porcelain'], signal);
  if (!trees.split('\n').includes(`branch ${ref}`)) return;
  const branch = ref.replace('refs/heads/', '');
  throw new Failure('source_denied', `branch ${branch} is checked out in a work tree on this machine`, {
    suggestedAction:
      'Follow a bare repository, or a branch that nobody has checked out; or use --write-back branch.',
  });
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
