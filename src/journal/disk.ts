import { stat, type FileHandle } from 'node:fs/promises';

/** The two calls that a failing disk fails; tests pass others. */
export interface Disk {
  /** Writes at the end of the file and returns how many bytes it took. */
  write(handle: FileHandle, bytes: Uint8Array): Promise<number>;
  sync(handle: FileHandle): Promise<void>;
}

/** What the running program writes with. */
export const nodeDisk: Disk = {
  write: async (handle, bytes) => (await handle.write(bytes)).bytesWritten,
  sync: (handle) => handle.datasync(),
};

export async function writeAll(handle: FileHandle, bytes: Uint8Array, disk: Disk): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await disk.write(handle, bytes.subarray(at));
  await disk.sync(handle);
}

/** How long a file is and whether its last line is ended; an empty one's is. */
export async function endOf(handle: FileHandle): Promise<{ readonly size: number; readonly whole: boolean }> {
  const { size } = await handle.stat();
  if (size === 0) return { size, whole: true };
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return { size, whole: buffer[0] === NEWLINE };
}

/** null where there is no such file. */
export async function inodeOf(path: string): Promise<number | null> {
  return (await stat(path).catch(absent))?.ino ?? null;
}

/** For `catch`: a file that is not there is null. */
export function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

const NEWLINE = 0x0a;
