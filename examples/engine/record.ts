import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The bridge and the addresses that one private engine has for itself. */
export interface NetworkLease {
  readonly bridge: string;
  /** `10.n`: every address of this engine begins with it. */
  readonly prefix: string;
}

/** All that is needed to use, restart or clean up what was started: it fits in a file. */
export interface EngineRecord {
  readonly directory: string;
  readonly socket: string;
  readonly registryPort: number;
  /** Only a private engine has one; an engine that was there before is never restarted. */
  readonly lease?: NetworkLease;
}

/** Where the record of a folder lies. */
export const recordPath = (directory: string): string => join(directory, 'engine.json');

/** Writes the record into its own folder, whole or not at all. */
export async function writeRecord(record: EngineRecord): Promise<void> {
  const path = recordPath(record.directory);
  await writeFile(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/** Reads a record; throws when the file is absent or not JSON. */
export async function readRecord(path: string): Promise<EngineRecord> {
  return JSON.parse(await readFile(path, 'utf8')) as EngineRecord;
}
