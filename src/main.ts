#!/usr/bin/env node
import { commands } from './cli/commands.ts';
import { runProgram } from './cli/program.ts';
import { systemClock } from './lib/clock.ts';
import { programVersion } from './version.ts';

/** The only file that says `process`: environment, signals, exit code. */
const ended = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ended.abort());

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that goes away (`mcp-orchestration events | head`) is no fault of ours.
  if (error.code === 'EPIPE') process.exit(0);
});
// A terminal that is gone, or a full disk: what watches over servers does not end for what it has to say.
process.stderr.on('error', () => undefined);

process.exitCode = await runProgram(commands, process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: systemClock,
  signal: ended.signal,
  onHangup: (listener) => void process.on('SIGHUP', listener),
  version: programVersion,
});
// What a script reads must not look whole when it is not.
const { errored } = process.stdout;
if (errored !== null) {
  process.stderr.write(`the output could not be written: ${errored.message}\n`);
  process.exitCode ||= 1;
}
process.exit();
