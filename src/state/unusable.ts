import { ownValue } from '../lib/own-value.ts';
import { Failure } from '../model/failure.ts';

const advice: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space on its disk.',
  EDQUOT: 'Free space within its quota.',
  EROFS: 'Its file system is read-only: give --state a folder on one that can be written.',
  EACCES: 'Let the user that runs the orchestrator own it, or give --state another folder.',
  EPERM: 'Let the user that runs the orchestrator own it, or give --state another folder.',
  ENOTDIR: 'A file is in the way: give --state a folder.',
  EEXIST: 'A file is in the way: give --state a folder.',
  ENOENT: 'No orchestrator has used it yet: check --state.',
};

/** The system's refusal as a `Failure`: `disk_full`, else `state_unusable`. Our own mistakes are thrown on. */
export function stateFailure(path: string, error: unknown): Failure {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new Failure(
    full ? 'disk_full' : 'state_unusable',
    `the state folder ${path} cannot be used (${code})`,
    {
      suggestedAction: ownValue(advice, code) ?? 'Check its disk, or give --state another folder.',
    },
  );
}

/** Runs `act`, with the system's refusals told as `Failure`s. */
export async function inState<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof Failure ? error : stateFailure(path, error);
  }
}
