import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject } from 'vitest';
import { typescriptFlags } from '../../examples/engine/keeping.ts';
import { recordPath } from '../../examples/engine/record.ts';

/** The engine of the whole run is used by what is played. */
export const playEnv = (): NodeJS.ProcessEnv => ({
  ...process.env,
  MCP_ORCHESTRATION_TEST_ENGINE: recordPath(inject('engine').directory),
});

/** Arguments of node for a script of examples/. */
export const commandOf = (script: string): string[] => [
  ...typescriptFlags(),
  fileURLToPath(new URL(`../../examples/${script}`, import.meta.url)),
];

/** What it printed; fails with that when its exit code is not 0. */
export async function play(script: string): Promise<string> {
  const options = { env: playEnv(), timeout: 170_000, maxBuffer: 16 * 1024 * 1024 };
  const { code, stdout } = await promisify(execFile)(process.execPath, commandOf(script), options).then(
    (done) => ({ code: 0, ...done }),
    (failed: { readonly code?: number; readonly stdout: string }) => failed,
  );
  expect(code, stdout).toBe(0);
  return stdout;
}
