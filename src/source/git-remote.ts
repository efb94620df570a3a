import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../model/failure.ts';
import { Clone } from './clone.ts';
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

/** A repository elsewhere: asked with `ls-remote`, fetched into a bare clone only when it moved. */
export function remoteOrigin(options: RemoteOptions): Origin {
  const { clone, folder, git } = cloneOf(options);
  return {
    git,
    tip: (signal) => askTip(options, signal),
    fetch: (tip, signal) => clone.fetch(tip, signal),
    obtain: (blob, signal) => clone.obtain(blob, signal),
    reach: (from, to, signal) => clone.reach(from, to, signal),
    async repair(signal) {
      await clone.remove();
      await clone.fetch(await askTip(options, signal), signal);
      return true;
    },
    gitWith: (index) => gitIn(folder, { ...settingsForReading(options.access), index }),
    followed: (signal) => askFollowed(options, signal),
    tipOf: (ref, signal) => askRef(options, ref, signal),
    async move(ref, { to }, signal) {
      const outside = await gitOutside(folder, options);
      await outside.text(['push', '--progress', '--', options.url, `${to}:${ref}`], signal);
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

function cloneOf(options: RemoteOptions): {
  readonly clone: Clone;
  readonly folder: string;
  readonly git: Git;
} {
  const folder = join(options.cloneDirectory, 'repository.git');
  const git = gitIn(folder, settingsForReading(options.access));
  const outside = (): Promise<Git> => gitOutside(folder, options);
  const { url, cloneDirectory: owner } = options;
  return { folder, git, clone: new Clone({ folder, git, outside, url, owner, ref: wantedRef(options) }) };
}

async function gitOutside(folder: string, options: RemoteOptions): Promise<Git> {
  await mkdir(options.cloneDirectory, { recursive: true, mode: 0o700 }).catch(cannotWrite);
  const settings = await settingsFor(options.url, options.login, options.access);
  return gitIn(folder, { ...settings, outsideFor: options.cloneDirectory });
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
