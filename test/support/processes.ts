import { readdir, readFile } from 'node:fs/promises';

/** The ids of the processes whose command line has this text. */
export async function processesWith(text: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(
    // One that ended while we looked is not there.
    ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')),
  );
  return ids.filter((_, position) => lines[position]?.includes(text));
}
