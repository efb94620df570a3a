import { Failure } from '../model/failure.ts';

/** What is ours on the disk could not be written; our own mistakes are thrown on. */
export function cannotWrite(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  throw new Failure(full ? 'disk_full' : 'source_unusable', `the clone cannot be written (${code})`, {
    suggestedAction: full
      ? 'Free space where --state lies.'
      : 'Let the orchestrator write where --state lies.',
  });
}
