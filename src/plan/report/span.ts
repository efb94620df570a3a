/** From and until in Unix ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What is common to both; null where nothing is. */
export function common(a: Span, b: Span): Span | null {
  const from = Math.max(a.from, b.from);
  const to = Math.min(a.to, b.to);
  return from < to ? { from, to } : null;
}

/** Milliseconds that are in one of `spans` and in one of `within`; neither overlap themselves. */
export function overlap(spans: readonly Span[], within: readonly Span[]): number {
  return sum(spans.flatMap((a) => within.map((b) => lengthOf(common(a, b)))));
}

/** What is left of `whole` without `holes`, which are in order. */
export function without(whole: Span, holes: readonly Span[]): readonly Span[] {
  const left: Span[] = [];
  let from = whole.from;
  for (const hole of holes) {
    const inside = common(hole, whole);
    if (inside === null) continue;
    if (inside.from > from) left.push({ from, to: inside.from });
    from = Math.max(from, inside.to);
  }
  return from < whole.to ? [...left, { from, to: whole.to }] : left;
}

const lengthOf = (span: Span | null): number => (span === null ? 0 : span.to - span.from);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
