import { pino, destination } from 'pino';
import { shown } from './plain.ts';

/** How the program fares, for people. What anyone will ask for later is an event instead. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What could not be written yet, as a full disk is behind it: more than this is lost. */
const MOST_UNWRITTEN_BYTES = 1024 * 1024;

/**
 * JSON lines on a file descriptor, written at once: an asynchronous destination loses lines at exit. `scrub` sees every
 * line. Lines that cannot be written are tried again with the next one; they end nobody's work.
 */
export function openLog(options: { level: LogLevel; fd: number; scrub: (text: string) => string }): Log {
  const sink = destination({ fd: options.fd, sync: true, maxLength: MOST_UNWRITTEN_BYTES });
  sink.on('error', nothing);
  const scrubbed = { write: (line: string) => void sink.write(shown(options.scrub(line))) };
  return pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, scrubbed);
}

export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function nothing(): void {
  // Silence is what it is for.
}
