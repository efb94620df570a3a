import { logLevels, type Log, type LogLevel } from '../lib/log.ts';
import { isoSeconds } from '../lib/time.ts';
import { plain } from '../lib/plain.ts';
import type { Event } from '../model/event.ts';
import type { Io } from './command.ts';
import { eventText } from './event-text.ts';
import { painted, styleOf, type Tone } from './table.ts';

/** What `run` says to a person at a terminal: an event a line, and plain sentences between them. `scrub` sees every line. */
export function humanLog(
  io: Pick<Io, 'stderr' | 'env' | 'clock'>,
  level: LogLevel,
  scrub: (text: string) => string,
): Log {
  const style = styleOf(io.stderr, io.env);
  const say =
    (own: Exclude<LogLevel, 'silent'>) =>
    (fields: object, message: string): void => {
      if (logLevels.indexOf(own) < logLevels.indexOf(level)) return;
      const text = isEvent(fields) ? eventText(fields, style) : sentence(fields, message);
      io.stderr.write(`${scrub(text)}\n`);
    };
  const sentence = (fields: object, message: string): string =>
    [
      painted({ text: isoSeconds(io.clock.now()), tone: 'quiet' }, style),
      painted({ text: message, tone: toneOf(fields) }, style),
      painted({ text: factsOf(fields), tone: 'quiet' }, style),
    ]
      .join('  ')
      .trimEnd();
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

const isEvent = (fields: object): fields is Event => 'event_type' in fields && 'time_ms' in fields;

const toneOf = (fields: object): Tone => ('err' in fields || 'code' in fields ? 'bad' : 'plain');

function factsOf(fields: object): string {
  const told = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return plain(told.map(([name, value]) => `${name}=${wordsOf(value)}`).join(' '));
}

function wordsOf(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
