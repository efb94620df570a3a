import picocolors from 'picocolors';
import type { Io, Output } from './command.ts';
import { plain } from '../lib/plain.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'strong' | 'plain';

/** A text with its tone; a bare text is plain. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

export interface Style {
  readonly colour: boolean;
  /** Columns of the terminal; null: lines are never cut. */
  readonly width: number | null;
}

/** Colours and cut lines are for people at a terminal; NO_COLOR and a dumb terminal are respected. */
export function styleOf(output: Output, env: Io['env']): Style {
  const isTerminal = output.isTTY === true;
  const dull = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return { colour: isTerminal && !dull, width: isTerminal ? (output.columns ?? null) : null };
}

/** Aligned columns, two spaces between them; empty for no rows. Ends in a newline. */
export function table(rows: readonly (readonly Cell[])[], style: Style): string {
  const texts = rows.map((row) => row.map((cell) => plain(textOf(cell))));
  const widths = texts.reduce<number[]>(
    (widest, row) => row.map((text, at) => Math.max(text.length, widest[at] ?? 0)),
    [],
  );
  return rows.map((row) => `${line(row, widths, style)}\n`).join('');
}

/** One text in its tone. What others wrote cannot steer the terminal. */
export function painted(cell: Cell, style: Style): string {
  return painter(cell, style)(plain(textOf(cell)));
}

const GAP = 2;

/** Padding and cutting go by what is seen; colour comes last and takes no room. */
function line(row: readonly Cell[], widths: readonly number[], style: Style): string {
  let left = style.width ?? Infinity;
  const parts = row.map((cell, at) => {
    const isLast = at === row.length - 1;
    const text = plain(textOf(cell));
    const seen = cut(isLast ? text : text.padEnd((widths[at] ?? 0) + GAP), left);
    left -= seen.length;
    return painter(cell, style)(seen);
  });
  return parts.join('').trimEnd();
}

const cut = (text: string, room: number): string =>
  text.length <= room ? text : room <= 0 ? '' : `${text.slice(0, room - 1)}…`;

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);

function painter(cell: Cell, { colour }: Style): (text: string) => string {
  const colours = picocolors.createColors(colour);
  const tones = {
    good: colours.green,
    warn: colours.yellow,
    bad: colours.red,
    quiet: colours.dim,
    strong: colours.bold,
    plain: (text: string) => text,
  };
  return tones[typeof cell === 'string' ? 'plain' : cell.tone];
}
