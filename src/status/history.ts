import type { Health } from '../model/observed.ts';
import { isoSeconds } from '../lib/time.ts';
import type { ServerRecord } from '../model/status.ts';

/** How one server was over time, as far as we have watched, at most a day back. */
export interface Past {
  readonly name: string;
  /** Share of the time with a known health in which requests could be answered (healthy or degraded); null: unknown. */
  readonly availability: number | null;
  /** Oldest first, without gaps; `to` of the last one is now. */
  readonly spans: readonly { readonly from: string; readonly to: string; readonly health: Health }[];
}

interface Span {
  /** Unix ms. */
  readonly from: number;
  readonly health: Health;
}

/** Remembers when the health of each server changed. */
export class History {
  #spans = new Map<string, readonly Span[]>();

  /** Servers that are not among `records` are forgotten. */
  note(records: readonly ServerRecord[], now: number): void {
    this.#spans = new Map(records.map(({ name, health }) => [name, this.#with(name, { from: now, health })]));
  }

  until(now: number): readonly Past[] {
    return [...this.#spans].map(([name, spans]) => pastOf(name, spans, now));
  }

  #with(name: string, span: Span): readonly Span[] {
    const known = this.#spans.get(name) ?? [];
    return known.at(-1)?.health === span.health ? known : [...known, span].slice(-MAX_SPANS);
  }
}

const MAX_SPANS = 200;
const DAY_MS = 86_400_000;

function pastOf(name: string, known: readonly Span[], now: number): Past {
  const begin = now - DAY_MS;
  const spans = known
    .map(({ from, health }, at) => ({ from: Math.max(from, begin), to: known[at + 1]?.from ?? now, health }))
    .filter(({ to }) => to >= begin);
  const lasted = (...wanted: Health[]): number =>
    spans.reduce((sum, { from, to, health }) => sum + (wanted.includes(health) ? to - from : 0), 0);
  const knownMs = lasted('healthy', 'degraded', 'unhealthy');
  return {
    name,
    availability: knownMs === 0 ? null : lasted('healthy', 'degraded') / knownMs,
    spans: spans.map(({ from, to, health }) => ({ from: isoSeconds(from), to: isoSeconds(to), health })),
  };
}
