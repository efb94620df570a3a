import { well, wrong, type Finding } from './finding.ts';

/** Further off, answers of servers count as stale, and certificates and tokens as over. */
const MOST_OFF_MS = 30_000;

export interface OtherClock {
  readonly whose: string;
  /** Unix ms. */
  readonly time: number;
}

/** `others` were read at `now`, or a moment before. */
export function clockFinding(now: number, others: readonly OtherClock[]): Finding {
  const time = new Date(now).toISOString();
  if (others.length === 0) return well('clock', `${time}; nobody told another time`);
  const off = others.filter((other) => Math.abs(other.time - now) > MOST_OFF_MS);
  if (off.length === 0) return well('clock', `${time}, as ${others.map(({ whose }) => whose).join(', ')}`);
  const told = off.map((other) => `${Math.round((other.time - now) / 1_000)} s to that of ${other.whose}`);
  return wrong(
    'clock',
    `${time}, off by ${told.join(', ')}`,
    'keep the clock right: NTP on this machine and there',
  );
}
