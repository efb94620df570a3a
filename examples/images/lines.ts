/** One line of what the engine tells while it builds, pulls or pushes. */
interface ProgressLine {
  readonly error?: string;
  /** What a step of a build wrote. */
  readonly stream?: string;
  readonly aux?: { readonly Digest?: string; readonly ID?: string };
}

/** The lines of such an answer. Throws when one of them is an error: the engine says 200 all the same. */
export function readLines(text: string): ProgressLine[] {
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as ProgressLine);
  const failed = lines.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(`the engine could not: ${failed.error}\n${endOf(lines)}`);
  return lines;
}

/** What was said last, which is where the reason is. */
const endOf = (lines: readonly ProgressLine[]): string =>
  lines
    .map(({ stream }) => stream ?? '')
    .join('')
    .slice(-2_000);
