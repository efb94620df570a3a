import type { Random } from '../support/random.ts';
import { objectOf, oddText, oddValue } from './odd.ts';

/** A copy of plain data in which one to four things are otherwise: gone, another value, another name, or twice. */
export function damaged(random: Random, value: unknown): unknown {
  let result = value;
  for (let left = random.whole(1, 4); left > 0; left -= 1) result = damagedOnce(random, result);
  return result;
}

function damagedOnce(random: Random, value: unknown): unknown {
  if (Array.isArray(value)) return damagedList(random, value as unknown[]);
  if (typeof value === 'object' && value !== null) return damagedObject(random, Object.entries(value));
  return random.chance(0.3) && typeof value === 'string' ? damagedText(random, value) : oddValue(random);
}

function damagedList(random: Random, list: readonly unknown[]): unknown {
  const chance = random.next();
  if (list.length === 0 || chance < 0.05) return oddValue(random);
  const at = random.whole(0, list.length - 1);
  if (chance < 0.15) return list.filter((_, position) => position !== at);
  if (chance < 0.25) return [...list, list[at]];
  if (chance < 0.3) return [...list, oddValue(random)];
  return list.map((item, position) => (position === at ? damagedOnce(random, item) : item));
}

function damagedObject(random: Random, entries: readonly (readonly [string, unknown])[]): unknown {
  const chance = random.next();
  if (entries.length === 0 || chance < 0.03) return oddValue(random);
  const at = random.whole(0, entries.length - 1);
  const [key, value] = entries[at] ?? ['', null];
  const put = (replacement: readonly (readonly [string, unknown])[]): unknown =>
    objectOf([...entries.slice(0, at), ...replacement, ...entries.slice(at + 1)]);
  if (chance < 0.13) return put([]);
  if (chance < 0.2) return put([[oddText(random).slice(0, 60), value]]);
  if (chance < 0.25)
    return put([
      [key, value],
      [oddText(random).slice(0, 60), oddValue(random)],
    ]);
  if (chance < 0.5) return put([[key, oddValue(random)]]);
  return put([[key, damagedOnce(random, value)]]);
}

/** A text in which a few characters are gone, other ones, or there again. */
export function damagedText(random: Random, text: string): string {
  let result = text;
  for (let left = random.whole(1, 3); left > 0; left -= 1) {
    const at = random.whole(0, result.length);
    const rest = at + random.whole(0, Math.min(40, result.length));
    const middle = random.chance(0.5)
      ? oddText(random)
      : random.chance(0.3)
        ? result.slice(at, rest).repeat(3)
        : '';
    result = result.slice(0, at) + middle + result.slice(random.chance(0.5) ? at : rest);
  }
  return result;
}
