#!/usr/bin/env node
import { commands } from './cli/commands.ts';
import { runProgram } from './cli/program.ts';
import { systemClock } from './lib/clock.ts';
import { programVersion } from './version.ts';

/** The only file that says `process`: environment, signals, exit code. */
const ended = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ended.abort());

// A reader that goes away (`mcp-orchestration events | head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runProgram(commands, process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: systemClock,
  signal: ended.signal,
  onHangup: (listener) => void process.on('SIGHUP', listener),
  version: programVersion,
});
process.exit();
