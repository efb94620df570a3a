import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/lib/clock.ts';
import { either } from '../../src/lib/either.ts';

/** Time that passes only when a test says so; disk and sockets stay real. */
export interface FakeClock extends Clock {
  /** Lets `ms` pass: every timer due on the way fires in order, and what it sets off comes to rest first. */
  advance(ms: number, enough?: () => boolean): Promise<void>;
  /** The time of day is set, by `ms` forwards or backwards; whoever sleeps does not notice. */
  set(ms: number): void;
  /** Waits until nothing is going on but sleeping. */
  rest(): Promise<void>;
}

interface Timer {
  at: number;
  readonly fire: () => void;
}

export function fakeClock(start = Date.UTC(2026, 10, 21, 8)): FakeClock {
  let now = start;
  let shifted = 0;
  const timers = new Set<Timer>();
  const set = (ms: number, fire: () => void): Timer => {
    const timer = { at: now + Math.max(0, ms), fire };
    timers.add(timer);
    return timer;
  };
  const due = (until: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) if (timer.at <= until && timer.at < (first?.at ?? Infinity)) first = timer;
    return first;
  };
  return {
    now: () => now,
    elapsed: () => now - start - shifted,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const end = (): void => {
          timers.delete(timer);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        const timer = set(ms, end);
        signal?.addEventListener('abort', end, { once: true });
      }),
    deadline(ms, parent) {
      const controller = new AbortController();
      const timer = set(ms, () =>
        controller.abort(new DOMException('The deadline has passed', 'TimeoutError')),
      );
      controller.signal.addEventListener('abort', () => timers.delete(timer), { once: true });
      return parent === undefined ? controller.signal : either(parent, controller.signal).signal;
    },
    async advance(ms, enough = () => false) {
      const until = now + ms;
      await quiet();
      for (let timer = due(until); timer !== undefined && !enough(); timer = due(until)) {
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.fire();
        await quiet();
      }
      if (!enough()) now = until;
    },
    set(ms) {
      now += ms;
      shifted += ms;
      for (const timer of timers) timer.at += ms;
    },
    rest: quiet,
  };
}

/** Several turns of the loop in a row in which no file operation was under way. */
async function quiet(): Promise<void> {
  for (let turns = 0; turns < 4; turns += 1) {
    await nextTurn();
    if (process.getActiveResourcesInfo().some((kind) => isDiskWork(kind))) turns = -1;
  }
}

const isDiskWork = (kind: string): boolean => kind.startsWith('FSReq') || kind === 'CloseReq';
