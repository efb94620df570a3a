import { createReadStream } from 'node:fs';
import { MAX_MANIFEST_BYTES } from '../manifest/read.ts';

/** One byte more than a manifest may have lets the reader see that there is more. */
export async function beginningOf(file: string): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of createReadStream(file, { end: MAX_MANIFEST_BYTES })) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
