import picomatch from 'picomatch';
import { normalisedName } from './image.ts';

/** Whether a whole name fits one of the patterns. `*` and `?` never cross `/`; nothing else is special. */
export const fits = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => ORDINARY.test(pattern) && picomatch.isMatch(name, pattern, { ...PLAIN }));

/** No name has any other character; with one, a pattern would be half a regular expression. */
const ORDINARY = /^[A-Za-z0-9._:/*?-]+$/;

/** `liminalcommons/*` -> `docker.io/liminalcommons/*`: a pattern may be written as short as a name. */
export function normalisedPattern(pattern: string): string {
  const [first = ''] = pattern.split('/');
  return /[*?]/.test(first) ? pattern : normalisedName(pattern);
}

const PLAIN = {
  noglobstar: true,
  nobrace: true,
  noextglob: true,
  nonegate: true,
  nobracket: true,
  dot: true,
  windows: false,
} as const;
