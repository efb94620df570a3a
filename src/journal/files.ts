import { readdir, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { absent } from './disk.ts';
import type { LogName } from './journal.ts';

/** Where a log lies. */
export interface Place {
  readonly directory: string;
  readonly log: LogName;
  /** A file that another repository writes to as well: nothing in it is ever cut, moved or deleted. */
  readonly sharedFile?: string | undefined;
}

export function placeOf(directory: string, log: LogName, eventsFile?: string): Place {
  const shared =
    log === 'events' && eventsFile !== undefined && resolve(eventsFile) !== ownFile({ directory, log });
  return { directory, log, ...(shared ? { sharedFile: resolve(eventsFile) } : {}) };
}

/** `<directory>/<log>.jsonl`, whether it is written to or not. */
export const ownFile = ({ directory, log }: Place): string => resolve(directory, `${log}.jsonl`);

/** The file that is written to. */
export const currentFile = (place: Place): string => place.sharedFile ?? ownFile(place);

/** Begun by a rotation and not yet in its place. */
export const nextFile = (place: Place): string => `${ownFile(place)}.next`;

/** Every file of a log, oldest first, the current one last; some may not exist. */
export async function filesOf(place: Place): Promise<string[]> {
  const own = [...(await rotatedFiles(place)), ownFile(place)];
  return place.sharedFile === undefined ? own : [...own, place.sharedFile];
}

/** A name for the file that ends now. Never one that is taken: history is not written over. */
export async function rotatedName(place: Place, firstSeq: number): Promise<string> {
  const taken = await rotatedFiles(place);
  let seq = firstSeq;
  while (taken.includes(rotatedFile(place, seq))) seq += 1;
  return rotatedFile(place, seq);
}

/** Deletes the oldest rotated files until `keep` are left. */
export async function pruneRotated(place: Place, keep: number): Promise<void> {
  const rotated = await rotatedFiles(place);
  for (const path of rotated.slice(0, Math.max(rotated.length - keep, 0))) await rm(path, { force: true });
}

const rotatedFile = ({ directory, log }: Place, seq: number): string =>
  resolve(directory, `${log}-${seq}.jsonl`);

async function rotatedFiles(place: Place): Promise<string[]> {
  const names = (await readdir(place.directory).catch(absent)) ?? [];
  const pattern = new RegExp(`^${place.log}-([1-9]\\d{0,14})\\.jsonl$`);
  const seqs = names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
  return seqs.sort((a, b) => a - b).map((seq) => rotatedFile(place, seq));
}
