import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const engineTests = (names: readonly string[]): string[] =>
  names.map((name) => `test/engine/${name}.test.ts`);

/** They promise seconds, and mostly wait: only two that wait as they do run beside them. */
const MEASURED = engineTests(['demo', 'w3-recovery', 'drift', 'status', 'flood']);

/** They send as many requests as they promise, or that nothing is asked of the engine: nothing else runs beside them. */
const ALONE = engineTests(['w2', 'w2-upgrade', 'one-list']);

/** They take longest. */
const LONG = [
  ...['waypoints', 'w2-rollback', 'w2-following', 'w3-attempts', 'w3-engine-restart'],
  ...['endurance', 'docs', 'dockerfile', 'convergence', 'runtime', 'replay-1', 'replay-2', 'replay-3'],
  ...['replay-4', 'policy.property', 'what-git-says.property', 'worlds.property', 'manifest.property'],
  ...['program', 'plan', 'remote', 'slow', 'contract', 'lock', 'fuzz', 'kit', 'page', 'demo', 'w3-recovery'],
].map((name) => `/${name}.test.ts`);

/** The long ones begin first, so that none is left to run alone at the end. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.some((name) => moduleId.endsWith(name));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** How late a busy machine is, is nobody's failure: a time that is promised is measured by itself. */
const patience = { testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: { timeout: 60_000 } } };

export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 90, branches: 90 },
    },
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/engine/**'],
          globalSetup: ['test/support/programs.ts'],
          ...patience,
          pool: 'forks',
          // Each file brings what it needs and takes it away: to load everything anew for each would cost a minute.
          isolate: false,
          maxWorkers: 4,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts'],
          exclude: [...MEASURED, ...ALONE],
          globalSetup: ['test/support/engine.ts'],
          ...patience,
          pool: 'forks',
          // They wait more than they work, each with an owner, ports and names of its own.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'measured',
          include: MEASURED,
          globalSetup: ['test/support/engine.ts'],
          ...patience,
          pool: 'forks',
          maxWorkers: 3,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'alone',
          include: ALONE,
          globalSetup: ['test/support/engine.ts'],
          ...patience,
          pool: 'forks',
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
