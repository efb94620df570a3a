import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, StartError } from '../app/config.ts';
import { openPolicy } from '../app/policy.ts';
import { formatProblems, validationOf } from '../manifest/validate.ts';
import { readOffThread } from '../reader/reader.ts';
import { shownAddress } from '../source/login.ts';
import { defineCommand, type Io } from './command.ts';
import { beginningOf } from './manifest-file.ts';
import { flag, textOr } from './options.ts';
import { policyOptions, sourceOptions } from './shared.ts';

export const validate = defineCommand({
  name: 'validate',
  summary: 'Check a manifest, trust and policy included, without an engine',
  about:
    'Says every problem of a manifest at once, each with its line, its column and advice, ' +
    'trust and policy included. It needs neither an engine nor a network.',
  exits: { 0: 'valid; there may be warnings', 3: 'refused' },
  examples: [
    'mcp-orchestration validate ecosystem-manifest.yaml',
    "mcp-orchestration validate . --policy policy.yaml --trust 'ghcr.io/acme/*'",
  ],
  arguments: { manifest: textOr('path', 'manifest file, or the folder it is in', '.') },
  options: { path: sourceOptions.path, ...policyOptions, json: flag('print the problems as JSON') },
  async run({ manifest, path, json, ...trusted }, io): Promise<number> {
    try {
      const policy = await openPolicy(trusted);
      const file = await fileOf(manifest, path);
      const read = await readOffThread({ content: await beginningOf(file), file }, io.signal);
      const { problems, desired } = validationOf(read, file, policy);
      const errors = problems.filter(({ severity }) => severity === 'error');
      io.stdout.write(
        json ? `${JSON.stringify(problems, null, 2)}\n` : report(problems, desired?.servers.length ?? 0),
      );
      return errors.length === 0 ? EXIT.ok : EXIT.refused;
    } catch (error) {
      return unusable(error, manifest, io);
    }
  },
});

async function fileOf(manifest: string, path: string): Promise<string> {
  return (await stat(manifest)).isDirectory() ? join(manifest, path) : manifest;
}

function report(problems: Parameters<typeof formatProblems>[0], servers: number): string {
  if (problems.length === 0) return `valid: ${servers} ${servers === 1 ? 'server' : 'servers'}\n`;
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const counts = `${errors} ${errors === 1 ? 'error' : 'errors'}, ${problems.length - errors} warnings`;
  return `${formatProblems(problems)}\n${counts}\n`;
}

function unusable(error: unknown, manifest: string, io: Io): number {
  if (error instanceof StartError) {
    io.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
  io.stderr.write(
    `validate: ${shownAddress(manifest)}: ${why}; give the manifest, or the folder that has it\n`,
  );
  return EXIT.badOptions;
}
