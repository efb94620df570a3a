import type { ExitBy, Gate } from './event.ts';
import type { FailureClass } from './failure.ts';
import type { Health } from './observed.ts';

/** What cannot be seen: a fold of the log and of nothing else. Plain data, so that a checkpoint can carry it. */
export interface Memory {
  /** Highest sequence number folded in. */
  readonly seq: number;
  /** The accepted revision, or null before the first. */
  readonly revision: string | null;
  readonly source: string | null;
  readonly traceId: string | null;
  /** Unix ms when `revision` was first accepted. */
  readonly acceptedAt: number;
  /** Revision whose settling is already written down. */
  readonly settled: string | null;
  /** What the accepted commit's `Allow-Removal` trailer released. */
  readonly allowRemoval: readonly string[];
  /** Revision for which `removal_held` is already written down. */
  readonly removalHeldFor: string | null;
  /** Whole-orchestrator pause: until Unix ms, Infinity is written as null. */
  readonly pause: Pause | null;
  readonly viewSuspectSince: number | null;
  /** Unix ms when our view was last trusted again: silence from before it means nothing. */
  readonly viewClearedAt: number | null;
  readonly servers: Readonly<Record<string, ServerMemory>>;
  /** Unix ms from which on the log tells of every container that we made; null: there is no log yet. */
  readonly since: number | null;
  /** When it told of none, the latest last: nobody watched, or a backup without the end of the log was put back. */
  readonly silences: readonly Silence[];
  /** Ids of the containers that bore our labels without being ours, as they were last told. */
  readonly foreignNoted: readonly string[];
  /** Images that we brought for servers that are gone, as `repository@digest` -> Unix ms of their going. */
  readonly orphans: Readonly<Record<string, number>>;
}

export interface Pause {
  readonly until: number | null;
  readonly reason: string;
}

/** Instances are keyed by container id. A fact about one is void when it started later than the fact. */
export interface ServerMemory {
  /** Hash of the entry as last accepted. null: not in the manifest. */
  readonly entry: string | null;
  readonly traceId: string | null;
  /** What the entry's tag stands for, resolved once per entry change. */
  readonly resolved: Resolved | null;
  /** Spec digest that lasted its soak: where a rollback goes; never quarantined. */
  readonly stable: string | null;
  readonly promoted: {
    readonly container: string;
    readonly spec: string;
    readonly version: string | null;
    readonly at: number;
  } | null;
  readonly quarantined: readonly Quarantine[];
  /** By spec digest. */
  readonly postponed: Readonly<Record<string, Postponed>>;
  /** Container id -> Unix ms when its drain began. */
  readonly drains: Readonly<Record<string, number>>;
  readonly condemned: readonly string[];
  /** What was put right without anybody's asking, in the last ten minutes, the latest last. */
  readonly repairs: readonly Repair[];
  /** They are held until the entry changes, or `retry`: drift is left as it is. */
  readonly repairsHeld: boolean;
  /** The latest drift; null: none since the entry changed. */
  readonly drift: Drift | null;
  /** Container that answers for its server, and that we did not take off the live network. */
  readonly answered: string | null;
  /** The containers that we made, the newest last. */
  readonly made: readonly Made[];
  readonly exits: Readonly<Record<string, Exit>>;
  /** Container id -> Unix ms when we stopped it. */
  readonly stopped: Readonly<Record<string, number>>;
  /** Container id -> Unix ms when we began to stop it, unless it was to begin anew. */
  readonly ending: Readonly<Record<string, number>>;
  readonly recovery: RecoveryMemory;
  readonly health: Readonly<
    Record<string, { readonly state: Health; readonly at: number; readonly was: boolean }>
  >;
  /** Images that we brought here, as `repository@digest`: only these are ever deleted by us. */
  readonly pulled: readonly string[];
  /** When each of them was brought here, Unix ms; absent in checkpoints of older programs. */
  readonly pulledAt: Readonly<Record<string, number>>;
  /** Image digests of the versions that lasted their soak, the present one last; as many as are kept. */
  readonly stableImages: readonly string[];
  /** The rollout in progress: begun, and neither stable nor failed. */
  readonly rollout: {
    readonly id: string;
    readonly spec: string;
    readonly at: number;
    readonly fromVersion: string | null;
    /** The first gate that it did not pass by its own fault; absent while there is none. */
    readonly gate?: Gate;
  } | null;
  /** Id of the rollout that failed last: the way back is part of its story. Absent in checkpoints of older programs. */
  readonly failedRollout?: string | null;
  readonly incident: { readonly id: string; readonly downAt: number } | null;
  /** It is stopped, and it is written down that it may stay so. */
  readonly resting: boolean;
  readonly pause: Pause | null;
  /** Container id -> drift already written down (joined words). */
  readonly driftNoted: Readonly<Record<string, string>>;
  /** Reason already written down by server_refused or server_held. */
  readonly refusalNoted: string | null;
  readonly updateNoted: string | null;
  /** Image digest -> when it was first seen in the registry (Unix ms); only those that were told. */
  readonly found: Readonly<Record<string, FoundVersion>>;
  /** The image whose version git was told of last. */
  readonly writtenBack: string | null;
  /** What the entry said of pruning when it was last there; null: not known, the label is asked. */
  readonly prune: boolean | null;
  /** The latest way back: from a quarantined spec to another, and whether that one answers yet. */
  readonly rollback: {
    readonly from: string;
    readonly to: string;
    readonly at: number;
    readonly open: boolean;
  } | null;
}

/** A version that the registry has. */
export interface FoundVersion {
  /** Unix ms. */
  readonly at: number;
  readonly version: string | null;
  /** With its tag; absent in checkpoints of older programs. */
  readonly image?: string;
}

/** A spec that could not be begun; tried again after `until`. */
export interface Postponed {
  /** Unix ms. */
  readonly until: number;
  /** Failures in a row, from 1. */
  readonly count: number;
  readonly error: string;
  readonly code: string | null;
  readonly gate: Gate;
  /** `version`: it is its own fault, so it is set aside where there is something else to run. */
  readonly class: FailureClass;
}

export interface Resolved {
  readonly entry: string;
  readonly image: string;
  readonly imageDigest: string;
  readonly version: string | null;
  /** The image that the entry itself names; absent in lines of older programs. */
  readonly asked?: string;
  /** What that one stood for when it was asked for; absent while nobody had to ask. */
  readonly askedDigest?: string;
}

export interface Quarantine {
  readonly spec: string;
  readonly imageDigest: string;
  readonly version: string | null;
  readonly gate: Gate;
  readonly reason: string;
  readonly at: number;
}

export interface Repair {
  /** Unix ms. */
  readonly at: number;
  /** What differed, in words. */
  readonly what: string;
  /** The engine's event that came before it; null: none was seen. */
  readonly after: string | null;
}

export interface Drift extends Omit<Repair, 'at'> {
  readonly container: string;
  /** Spec digest. */
  readonly spec: string;
  /** What was made in place of one that drifted never answered, and is just as that one. */
  readonly again: boolean;
  /** Another was made in its place. */
  readonly repaired: boolean;
}

/** Unix ms. */
export interface Silence {
  readonly from: number;
  readonly to: number;
}

export interface Made {
  /** Its short name: an intent knows no id yet. */
  readonly instance: string;
  /** Its id; null: nobody knows what became of the intent. */
  readonly container: string | null;
  /** Spec digest. */
  readonly spec: string;
  /** We removed it, or it went without us and that is counted. */
  readonly gone?: boolean;
}

export interface Exit {
  /** Unix ms of the exit itself. */
  readonly at: number;
  readonly by: ExitBy;
  readonly code: number | null;
  /** A person's stop is believed only when the engine outlived it. */
  readonly sure: boolean;
}

export interface RecoveryMemory {
  readonly attempts: number;
  readonly lastAt: number | null;
  /** An attempt is in flight since. */
  readonly open: number | null;
  readonly exhausted: boolean;
  /** That all attempts failed was told since the first of those that count: not again until they count anew. */
  readonly told: boolean;
  readonly recoveredAt: number | null;
  /** Number of the latest attempt whose end (well again or failed) is written down. */
  readonly judged: number;
}

export const emptyMemory: Memory = {
  seq: 0,
  revision: null,
  source: null,
  traceId: null,
  acceptedAt: 0,
  settled: null,
  allowRemoval: [],
  removalHeldFor: null,
  pause: null,
  viewSuspectSince: null,
  viewClearedAt: null,
  since: null,
  silences: [],
  foreignNoted: [],
  servers: {},
  orphans: {},
};

export const emptyServerMemory: ServerMemory = {
  entry: null,
  traceId: null,
  resolved: null,
  stable: null,
  promoted: null,
  quarantined: [],
  postponed: {},
  drains: {},
  condemned: [],
  repairs: [],
  repairsHeld: false,
  drift: null,
  answered: null,
  made: [],
  exits: {},
  stopped: {},
  ending: {},
  recovery: {
    attempts: 0,
    lastAt: null,
    open: null,
    exhausted: false,
    told: false,
    recoveredAt: null,
    judged: 0,
  },
  health: {},
  pulled: [],
  pulledAt: {},
  stableImages: [],
  rollout: null,
  failedRollout: null,
  incident: null,
  resting: false,
  pause: null,
  driftNoted: {},
  refusalNoted: null,
  updateNoted: null,
  found: {},
  writtenBack: null,
  prune: null,
  rollback: null,
};

/** It is a version of what answers, or of the only one there ever was: its falls are the server's own. */
export const isOwnSpec = ({ promoted }: Pick<ServerMemory, 'promoted'>, spec: string): boolean =>
  promoted === null || promoted.spec === spec;
