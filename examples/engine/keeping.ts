import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Starts the process that cleans up after us; the function that it gives asks for that now and waits for the end. */
export function keep(directory: string): () => Promise<void> {
  const log = join(tmpdir(), 'mcp-orchestration-keeper.log'); // the folder itself is deleted at the end
  const output = openSync(log, 'a', 0o600);
  const keeper = spawn(
    process.execPath,
    [...typescriptFlags(), fileURLToPath(new URL('keeper.ts', import.meta.url)), directory],
    {
      detached: true,
      stdio: ['pipe', output, output],
      cwd: '/',
    },
  );
  closeSync(output);
  keeper.unref();
  (keeper.stdin as unknown as { unref?(): void } | null)?.unref?.();
  return once(() => askToCleanUp(keeper, directory));
}

/** What node needs to run our TypeScript files in a process of their own. */
export function typescriptFlags(): string[] {
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];
}

async function askToCleanUp(keeper: ChildProcess, directory: string): Promise<void> {
  keeper.ref();
  const ended = new Promise<boolean>((resolve) => {
    if (keeper.exitCode !== null || keeper.signalCode !== null) resolve(true);
    keeper.once('exit', () => resolve(true));
    setTimeout(() => resolve(false), 60_000).unref();
  });
  keeper.stdin?.end();
  if (!(await ended)) throw new Error(`the clean-up of ${directory} is not done after 60 s`);
  if (keeper.exitCode !== 0)
    throw new Error(`the clean-up of ${directory} failed with code ${keeper.exitCode}`);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
