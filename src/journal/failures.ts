import { Failure } from '../model/failure.ts';

/** What the file system says, in our words: `disk_full` or `state_unusable`. What it does not say is thrown on: a mistake of ours. */
export function toFailure(error: unknown, path: string): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof Failure || code === undefined) throw error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure('disk_full', `no room is left to write ${path}`, {
      cause: error,
      suggestedAction: 'free space on this disk; the log goes on by itself',
    });
  }
  return new Failure('state_unusable', `${path} cannot be used: ${message}`, {
    cause: error,
    suggestedAction: 'make the folder exist and writable for the user that runs the orchestrator',
  });
}
