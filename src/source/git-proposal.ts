import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../model/failure.ts';
import { readBranch } from './address.ts';
import { cannotWrite } from './disk.ts';
import { findBlob } from './git-tree.ts';
import { type Origin, withRepair } from './origin.ts';
import type { Proposal, Proposed } from './source.ts';

interface Place {
  /** The manifest's path from the top of the repository. */
  readonly path: string;
  readonly drafts: string;
}

/** As `ManifestSource.propose`. */
export async function propose(
  origin: Origin,
  proposal: Proposal,
  place: Place,
  signal: AbortSignal,
): Promise<Proposed> {
  const own = readBranch(proposal.branch);
  const ref = own === null ? await origin.followed(signal) : `${HEADS}${own}`;
  const there = await origin.tipOf(ref, signal);
  const branch = ref.slice(HEADS.length);
  if (own !== null && there !== null) return { branch, revision: there };
  if (own === null && there !== proposal.base) throw branchMoved(branch);
  const revision = await withRepair(origin, signal, () => commitOn(origin, proposal, place, signal));
  await origin.move(ref, { from: there, to: revision }, signal);
  return { branch, revision };
}

const HEADS = 'refs/heads/';

/** The commit, of which nobody knows yet. Made by git's own small steps, in an index that is thrown away. */
async function commitOn(
  origin: Origin,
  { base, content, message }: Proposal,
  { path, drafts }: Place,
  signal: AbortSignal,
): Promise<string> {
  const [file, git] = [join(drafts, 'manifest'), origin.gitWith(join(drafts, 'index'))];
  const say = async (...args: string[]): Promise<string> => (await git.text(args, signal)).trim();
  await origin.fetch(base, signal);
  await rm(drafts, { recursive: true, force: true }).catch(cannotWrite);
  await mkdir(drafts, { recursive: true, mode: 0o700 }).catch(cannotWrite);
  try {
    await writeFile(file, content).catch(cannotWrite);
    const { mode } = await findBlob(git, base, path, signal);
    const blob = await say('hash-object', '-w', '--no-filters', '--', file);
    await say('read-tree', base);
    await say('update-index', '--cacheinfo', `${mode},${blob},${path}`);
    return await say('commit-tree', await say('write-tree', '--missing-ok'), '-p', base, '-m', message);
  } finally {
    await rm(drafts, { recursive: true, force: true }).catch(cannotWrite);
  }
}

const branchMoved = (branch: string): Failure =>
  new Failure('source_moved', `branch ${branch} has a newer commit than the one that was changed`, {
    suggestedAction: 'It is tried again by itself, from the newer commit.',
  });
