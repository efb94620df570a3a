import { err, ok, type Result } from '../lib/result.ts';
import { ownValue } from '../lib/own-value.ts';
import type { Option } from './command.ts';

/** The kinds of option there are. Each says how its text is read and what is wrong with a text that cannot be. */

/** Any text; null when it is not given. */
export function text(placeholder: string, says: string): Option<string | null> {
  return { ...one(placeholder, says, (value) => ok<string | null>(value)), fallback: ok(null), shown: null };
}

/** Any text, with a default. */
export function textOr(placeholder: string, says: string, fallback: string): Option<string> {
  return { ...one(placeholder, says, (value) => ok(value)), fallback: ok(fallback), shown: fallback };
}

/** An address that takes no login; with one it is refused before anybody repeats it. */
export function withoutLogin(placeholder: string, says: string, fallback: string): Option<string> {
  const read = (value: string): Result<string, string> =>
    value.includes('@') ? err('must be an address without a login') : ok(value);
  return { ...one(placeholder, says, read), fallback: ok(fallback), shown: fallback };
}

/** Somebody must give it. */
export function required(placeholder: string, says: string): Option<string> {
  return { ...one(placeholder, says, (value) => ok(value)), fallback: err('is needed'), shown: null };
}

/** Given or not; in the environment `true`, `1`, `yes`, or `false`, `0`, `no`. */
export function flag(says: string): Option<boolean> {
  return { ...one(null, says, readFlag), fallback: ok(false), shown: null };
}

/** May be given more than once; in the environment separated by commas. */
export function list(placeholder: string, says: string): Option<readonly string[]> {
  return {
    placeholder,
    says,
    repeatable: true,
    shown: null,
    fallback: ok([]),
    read: (texts) => ok(texts),
  };
}

/** A whole number from `least` on. */
export function whole(placeholder: string, says: string, fallback: number, least = 0): Option<number> {
  const read = (value: string): Result<number, string> =>
    /^\d{1,15}$/.test(value) && Number(value) >= least
      ? ok(Number(value))
      : err(`must be a whole number from ${least} on, not "${value}"`);
  return { ...one(placeholder, says, read), fallback: ok(fallback), shown: String(fallback) };
}

/** A length of time such as `90`, `30s`, `10m`, `2h`, `1d`; the value is in seconds. */
export function duration(says: string, fallback: string): Option<number> {
  return { ...one('duration', says, readDuration), fallback: readDuration(fallback), shown: fallback };
}

/** A length of time in seconds; null when it is not given. */
export function durationOrNone(says: string): Option<number | null> {
  return { ...one<number | null>('duration', says, readDuration), fallback: ok(null), shown: null };
}

/** One of these words. */
export function choice<Word extends string>(
  says: string,
  words: readonly [Word, ...Word[]],
  fallback: Word,
): Option<Word> {
  const read = (value: string): Result<Word, string> => {
    const found = words.find((word) => word === value);
    return found === undefined ? err(`must be one of ${words.join(', ')}, not "${value}"`) : ok(found);
  };
  return { ...one(words.join('|'), says, read), words, fallback: ok(fallback), shown: fallback };
}

/** `2h` -> 7200. A bare number is seconds. */
function readDuration(value: string): Result<number, string> {
  const match = /^(\d{1,9})([smhd]?)$/.exec(value);
  if (match === null) return err(`must be a length of time such as 30s, 10m or 2h, not "${value}"`);
  return ok(Number(match[1]) * (ownValue(secondsPerUnit, match[2] ?? '') ?? 1));
}

const secondsPerUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** An option with one text; the last one counts, as everywhere on a command line. */
function one<T>(
  placeholder: string | null,
  says: string,
  read: (value: string) => Result<T, string>,
): Pick<Option<T>, 'placeholder' | 'says' | 'repeatable' | 'read'> {
  return { placeholder, says, repeatable: false, read: (texts) => read(texts.at(-1) ?? '') };
}

function readFlag(value: string): Result<boolean, string> {
  if (['true', '1', 'yes'].includes(value)) return ok(true);
  if (['false', '0', 'no'].includes(value)) return ok(false);
  return err(`must be true or false, not "${value}"`);
}

/** A moment such as `2026-11-20T12:00:00Z`, or so long ago as `2h`; told in Unix ms once it is known what time it is. */
export function momentOrNone(says: string): Option<Moment | null> {
  return { ...one<Moment | null>('time', says, readMoment), fallback: ok(null), shown: null };
}

type Moment = (now: number) => number;

function readMoment(value: string): Result<Moment, string> {
  const ago = readDuration(value);
  if (ago.ok) return ok((now) => now - ago.value * 1000);
  const at = /^\d{4}-/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at)
    ? err(`must be a time such as 2026-11-20T12:00:00Z or 2h (ago), not "${value}"`)
    : ok(() => at);
}

/** A git commit, or the beginning of one; somebody must give it. */
export function revision(says: string): Option<string> {
  const read = (value: string): Result<string, string> =>
    /^([0-9a-f]{7,64}|sha256:[0-9a-f]{7,64})$/i.test(value)
      ? ok(value.toLowerCase())
      : err(`must be a commit, 7 hexadecimal digits at least, not "${value}"`);
  return { ...one('sha', says, read), fallback: err('is needed'), shown: null };
}
