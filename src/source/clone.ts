import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../lib/atomic-file.ts';
import { Failure } from '../model/failure.ts';
import { cannotWrite } from './disk.ts';
import type { Git } from './git-command.ts';
import { findCommit, isAncestor } from './git-history.ts';
import { endOrphans } from './leftovers.ts';

interface CloneOptions {
  readonly folder: string;
  /** The folder it works for, by which calls of a predecessor are known. */
  readonly owner: string;
  readonly url: string;
  /** What is followed, as the remote names it. */
  readonly ref: string;
  /** Reads the clone, and calls nobody. */
  readonly git: Git;
  /** Works in the clone and may call the remote, with the token of this moment. */
  readonly outside: () => Promise<Git>;
}

const FETCHED = 'refs/heads/fetched';

/** More and more of what came before; each step stays, so that one that is cut off costs only itself. */
const DEEPER = ['--deepen=100', '--deepen=1000', '--deepen=10000', '--unshallow'];
const FETCH = ['fetch', '--progress', '--no-tags', '--no-write-fetch-head'];

/** Said at each call and not in the clone: whoever reads there is not to call anybody for what is missing. */
const PARTIAL = ['-c', 'remote.origin.promisor=true', '-c', 'remote.origin.partialCloneFilter=blob:none'];
/** As if we had nothing: of what we have, a server thinks that we have all that is in it. */
const ALONE = ['-c', 'fetch.negotiationAlgorithm=noop'];

/** A bare clone that is ours alone and disposable. It has the newest commit and the manifest, and more only on demand. */
export class Clone {
  readonly #options: CloneOptions;
  /** The server leaves out what is not asked for. */
  #isFrugal = false;
  #isAlone = false;

  constructor(options: CloneOptions) {
    this.#options = options;
  }

  /** As `Origin.fetch`. */
  async fetch(tip: string, signal: AbortSignal): Promise<string> {
    const origins = { url: this.#options.url, format: formatOf(tip) };
    const extent = await extentOf(this.#options.folder, origins);
    if (extent === null) return this.#begin(origins, 'partial', signal);
    const before = await this.#fetched(signal);
    if (before === tip) return tip;
    await this.#call(extent, before === '' && extent !== 'full' ? ['--depth=1'] : [], signal);
    return this.#fetched(signal);
  }

  /** As `Origin.obtain`. */
  async obtain(blob: string, signal: AbortSignal): Promise<boolean> {
    const origins = { url: this.#options.url, format: formatOf(blob) };
    if ((await extentOf(this.#options.folder, origins)) !== 'partial') return false;
    try {
      const git = await this.#options.outside();
      await git.text([...PARTIAL, ...ALONE, ...FETCH, 'origin', blob], signal);
      this.#isFrugal = true;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'source_unusable') throw error;
      // Some servers give nothing but commits of branches.
      await this.#begin(origins, 'whole', signal);
    }
    return true;
  }

  /** As `Origin.reach`. */
  async reach(from: string | null, to: string, signal: AbortSignal): Promise<void> {
    const steps = from !== null ? DEEPER : this.#isFrugal ? DEEPER.slice(0, 1) : [];
    for (const step of steps) {
      if (!(await this.#isShallow(signal)) || (await this.#isTold(from, to, signal))) return;
      const extent = await extentOf(this.#options.folder, { url: this.#options.url, format: formatOf(to) });
      await this.#call(extent ?? 'full', [step], signal);
    }
  }

  async remove(): Promise<void> {
    await rm(this.#options.folder, { recursive: true, force: true }).catch(cannotWrite);
  }

  async #begin(origins: Origins, extent: Extent, signal: AbortSignal): Promise<string> {
    await beginClone(this.#options, origins, extent, signal);
    try {
      await this.#call(extent, extent === 'full' ? [] : ['--depth=1'], signal);
    } catch (error) {
      const knowsNoDepth = error instanceof Failure && /shallow|depth|dumb http/i.test(error.message);
      if (!knowsNoDepth || extent === 'full') throw error;
      return this.#begin(origins, 'full', signal);
    }
    return this.#fetched(signal);
  }

  async #call(extent: Extent, more: readonly string[], signal: AbortSignal): Promise<void> {
    const { folder, owner, ref, outside } = this.#options;
    if (!this.#isAlone) await endOrphans(owner);
    this.#isAlone = true;
    await sweep(folder);
    const as = extent === 'partial' ? PARTIAL : [];
    const git = await outside();
    try {
      await git.text([...as, ...FETCH, ...more, 'origin', `+${ref}:${FETCHED}`], signal);
    } catch (error) {
      await sweep(folder);
      throw error;
    }
  }

  /** The commit the clone has, or '' for none. */
  async #fetched(signal: AbortSignal): Promise<string> {
    const args = ['rev-parse', '--verify', '--quiet', `${FETCHED}^{commit}`];
    return (await this.#options.git.text(args, signal)).trim();
  }

  async #isShallow(signal: AbortSignal): Promise<boolean> {
    const args = ['rev-parse', '--is-shallow-repository'];
    return (await this.#options.git.text(args, signal)).trim() === 'true';
  }

  /** How `to` came from `from` can be told from what is here; without `from`, whether there is any history at all. */
  async #isTold(from: string | null, to: string, signal: AbortSignal): Promise<boolean> {
    const { git } = this.#options;
    const [older, newer] = [await findCommit(git, from, signal), await findCommit(git, to, signal)];
    if (newer === null) return false;
    if (from !== null) return older !== null && isAncestor(git, { from: older, to: newer }, signal);
    return (await git.text(['rev-parse', '--verify', '--quiet', `${newer}^1`], signal)).trim() !== '';
  }
}

/**
 * How much is fetched of a repository: `partial` one commit, its folders and the one file; `whole` one commit with all
 * files, of a server that cannot give less; `full` every commit with all files, of one that knows no beginnings.
 */
type Extent = 'partial' | 'whole' | 'full';

/** What a clone is of. */
interface Origins {
  readonly url: string;
  readonly format: 'sha1' | 'sha256';
}

/** git names commits by hashes of one length or the other. */
const formatOf = (revision: string): Origins['format'] => (revision.length === 64 ? 'sha256' : 'sha1');

const MARK = 'cloned-from';

/** What the clone holds; null: it is to be begun anew. Says whose it is in a file that is written last. */
async function extentOf(clone: string, { url, format }: Origins): Promise<Extent | null> {
  const mark = await readFile(join(clone, MARK), 'utf8').catch(() => '');
  const [, from, as, extent] = /^(\S+) (\S+) (partial|whole|full)\n$/.exec(mark) ?? [];
  return from === url && as === format ? (extent as Extent) : null;
}

/** An empty clone in place of whatever is there. */
async function beginClone(
  { folder, git }: Pick<CloneOptions, 'folder' | 'git'>,
  { url, format }: Origins,
  extent: Extent,
  signal: AbortSignal,
): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(cannotWrite);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(cannotWrite);
  const names = format === 'sha256' ? ['--object-format=sha256'] : [];
  await git.text(['init', '--bare', '--quiet', ...names], signal);
  await git.text(['config', 'remote.origin.url', url], signal);
  await writeAtomically(join(folder, MARK), `${url} ${format} ${extent}\n`).catch(cannotWrite);
}

/** Takes away what calls left that were killed: half packs, which may be large, and locks, which nobody holds any more. */
async function sweep(clone: string): Promise<void> {
  const entries = await readdir(clone, { recursive: true, withFileTypes: true }).catch(() => []);
  const left = entries.filter(({ name }) => /^(tmp_|\.tmp-|incoming-)|\.lock$|^gc\.pid$/.test(name));
  for (const { parentPath, name } of left)
    await rm(join(parentPath, name), { recursive: true, force: true }).catch(cannotWrite);
}
