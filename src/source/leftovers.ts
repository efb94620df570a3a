import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

/** In the environment of every process of one call to git; its helpers inherit it. */
export const MARK = 'MCP_ORCHESTRATION_GIT_CALL';

let calls = 0;

/** A value of `MARK` that no other call on this machine has. `owner` is whose folder it works for. */
export function nextMark(owner = ''): string {
  calls += 1;
  return `${String(process.pid)}-${String(calls)} ${owner}`;
}

/** Waits for a line. Without one its pipe broke, for we are dead: then it ends what the call left behind. */
const WATCHER = `read -r _ && exit
for look in 1 2 3; do for p in /proc/[0-9]*; do
  tr '\\0' '\\n' 2>/dev/null <"$p/environ" | grep -qxF "$1" && kill -9 "\${p#/proc/}"
done; done 2>/dev/null`;

/** Killed outright, we end nothing; somebody has to who outlives us. Returns what to do once the call is over. */
export function endWithUs(
  mark: string,
  environment: Readonly<Record<string, string | undefined>>,
): () => void {
  const args = ['-c', WATCHER, 'sh', `${MARK}=${mark}`];
  const env = { PATH: environment['PATH'] ?? '/usr/bin:/bin' };
  const watcher = spawn('sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env });
  // Where there is no shell, git ends by itself a while later.
  watcher.on('error', () => undefined);
  watcher.stdin.on('error', () => undefined);
  watcher.unref();
  return () => watcher.stdin.end('over\n');
}

/** Ends what a predecessor on this folder left running, where it could not do so itself. */
export async function endOrphans(owner: string): Promise<void> {
  const ours = `${MARK}=${String(process.pid)}-`;
  await endWhere(
    (line) => line.startsWith(`${MARK}=`) && line.endsWith(` ${owner}`) && !line.startsWith(ours),
  );
}

/**
 * Ends what a call to git left behind. git dies when it is told to, its http helper does not: it hangs on in a
 * connection that nobody answers for minutes (dependencies, finding 6). Helpers are known by `mark`, where the system
 * shows environments (Linux); elsewhere git's own limit on slow transfers has to do.
 */
export function endLeftovers(mark: string): Promise<void> {
  return endWhere((line) => line === `${MARK}=${mark}`);
}

async function endWhere(isWanted: (line: string) => boolean): Promise<void> {
  // Again, for what was born while we looked.
  for (let found = 1, looks = 0; found > 0 && looks < 3; looks += 1) {
    const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
    const marked = await Promise.all(
      pids.map(async (pid) => ((await environmentOf(pid)).split('\0').some(isWanted) ? [pid] : [])),
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
