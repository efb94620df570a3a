import type { Git } from './git-command.ts';

/** A repository to read from: on this machine, or a clone of one elsewhere. Everything rejects with a `Failure`. */
export interface Origin {
  /** git where the commits can be read, once `fetch` has seen them. */
  readonly git: Git;
  /** The newest commit of the branch, asked now. */
  tip(signal: AbortSignal): Promise<string>;
  /** Makes the newest commit readable and names it; `tip`, or what came after it. */
  fetch(tip: string, signal: AbortSignal): Promise<string>;
  /** Makes good what can be made good after `source_unusable`; false where nothing can. */
  repair(signal: AbortSignal): Promise<boolean>;
  /** As `ManifestSource.watch`. */
  watch(hint: () => void, signal: AbortSignal): Promise<void>;
}
