import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type Address, readAddress, readBranch, readCommitish, readPath } from './address.ts';
import { fileAt, fileSource } from './file.ts';
import { gitSource } from './git.ts';
import { isRepository, isRepositoryAway, localOrigin } from './git-local.ts';
import { remoteOrigin } from './git-remote.ts';
import type { Origin } from './origin.ts';
import type { ManifestSource } from './source.ts';

export interface SourceOptions {
  /** Git url (https, ssh, `user@host:path`, git, file), repository, folder or file. */
  readonly manifest: string;
  /** null: the branch HEAD names. Git only. */
  readonly branch: string | null;
  /** Only `plan --base`: the commit to read, by any name a local repository knows it by; a branch of a remote. */
  readonly at?: string | null;
  /** Where the manifest is inside a repository or folder. */
  readonly path: string;
  readonly tokenFile: string | null;
  readonly sshKey: string | null;
  /** For the clone of a remote, the host keys seen, and commits in the making; ours alone and disposable. */
  readonly cloneDirectory: string;
  /** The program's environment; git gets a short list of names from it (PATH, HOME, proxies, ssh agent). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The source `--manifest` means. Reads nothing yet: what is missing or away shows at `read`. Rejects with a `Failure`
 * (`source_unusable`) for an address, branch or path that cannot be meant.
 */
export async function openSource(options: SourceOptions): Promise<ManifestSource> {
  const address = readAddress(options.manifest);
  const at = readCommitish(options.at ?? null);
  const [branch, path] = [readBranch(options.branch), readPath(options.path)];
  const drafts = join(options.cloneDirectory, 'drafts');
  const named = { address: `${address.shown}#${path}`, branch, path, drafts };
  if (address.kind === 'remote') return gitSource(originElsewhere(address, at ?? branch, options), named);
  const { place } = address;
  if ((await isRepository(place)) || (await isRepositoryAway(place)))
    return gitSource(originHere(place, branch, { ...options, at }), named);
  const { clock, log } = options;
  return fileSource({ address: await fileAt(place, path), location: place, path, clock, log });
}

function originElsewhere(
  { url, login }: Extract<Address, { kind: 'remote' }>,
  branch: string | null,
  options: SourceOptions,
): Origin {
  const { environment, tokenFile, sshKey, cloneDirectory, clock } = options;
  const knownHosts = join(cloneDirectory, 'known_hosts');
  return remoteOrigin({
    url,
    login,
    branch,
    cloneDirectory,
    access: { environment, tokenFile, sshKey, knownHosts, clock },
  });
}

const originHere = (
  folder: string,
  branch: string | null,
  { at, environment, clock, log }: SourceOptions,
): Origin => localOrigin({ folder, branch, at: at ?? null, environment, clock, log });
