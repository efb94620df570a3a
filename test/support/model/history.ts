import fc from 'fast-check';
import type { Trait } from './engine.ts';

/** What happens to the world, and when (seconds). `server` is an index, taken modulo the number of servers. */
export interface Act {
  readonly at: number;
  readonly server: number;
  readonly what: What;
}

export type What =
  | {
      readonly kind: 'commit';
      readonly trait: Trait;
      readonly restartPolicy: Policy;
      readonly rollback: boolean;
    }
  /** A version that the registry has and no commit names. */
  | { readonly kind: 'publish'; readonly trait: Trait }
  /** Another environment; `bad`: no version bears it. */
  | { readonly kind: 'change-env'; readonly bad: boolean }
  | { readonly kind: 'change-strategy'; readonly strategy: Strategy }
  | { readonly kind: 'ails' }
  | { readonly kind: 'stop-entry' | 'remove-entry' | 'revert' | 'empty-manifest' | 'retry' }
  | {
      readonly kind:
        | 'person-stops'
        | 'person-removes'
        | 'person-disconnects'
        | 'person-renames'
        | 'person-copies'
        | 'tool-touches'
        | 'hangs';
    }
  | { readonly kind: 'engine-restarts' | 'registry-away' | 'engine-refuses' | 'probe-broken' | 'view-broken' }
  | { readonly kind: 'pause'; readonly seconds: number }
  | { readonly kind: 'state-lost' | 'checkpoint' };

export type Strategy = 'pinned' | 'semantic' | 'latest';

export type Policy = 'always' | 'on-failure' | 'unless-stopped';

export interface Death {
  /** Counted from the latest death: at which write of the log we die. */
  readonly write: number;
  readonly after: boolean;
  /** Seconds until we are back. */
  readonly away: number;
}

export interface History {
  readonly servers: number;
  /** Index of the server that may run only once; -1: none. */
  readonly exclusive: number;
  /** The last server depends on the first. */
  readonly dependent: boolean;
  /** How the versions of each server move, by index. Without them no registry is asked: each commit names its image. */
  readonly strategies?: readonly Strategy[];
  readonly acts: readonly Act[];
  readonly deaths: readonly Death[];
}

const traits: readonly Trait[] = [
  'good',
  'slow',
  'never',
  'exits',
  'ends',
  'late',
  'sickens',
  'wrong',
  'rejected',
];

const commit: fc.Arbitrary<What> = fc.record({
  kind: fc.constant('commit' as const),
  trait: fc.oneof(
    { weight: 2, arbitrary: fc.constant('good' as const) },
    { weight: 3, arbitrary: fc.constantFrom(...traits) },
  ),
  restartPolicy: fc.constantFrom('always', 'on-failure', 'unless-stopped'),
  rollback: fc.nat(4).map((n) => n > 0),
});

const other: fc.Arbitrary<What> = fc.oneof(
  fc.constantFrom<What[]>(
    { kind: 'stop-entry' },
    { kind: 'remove-entry' },
    { kind: 'revert' },
    { kind: 'empty-manifest' },
    { kind: 'retry' },
    { kind: 'person-stops' },
    { kind: 'person-removes' },
    { kind: 'person-disconnects' },
    { kind: 'person-renames' },
    { kind: 'person-copies' },
    { kind: 'tool-touches' },
    { kind: 'hangs' },
    { kind: 'hangs' },
    { kind: 'engine-restarts' },
    { kind: 'registry-away' },
    { kind: 'engine-refuses' },
    { kind: 'probe-broken' },
    { kind: 'view-broken' },
    { kind: 'state-lost' },
    { kind: 'checkpoint' },
  ),
  fc.integer({ min: 3, max: 40 }).map((seconds): What => ({ kind: 'pause', seconds })),
);

const act: fc.Arbitrary<Act> = fc.record({
  at: fc.integer({ min: 0, max: 150 }),
  server: fc.nat(6),
  what: fc.oneof(commit, other),
});

const strategy = fc.constantFrom<Strategy[]>('semantic', 'semantic', 'latest', 'pinned');

/** What a registry and those who merge do to servers that follow versions. */
const followed: fc.Arbitrary<What> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...traits).map((trait): What => ({ kind: 'publish', trait })) },
  { weight: 2, arbitrary: fc.constant<What>({ kind: 'publish', trait: 'good' }) },
  { weight: 4, arbitrary: fc.nat(4).map((n): What => ({ kind: 'change-env', bad: n === 0 })) },
  { weight: 1, arbitrary: strategy.map((to): What => ({ kind: 'change-strategy', strategy: to })) },
  { weight: 1, arbitrary: fc.constant<What>({ kind: 'ails' }) },
  { weight: 1, arbitrary: fc.constant<What>({ kind: 'registry-away' }) },
);

/** Of servers that follow versions, whose registry has good ones and bad ones. */
export const followingHistories = (most: number): fc.Arbitrary<History> =>
  fc
    .record({
      history: histories(most),
      strategies: fc.array(strategy, { minLength: most, maxLength: most }),
      followed: fc.array(
        fc.record({ at: fc.integer({ min: 0, max: 150 }), server: fc.nat(6), what: followed }),
        { minLength: 1, maxLength: 7 },
      ),
    })
    .map(({ history, strategies, followed: acts }) => ({
      ...history,
      strategies,
      acts: [...history.acts.slice(0, 4), ...acts],
    }));

export const histories = (most: number): fc.Arbitrary<History> =>
  fc.record({
    servers: fc.integer({ min: 1, max: most }),
    exclusive: fc.integer({ min: -1, max: most - 1 }),
    dependent: fc.boolean(),
    acts: fc.array(act, { maxLength: 7 }),
    deaths: fc.array(
      fc.record({
        write: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 60 })),
        after: fc.boolean(),
        away: fc.constantFrom(0, 1, 5, 20, 60),
      }),
      { maxLength: 3 },
    ),
  });
