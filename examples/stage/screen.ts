import picocolors from 'picocolors';

type Output = Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean };
type Colour = 'bold' | 'dim' | 'green' | 'red' | 'cyan';

/** Writes for people: aligned everywhere, coloured only on a terminal. */
export class Screen {
  readonly #output: Output;
  readonly #colours: ReturnType<typeof picocolors.createColors>;

  constructor(output: Output = process.stdout) {
    this.#output = output;
    const wanted = process.env['NO_COLOR'] === undefined || process.env['NO_COLOR'] === '';
    this.#colours = picocolors.createColors(output.isTTY === true && wanted);
  }

  heading(text: string): void {
    this.#output.write(`\n${this.#colours.bold(text)}\n`);
  }

  say(text: string): void {
    for (const line of text.split('\n')) this.#output.write(`  ${line}\n`);
  }

  command(text: string): void {
    this.#output.write(`  ${this.#colours.cyan(`$ ${text}`)}\n`);
  }

  /** Rows with columns of one width each; `colour` is for whole rows. */
  table(
    rows: readonly (readonly string[])[],
    colour: (row: readonly string[]) => Colour | null = plain,
  ): void {
    for (const [position, line] of aligned(rows).entries()) {
      const chosen = colour(rows[position] ?? []);
      this.#output.write(`  ${chosen === null ? line : this.#colours[chosen](line)}\n`);
    }
  }
}

const plain = (): null => null;

/** Lines in which the n-th cells begin at one place. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
