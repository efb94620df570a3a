import { createHash } from 'node:crypto';
import { Failure } from '../model/failure.ts';
import type { Git } from './git-command.ts';
import { describeTip, findCommit, historyOf, isAncestor, isCommitName } from './git-history.ts';
import { propose } from './git-proposal.ts';
import { findBlob } from './git-tree.ts';
import { type Origin, withRepair } from './origin.ts';
import type { ManifestSource } from './source.ts';

interface GitSourceOptions {
  /** As `ManifestSource.address`. */
  readonly address: string;
  readonly branch: string | null;
  /** The manifest's path from the top of the repository. */
  readonly path: string;
  /** Ours alone, for commits in the making; may be deleted at any time. */
  readonly drafts: string;
}

/** The reader refuses more than 4 MiB (contracts section 2); one byte more lets it see that there is more. */
export const READ_AT_MOST = 4 * 1024 * 1024 + 1;

/** Manifests from commits: the bytes git stored, never a work tree. */
export function gitSource(origin: Origin, options: GitSourceOptions): ManifestSource {
  return {
    address: options.address,
    branch: options.branch,
    watch: (hint, signal) => origin.watch(hint, signal),
    async read(known, signal) {
      const tip = await origin.tip(signal);
      if (tip === known) return null;
      return withRepair(origin, signal, async () => {
        const to = await origin.fetch(tip, signal);
        const content = await contentAt(origin, to, options.path, signal);
        const from = await reached(origin, { from: known, to }, signal);
        const commit = await describeTip(origin.git, { from, to }, options.path, signal);
        return { revision: to, content, file: options.path, commit };
      });
    },
    between: (from, to, signal) =>
      withRepair(origin, signal, async () => {
        const found = await reached(origin, { from, to }, signal);
        return historyOf(origin.git, { from: found, to: await mustFind(origin.git, to, signal) }, signal);
      }),
    descends: (from, to, signal) =>
      withRepair(origin, signal, async () => {
        const older = await reached(origin, { from, to }, signal);
        const newer = await findCommit(origin.git, to, signal);
        return older !== null && newer !== null && isAncestor(origin.git, { from: older, to: newer }, signal);
      }),
    propose: (proposal, signal) => propose(origin, proposal, options, signal),
  };
}

async function mustFind(git: Git, revision: string, signal: AbortSignal): Promise<string> {
  const found = await findCommit(git, revision, signal);
  if (found !== null) return found;
  throw new Failure('source_missing', `commit ${revision} is not in the repository`, {
    suggestedAction: 'Push it, or check the name of the commit.',
  });
}

/** `from` by its full name, with all that lies between; null: it is not to be had, or no commit. */
async function reached(
  origin: Origin,
  { from, to }: { readonly from: string | null; readonly to: string },
  signal: AbortSignal,
): Promise<string | null> {
  await origin.reach(isCommitName(from) ? from : null, to, signal);
  return findCommit(origin.git, from, signal);
}

async function contentAt(
  origin: Origin,
  revision: string,
  path: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { blob } = await findBlob(origin.git, revision, path, signal);
  const read = (): Promise<Buffer> => origin.git.bytes(['cat-file', 'blob', blob], READ_AT_MOST, signal);
  const content = await read().catch(async (error: unknown) => {
    if (!(await origin.obtain(blob, signal))) throw error;
    return read();
  });
  if (content.length < READ_AT_MOST && blobName(content, blob.length) !== blob) throw damagedBlob(blob);
  return content;
}

/** git names a blob by the hash of its bytes, so that a damaged one gives itself away. */
function blobName(content: Buffer, digits: number): string {
  const hash = createHash(digits === 64 ? 'sha256' : 'sha1');
  return hash
    .update(`blob ${String(content.length)}\0`)
    .update(content)
    .digest('hex');
}

const damagedBlob = (blob: string): Failure =>
  new Failure('source_unusable', `object ${blob} of the repository is damaged`, {
    suggestedAction: 'Run git fsck in the repository.',
  });
