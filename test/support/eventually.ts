import { vi } from 'vitest';

/**
 * Waits until the assertion holds, a minute at most.
 * How late a busy machine is, is nobody's failure: a time that is promised is measured by itself.
 */
export const eventually = (assertion: () => unknown): Promise<void> =>
  vi.waitFor(
    async () => {
      await assertion();
    },
    { timeout: 60_000, interval: 20 },
  );
