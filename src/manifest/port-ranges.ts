/** Both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** `8080` or `8000-8999`. */
export const PORT_RANGE = '^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?$';

export function portRange(written: string): PortRange {
  const [from = '', to = from] = written.split('-');
  return { from: Number(from), to: Number(to) };
}

export const isInRanges = (port: number, ranges: readonly PortRange[]): boolean =>
  ranges.some(({ from, to }) => from <= port && port <= to);

/** As the policy file writes them. */
export const writtenRanges = (ranges: readonly PortRange[]): string =>
  ranges.map(({ from, to }) => (from === to ? `"${from}"` : `"${from}-${to}"`)).join(', ');
