import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../lib/atomic-file.ts';
import { Failure } from '../model/failure.ts';
import { type Access, settingsFor, settingsForReading } from './credentials.ts';
import { cannotWrite } from './disk.ts';
import { type Git, gitIn } from './git-command.ts';
import type { Origin } from './origin.ts';

interface RemoteOptions {
  readonly url: string;
  readonly login: string | null;
  readonly branch: string | null;
  /** Ours alone; may be deleted at any time. */
  readonly cloneDirectory: string;
  readonly access: Access;
}

const FETCHED = 'refs/heads/fetched';

/** A repository elsewhere: asked with `ls-remote`, fetched into a bare clone only when it moved. */
export function remoteOrigin(options: RemoteOptions): Origin {
  const clone = join(options.cloneDirectory, 'repository.git');
  const git = gitIn(clone, settingsForReading(options.access.environment));
  return {
    git,
    tip: (signal) => askTip(options, signal),
    async fetch(tip, signal) {
      await prepareClone(clone, options.url, git, signal);
      if ((await fetched(git, signal)) !== tip) await fetchInto(clone, options, signal);
      return fetched(git, signal);
    },
    async repair(signal) {
      await rm(clone, { recursive: true, force: true }).catch(cannotWrite);
      await prepareClone(clone, options.url, git, signal);
      await fetchInto(clone, options, signal);
      return true;
    },
    gitWith: (index) => gitIn(clone, { ...settingsForReading(options.access.environment), index }),
    followed: (signal) => askFollowed(options, signal),
    tipOf: (ref, signal) => askRef(options, ref, signal),
    async move(ref, { to }, signal) {
      const outside = await gitOutside(clone, options);
      await outside.text(['push', '--quiet', '--', options.url, `${to}:${ref}`], signal);
    },
    // A remote gives no hints: it is asked every interval.
    watch: (_hint, signal) => new Promise((resolve) => onAbort(signal, resolve)),
  };
}

function onAbort(signal: AbortSignal, done: () => void): void {
  if (signal.aborted) done();
  else signal.addEventListener('abort', () => done(), { once: true });
}

async function askTip(options: RemoteOptions, signal: AbortSignal): Promise<string> {
  const revision = await askRef(options, wantedRef(options), signal);
  if (revision === null) throw branchMissing(options.branch);
  return revision;
}

async function askRef(options: RemoteOptions, wanted: string, signal: AbortSignal): Promise<string | null> {
  const git = await gitOutside(options.cloneDirectory, options);
  const answer = await git.text(['ls-remote', '--', options.url, wanted], signal);
  const lines = answer.split('\n').map((line) => line.split('\t'));
  const revision = lines.find(([, name]) => name === wanted)?.[0];
  return revision !== undefined && /^[0-9a-f]{40,64}$/.test(revision) ? revision : null;
}

/** What the remote's HEAD stands for, where no branch is named. */
async function askFollowed(options: RemoteOptions, signal: AbortSignal): Promise<string> {
  if (options.branch !== null) return wantedRef(options);
  const git = await gitOutside(options.cloneDirectory, options);
  const answer = await git.text(['ls-remote', '--symref', '--', options.url, 'HEAD'], signal);
  const ref = /^ref: (refs\/heads\/\S+)\tHEAD$/m.exec(answer)?.[1];
  if (ref === undefined) throw branchUnknown();
  return ref;
}

const wantedRef = ({ branch }: RemoteOptions): string => (branch === null ? 'HEAD' : `refs/heads/${branch}`);

async function gitOutside(folder: string, options: RemoteOptions): Promise<Git> {
  await mkdir(options.cloneDirectory, { recursive: true, mode: 0o700 }).catch(cannotWrite);
  return gitIn(folder, await settingsFor(options.url, options.login, options.access));
}

/** The clone says whose it is in a file that is written last; without it, or with another's, it is begun anew. */
async function prepareClone(clone: string, url: string, git: Git, signal: AbortSignal): Promise<void> {
  const mark = join(clone, 'cloned-from');
  const from = await readFile(mark, 'utf8').catch(() => null);
  if (from === url) return;
  await rm(clone, { recursive: true, force: true }).catch(cannotWrite);
  await mkdir(clone, { recursive: true, mode: 0o700 }).catch(cannotWrite);
  await git.text(['init', '--bare', '--quiet'], signal);
  await writeAtomically(mark, url).catch(cannotWrite);
}

/** The commit the clone has, or '' for none. */
async function fetched(git: Git, signal: AbortSignal): Promise<string> {
  return (await git.text(['rev-parse', '--verify', '--quiet', `${FETCHED}^{commit}`], signal)).trim();
}

/** Whole history of one branch: ancestry must be told (rewinds), and a shallow clone cannot. */
async function fetchInto(clone: string, options: RemoteOptions, signal: AbortSignal): Promise<void> {
  const git = await gitOutside(clone, options);
  const into = `+${wantedRef(options)}:${FETCHED}`;
  await git.text(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', options.url, into], signal);
}

export function branchMissing(branch: string | null): Failure {
  const where = branch === null ? 'at its HEAD' : `on branch ${JSON.stringify(branch)}`;
  return new Failure('source_missing', `the repository has no commit ${where}`, {
    suggestedAction:
      branch === null
        ? 'Push a commit, or name the branch with --branch.'
        : 'Push that branch, or give --branch one that is there.',
  });
}

export const branchUnknown = (): Failure =>
  new Failure('source_missing', 'the HEAD of the repository names no branch', {
    suggestedAction: 'Name the branch with --branch.',
  });
