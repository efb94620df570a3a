import { EXIT, StartError } from '../app/config.ts';
import { Failure, type FailureCode } from '../model/failure.ts';
import type { Io } from './command.ts';

/** Why a command could not begin, or had to end: one sentence on stderr and the exit code of contracts section 1. */
export function explain(error: unknown, state: string, io: Pick<Io, 'stderr'>): number {
  if (error instanceof StartError) {
    io.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof Failure) {
    io.stderr.write(
      `${sentence(error.message)}${error.suggestedAction === null ? '' : ` ${error.suggestedAction}`}\n`,
    );
    return exitCodes[error.code] ?? EXIT.notAsDesired;
  }
  io.stderr.write(
    `a mistake in mcp-orchestration itself; what is in ${state} is safe, and servers keep running\n`,
  );
  throw error;
}

const exitCodes: { readonly [C in FailureCode]?: number } = {
  state_unusable: EXIT.stateUnusable,
  disk_full: EXIT.stateUnusable,
  source_unusable: EXIT.badOptions,
  port_taken: EXIT.badOptions,
};

const sentence = (text: string): string => (/[.!?:]$/.test(text) ? text : `${text}.`);
