import type { Git } from './git-command.ts';
import type { Commit, History } from './source.ts';

/** `from` is null, or was read from git before; `to` is there. */
interface Range {
  readonly from: string | null;
  readonly to: string;
}

const AT_MOST = 100;
const SEPARATOR = '\u001f';
const trailer = (key: string): string => `%(trailers:key=${key},valueonly,unfold,separator=%x1f)`;
const FORMAT = `--format=%H%x00%s%x00${trailer('Trace-Id')}%x00${trailer('Allow-Removal')}`;

export const isCommitName = (revision: string | null): revision is string =>
  revision !== null && /^[0-9a-f]{7,64}$/.test(revision);

/** The full name of a commit that is there, or null; anything but a commit's name is null as well. */
export async function findCommit(
  git: Git,
  revision: string | null,
  signal: AbortSignal,
): Promise<string | null> {
  if (!isCommitName(revision)) return null;
  const found = await git.text(['rev-parse', '--verify', '--quiet', `${revision}^{commit}`], signal);
  return found.trim() === '' ? null : found.trim();
}

/** `to` is `from` or descends from it. Both are there. */
export async function isAncestor(
  git: Git,
  range: { from: string; to: string },
  signal: AbortSignal,
): Promise<boolean> {
  return (await git.text(['merge-base', range.from, range.to], signal)).trim() === range.from;
}

/** What `to` says of itself, with the trace of contracts section 4. */
export async function describeTip(
  git: Git,
  range: Range,
  path: string,
  signal: AbortSignal,
): Promise<Commit> {
  const [tip] = await log(git, ['-1', range.to], signal);
  if (tip === undefined) throw new Error(`git log says nothing of ${range.to}`);
  const touching = await log(git, ['-1', '--no-merges', spanOf(range), '--', path], signal);
  const since = range.from === null ? touching : await log(git, [spanOf(range)], signal);
  return {
    ...tip,
    traceId: tip.traceId ?? touching[0]?.traceId ?? null,
    allowRemoval: [...new Set([tip, ...since].flatMap((commit) => commit.allowRemoval))],
  };
}

/** The way from one commit to another. Where `from` is gone, only `to` itself can be told. */
export async function historyOf(git: Git, range: Range, signal: AbortSignal): Promise<History> {
  const { from, to } = range;
  if (from === null) return { rewind: true, commits: await log(git, ['-1', to], signal) };
  const rewind = !(await isAncestor(git, { from, to }, signal));
  return { rewind, commits: await log(git, [spanOf(range)], signal) };
}

const spanOf = ({ from, to }: Range): string => (from === null ? to : `${from}..${to}`);

async function log(git: Git, which: readonly string[], signal: AbortSignal): Promise<Commit[]> {
  const options = [
    '-z',
    '--topo-order',
    '--no-show-signature',
    '--no-color',
    `--max-count=${String(AT_MOST)}`,
    FORMAT,
  ];
  const fields = (await git.text(['log', ...options, ...which], signal)).split('\0');
  const commits: Commit[] = [];
  for (let at = 0; at + 3 < fields.length; at += 4) commits.push(readCommit(fields.slice(at, at + 4)));
  return commits;
}

/** Of several trailers the last one counts for the trace; every one counts for removals. */
function readCommit([revision = '', subject = '', traces = '', removals = '']: readonly string[]): Commit {
  const trace = traces.split(SEPARATOR).at(-1)?.trim() ?? '';
  return {
    revision,
    subject,
    traceId: trace === '' ? null : trace,
    allowRemoval: removals.split(/[\u001f,\s]+/).filter((name) => name !== ''),
  };
}
