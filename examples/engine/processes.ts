import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { searchPath, until } from './commands.ts';

interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly program: string;
  readonly commandLine: string;
}

/** Only these are ever ended by us, and only with our folder on their command line. */
const ownPrograms = /^(dockerd|containerd|containerd-shim.*|docker-registry)$/;

/** Starts a program in a session of its own, its output appended to `log`. Throws when it cannot be started. */
export async function startDetached(program: string, args: readonly string[], log: string): Promise<void> {
  const output = openSync(log, 'a');
  const env = { ...process.env, PATH: searchPath() };
  const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output], env });
  closeSync(output);
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  child.on('error', () => undefined).unref();
}

/** The live processes of ours that belong to a folder, those named `program` alone if it is given. */
export async function processesOf(directory: string, program?: string): Promise<RunningProcess[]> {
  return (await allProcesses()).filter(
    (one) =>
      ownPrograms.test(one.program) &&
      one.commandLine.includes(`${directory}/`) &&
      (program === undefined || one.program === program),
  );
}

/** Ends a program of the folder: SIGTERM, and SIGKILL after `graceMs`. True when it is gone. */
export async function endProcess(directory: string, program: string, graceMs: number): Promise<boolean> {
  const isGone = async (): Promise<boolean> => (await processesOf(directory, program)).length === 0;
  for (const { pid } of await processesOf(directory, program)) signal(pid, 'SIGTERM');
  if (await until(isGone, graceMs)) return true;
  for (const { pid } of await processesOf(directory, program)) signal(pid, 'SIGKILL');
  return until(isGone, 5_000);
}

/** Kills what is left of the folder with everything below it: the processes in containers do not name the folder. */
export async function killTree(directory: string): Promise<void> {
  const everything = await allProcesses();
  const doomed = new Set((await processesOf(directory)).map(({ pid }) => pid));
  for (let before = -1; before !== doomed.size;) {
    before = doomed.size;
    for (const { pid, parent } of everything) if (doomed.has(parent)) doomed.add(pid);
  }
  for (const pid of doomed) signal(pid, 'SIGKILL');
  await until(async () => (await processesOf(directory)).length === 0, 5_000);
}

/** Sends a signal; a process that is already gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended in the meantime
  }
}

async function allProcesses(): Promise<RunningProcess[]> {
  const names = await readdir('/proc');
  const read = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(readProcess));
  return read.filter((one) => one !== undefined);
}

/** Undefined for a process that ended while we looked, and for a zombie, which only waits for its parent. */
async function readProcess(name: string): Promise<RunningProcess | undefined> {
  try {
    const commandLine = await readFile(join('/proc', name, 'cmdline'), 'utf8');
    const stat = await readFile(join('/proc', name, 'stat'), 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return undefined;
    const program = basename(commandLine.split('\0')[0] ?? '');
    return { pid: Number(name), parent: Number(parent), program, commandLine };
  } catch {
    return undefined;
  }
}
