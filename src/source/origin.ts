import { Failure } from '../model/failure.ts';
import type { Git } from './git-command.ts';

/** A repository to work with: on this machine, or a clone of one elsewhere. Everything rejects with a `Failure`. */
export interface Origin {
  /** git where the commits can be read, once `fetch` has seen them. */
  readonly git: Git;
  /** The newest commit of the branch, asked now. */
  tip(signal: AbortSignal): Promise<string>;
  /** Makes the newest commit readable and names it; `tip`, or what came after it. */
  fetch(tip: string, signal: AbortSignal): Promise<string>;
  /** Makes the bytes of a fetched commit's file readable; false where they are, or never will be. */
  obtain(blob: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Fetches of the past of `to` what it takes to tell whether it descends from `from`; `from` null: a little for traces,
   * where that costs little. What is on this machine is all there is.
   */
  reach(from: string | null, to: string, signal: AbortSignal): Promise<void>;
  /** Makes good what can be made good after `source_unusable`; false where nothing can. */
  repair(signal: AbortSignal): Promise<boolean>;
  /** git that writes commits here, with an index of its own. */
  gitWith(index: string): Git;
  /** The followed branch by its full name, asked now. */
  followed(signal: AbortSignal): Promise<string>;
  /** The newest commit of a branch by its full name, asked now; null: there is no such branch. */
  tipOf(ref: string, signal: AbortSignal): Promise<string | null>;
  /** Moves a branch from one commit to its child; `from` null: the branch is new. Never by force. */
  move(ref: string, commits: { from: string | null; to: string }, signal: AbortSignal): Promise<void>;
  /** As `ManifestSource.watch`. */
  watch(hint: () => void, signal: AbortSignal): Promise<void>;
}

/** A clone is disposable: whatever is wrong with it, a new one is made, once a call. */
export async function withRepair<T>(origin: Origin, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const damaged = error instanceof Failure && error.code === 'source_unusable';
    if (!damaged || !(await origin.repair(signal))) throw error;
    return act();
  }
}
