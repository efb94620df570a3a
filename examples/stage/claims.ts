import type { Screen } from './screen.ts';

interface Claim {
  readonly what: string;
  readonly measured: string;
  readonly expected: string;
  readonly met: boolean;
}

/** What was promised and what was measured. */
export class Claims {
  readonly #claims: Claim[] = [];

  /** That something is so; `measured` says what was seen. */
  holds(what: string, met: boolean, measured: string, expected = 'as promised'): void {
    this.#claims.push({ what, measured, expected, met });
  }

  /** That something took no longer than `limit` seconds. */
  within(what: string, seconds: number, limit: number): void {
    this.holds(what, seconds <= limit, `${seconds.toFixed(1)} s`, `at most ${limit} s`);
  }

  /** That could not even be measured. */
  failed(what: string, error: unknown): void {
    this.holds(what, false, error instanceof Error ? error.message : String(error));
  }

  get missed(): readonly Claim[] {
    return this.#claims.filter(({ met }) => !met);
  }

  /** Prints them all and gives the exit code: 0 when each is met. */
  show(screen: Screen): number {
    const rows = this.#claims.map(({ what, measured, expected, met }) => [
      met ? 'met' : 'MISSED',
      what,
      measured.split('\n')[0] ?? '',
      expected,
    ]);
    screen.table(
      [['', 'claim', 'measured', 'promised'], ...rows],
      ([state]) => ({ met: 'green', MISSED: 'red', '': 'dim' })[state ?? ''] as 'green' | 'red' | 'dim',
    );
    for (const { what, measured } of this.missed) screen.say(`\nMISSED: ${what}: ${measured}`);
    return this.missed.length === 0 ? 0 : 1;
  }
}

/** Seconds since a moment of `Date.now()`. */
export const secondsSince = (startedMs: number): number => (Date.now() - startedMs) / 1_000;
