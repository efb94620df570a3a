import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '../engine/commands.ts';

/** A manifest repository as an ecosystem has it: a bare remote, and the clone of a person who changes it. */
export interface ManifestRepository {
  /** Holds both. */
  readonly folder: string;
  readonly bare: string;
  readonly work: string;
  /** `file://...` of the bare repository. */
  readonly url: string;
  /** An ordinary commit on the branch, pushed; its revision. */
  commit(change: Change): Promise<string>;
  /** What a merged pull request leaves: the change on a branch of its own, and a merge commit, pushed; its revision. */
  merge(change: Change): Promise<string>;
  git(...args: readonly string[]): Promise<string>;
}

export interface Change {
  /** Subject of the commit. */
  readonly subject: string;
  /** Path -> content. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** For the `Trace-Id` trailer of the commit that is merged. */
  readonly traceId?: string;
}

/** No configuration of the machine or of the person takes part. */
const environment = {
  ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
  ...{ GIT_AUTHOR_NAME: 'A Maintainer', GIT_AUTHOR_EMAIL: 'maintainer@example.org' },
  ...{ GIT_COMMITTER_NAME: 'A Maintainer', GIT_COMMITTER_EMAIL: 'maintainer@example.org' },
};

/** Makes both repositories below `folder`, with a first commit and no manifest yet. */
export async function makeManifestRepository(folder: string): Promise<ManifestRepository> {
  const [bare, work] = [join(folder, 'manifest.git'), join(folder, 'manifest')];
  const git = async (...args: readonly string[]): Promise<string> =>
    (await run('git', ['-C', work, ...args], { deadlineMs: 30_000, env: cleanEnvironment() })).trim();
  await mkdir(work, { recursive: true });
  await git('init', '--quiet', '--bare', '--initial-branch=main', bare);
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', bare);
  await writeCommit(work, git, { subject: 'Begin', files: { 'README.md': '# What should run\n' } });
  await push(git);
  return {
    ...{ folder, bare, work, git, url: pathToFileURL(bare).href },
    async commit(change) {
      await writeCommit(work, git, change);
      return push(git);
    },
    async merge(change) {
      await git('checkout', '--quiet', '-b', 'change');
      await writeCommit(work, git, change);
      await git('checkout', '--quiet', 'main');
      await git('merge', '--quiet', '--no-ff', '-m', "Merge branch 'change'", 'change');
      await git('branch', '--quiet', '-d', 'change');
      return push(git);
    },
  };
}

type Git = ManifestRepository['git'];

async function writeCommit(work: string, git: Git, { subject, files, traceId }: Change): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true });
    await writeFile(join(work, path), content);
  }
  await git('add', '--all');
  const trailer = traceId === undefined ? [] : ['-m', `Trace-Id: ${traceId}`];
  await git('commit', '--quiet', '--allow-empty', '-m', subject, ...trailer);
}

async function push(git: Git): Promise<string> {
  await git('push', '--quiet', 'origin', 'main');
  return git('rev-parse', 'HEAD');
}

/** What git itself sets around hooks would point it at another repository. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return { ...Object.fromEntries(own), ...environment };
}
