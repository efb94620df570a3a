import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

interface CommandOptions {
  /** Milliseconds until the command is killed; 10 s when not given. */
  readonly deadlineMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program without a shell and gives its standard output; throws when it fails or takes too long. */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { stdout } = await execute(program, args, {
    timeout: options.deadlineMs ?? 10_000,
    killSignal: 'SIGKILL',
    env: { ...(options.env ?? process.env), PATH: searchPath() },
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

/** dockerd, iptables and ip live in /usr/sbin, which is not on the PATH of every root shell. */
export function searchPath(): string {
  return [process.env['PATH'] ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');
}

/** Asks again every `everyMs` until the answer is true; false when `deadlineMs` is over. */
export async function until(ask: () => Promise<boolean>, deadlineMs: number, everyMs = 50): Promise<boolean> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    if (await ask()) return true;
    if (Date.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
