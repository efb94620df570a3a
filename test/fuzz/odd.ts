import type { Random } from '../support/random.ts';

/** Texts that broke a program somewhere: names of every object, escape sequences, odd numbers, and what is long. */
const texts: readonly string[] = [
  ...[
    '',
    ' ',
    '\n',
    '\0',
    '\t',
    '\r\n',
    '\u001b[2J\u001b]0;title\u0007',
    '\u009b31m',
    '\u202egnp.exe',
    '\ufeff',
  ],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'length'],
  ...[
    '-',
    '--',
    '-h',
    '..',
    '../../etc/passwd',
    '/',
    '//',
    '\\',
    '%',
    '%00',
    '%zz',
    '%2f',
    '@',
    ':',
    '#',
    '?',
  ],
  ...['null', 'true', 'NaN', 'Infinity', '-0', '1e999', '0x10', '010', '1_000', '1.0', '9007199254740993'],
  ...[
    'v1',
    '1.0.0-rc.1',
    '1.0.0+build',
    '01.2.3',
    '99999999999999999999.0.0',
    'latest',
    'sha256:',
    '>=1 <0',
    '^',
  ],
  ...['2026-11-27T10:00:00Z', '2026-13-45', '0001-01-01T00:00:00Z', '+275760-09-13T00:00:00Z', 'yesterday'],
  ...[
    '{{',
    '${HOME}',
    '$(id)',
    '`id`',
    "'; DROP",
    '<script>',
    '&amp;',
    '*',
    '&a',
    '!!js',
    '|',
    '>',
    '- -',
    '? :',
  ],
  ...[
    'localhost',
    '127.0.0.1',
    '[::1]',
    '[::',
    '0.0.0.0:0',
    '1.2.3.4.5',
    'a.b:99999',
    'xn--',
    'ä',
    '👩‍👩‍👧',
    '\ud800',
  ],
];

/** One of them, or one that is made. At most 20,000 characters. */
export function oddText(random: Random): string {
  const chance = random.next();
  if (chance < 0.6) return random.pick(texts);
  if (chance < 0.7) return random.pick(texts).repeat(random.whole(1, 200));
  if (chance < 0.78)
    return random.pick(['a', '/', '.', '-', ':', 'a-', '[', '{', ' ']).repeat(random.whole(1, 20_000));
  return Array.from({ length: random.whole(1, 24) }, () => String.fromCharCode(random.whole(1, 0x2ff))).join(
    '',
  );
}

const numbers = [0, -0, -1, 1, 1.5, 65_536, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 1e308, 5e-324];

/** Anything that JSON can say, at most a few levels deep. */
export function oddValue(random: Random, depth = 0): unknown {
  const chance = random.next();
  if (chance < 0.18) return null;
  if (chance < 0.3) return random.chance(0.5);
  if (chance < 0.45) return random.pick(numbers);
  if (chance < 0.75 || depth > 2) return oddText(random);
  const some = Array.from({ length: random.whole(0, 4) }, () => oddValue(random, depth + 1));
  if (chance < 0.87) return some;
  return objectOf(some.map((value) => [oddText(random).slice(0, 40), value]));
}

/** As JSON.parse makes it: `__proto__` is a key like any other. */
export function objectOf(
  entries: readonly (readonly [key: string, value: unknown])[],
): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [key, value] of entries)
    Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
  return made;
}
