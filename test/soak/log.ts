import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggedEvent } from '../../examples/stage/events.ts';

/** All lines of a state folder's log in their order, older files first. A line that cannot be read is thrown at whoever asks. */
export async function wholeLog(state: string): Promise<LoggedEvent[]> {
  const names = (await readdir(state)).filter((name) => /^events(-\d+)?\.jsonl$/.test(name));
  const older = names.filter((name) => name !== 'events.jsonl').sort((a, b) => firstOf(a) - firstOf(b));
  const texts = await Promise.all(
    [...older, 'events.jsonl'].map((name) => readFile(join(state, name), 'utf8')),
  );
  return texts.flatMap((text) =>
    text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LoggedEvent),
  );
}

const firstOf = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? 0);

/** The last event of these kinds about a server; with its fields as anybody reads them. */
export const lastOf = (
  events: readonly LoggedEvent[],
  server: string,
  ...types: readonly string[]
): LoggedEvent | undefined =>
  events.findLast(({ event_type, server_name }) => server_name === server && types.includes(event_type));
