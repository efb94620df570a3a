import { open, rename, rm } from 'node:fs/promises';
import { syncFolder } from '../lib/atomic-file.ts';
import { absent, endOf, inodeOf, writeAll, type Disk } from './disk.ts';
import { nextFile, ownFile, type Place } from './files.ts';

/** Puts the text that a new file begins with on disk beside the old one; nothing is left of it when that fails. */
export async function writeNext(place: Place, text: string, disk: Disk): Promise<void> {
  const handle = await open(nextFile(place), 'w', 0o644);
  try {
    await writeAll(handle, Buffer.from(text), disk);
  } catch (error) {
    await rm(nextFile(place), { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Brings a begun file into its place once the old one has moved out of it. While the old one is still there the
 * rotation never happened; a file that was not written to its end was not begun.
 */
export async function finishRotation(place: Place): Promise<void> {
  const begun = await endsWhole(nextFile(place));
  if (begun === null) return;
  if (!begun || (await inodeOf(ownFile(place))) !== null) return rm(nextFile(place), { force: true });
  await rename(nextFile(place), ownFile(place));
  await syncFolder(place.directory);
}

async function endsWhole(path: string): Promise<boolean | null> {
  const handle = await open(path, 'r').catch(absent);
  if (handle === null) return null;
  try {
    return (await endOf(handle)).whole;
  } finally {
    await handle.close();
  }
}
