import { Failure } from '../model/failure.ts';
import type { Git } from './git-command.ts';

/** A file as a commit has it: its mode, and the name of its bytes. */
interface StoredFile {
  readonly mode: string;
  readonly blob: string;
}

/** A symlink is not followed: it may lead anywhere. */
export async function findBlob(
  git: Git,
  commit: string,
  path: string,
  signal: AbortSignal,
): Promise<StoredFile> {
  const listing = await git.text(['ls-tree', '-z', '--full-tree', commit, '--', path], signal);
  const [mode, , blob] = listing.split('\t')[0]?.split(' ') ?? [];
  if (mode === undefined || blob === undefined) throw noManifest(path, commit, 'has no');
  if (mode !== '100644' && mode !== '100755') throw noManifest(path, commit, `has ${kindOf(mode)} as`);
  return { mode, blob };
}

const kindOf = (mode: string): string =>
  mode === '120000' ? 'a symlink' : mode === '160000' ? 'a submodule' : 'a folder';

const noManifest = (path: string, commit: string, what: string): Failure =>
  new Failure('source_missing', `commit ${commit.slice(0, 12)} ${what} ${JSON.stringify(path)}`, {
    suggestedAction: 'Commit the manifest as a plain file at that path, or name its path with --path.',
  });
