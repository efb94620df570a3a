import { readFile, readlink } from 'node:fs/promises';

/**
 * What tells a process from every other that was or will be on this machine: start of the machine, its numbering of
 * processes (containers have their own), number and start. A string without meaning to others.
 */
export async function ownLife(): Promise<string | null> {
  const numbering = await numberingOfProcesses();
  const start = await startOf(process.pid);
  return numbering === null || typeof start !== 'string'
    ? null
    : [...numbering, process.pid, start].join(' ');
}

/**
 * True only where it is certain that the process of this life has ended: on the same machine, since the same start of
 * it, and with the same numbering of processes as ours. Anything else may still live.
 */
export async function hasEnded(life: string): Promise<boolean> {
  const [boot, namespace, pid, start] = life.split(' ');
  const numbering = await numberingOfProcesses();
  if (numbering === null || numbering[0] !== boot || numbering[1] !== namespace) return false;
  if (!isProcessNumber(Number(pid)) || start === undefined) return false;
  const found = await startOf(Number(pid));
  return found === 'unknown' ? false : found !== start;
}

/** 0 and below would ask about whole groups, and more than 31 bits about another than is said. */
const isProcessNumber = (pid: number): boolean => Number.isInteger(pid) && pid > 0 && pid < 2 ** 31;

/** null where the system does not tell, as anywhere but on Linux. */
async function numberingOfProcesses(): Promise<readonly [string, string] | null> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return [boot.trim(), await readlink('/proc/self/ns/pid')];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) return null;
    throw error;
  }
}

/** In ticks since the start of the machine; null: there is no such process, or nobody has waited for it yet. */
async function startOf(pid: number): Promise<string | null> {
  if (!isThere(pid)) return null;
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in brackets and may contain anything; what follows does not.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? 'unknown');
  } catch (error) {
    // Of others' processes nothing may be shown, and one may end as we ask.
    if ((error as NodeJS.ErrnoException).code !== undefined) return isThere(pid) ? 'unknown' : null;
    throw error;
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
