import { defineConfig } from 'vitest/config';

/** They promise seconds, or that nothing happens on the engine: nothing else runs beside them. */
const MEASURED = ['demo', 'w2', 'w2-upgrade', 'w3-recovery', 'status', 'one-list'].map(
  (name) => `test/engine/${name}.test.ts`,
);

export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 90, branches: 90 },
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/engine/**'],
          testTimeout: 20_000,
          pool: 'forks',
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts'],
          exclude: MEASURED,
          globalSetup: ['test/support/engine.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          pool: 'forks',
          // They wait more than they work, each with an owner, ports and names of its own.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'measured',
          include: MEASURED,
          globalSetup: ['test/support/engine.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          pool: 'forks',
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
