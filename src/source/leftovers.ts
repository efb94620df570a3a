import { readdir, readFile } from 'node:fs/promises';

/** In the environment of every process of one call to git; its helpers inherit it. */
export const MARK = 'MCP_ORCHESTRATION_GIT_CALL';

let calls = 0;

/** A value of `MARK` that no other call on this machine has. */
export function nextMark(): string {
  calls += 1;
  return `${String(process.pid)}-${String(calls)}`;
}

/**
 * Ends what a call to git left behind. git dies when it is told to, its http helper does not: it hangs on in a
 * connection that nobody answers for minutes (dependencies, finding 6). Helpers are known by `mark`, where the system
 * shows environments (Linux); elsewhere git's own limit on slow transfers has to do.
 */
export async function endLeftovers(mark: string): Promise<void> {
  const line = `${MARK}=${mark}\0`;
  // Again, for what was born while we looked.
  for (let found = 1, looks = 0; found > 0 && looks < 3; looks += 1) {
    const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
    const marked = await Promise.all(
      pids.map(async (pid) => ((await environmentOf(pid)).includes(line) ? [pid] : [])),
    );
    found = marked.flat().filter(end).length;
  }
}

/** Empty for processes of others, and for those that are gone or were ended and not yet buried. */
const environmentOf = (pid: number): Promise<string> =>
  readFile(`/proc/${String(pid)}/environ`, 'latin1').catch(() => '');

function end(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
