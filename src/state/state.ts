import type { Spec } from '../model/spec.ts';

/** The folder that outlives us. Deleting it loses history and nothing that runs. */
export interface StateFolder {
  readonly path: string;
  /** Resolved specs by digest (0600); written before the first intent that names one. */
  readonly specs: {
    load(): Promise<Readonly<Record<string, Spec>>>;
    keep(spec: Spec): Promise<void>;
    /** Forgets all but these. */
    retain(digests: readonly string[]): Promise<void>;
  };
  /** The last accepted manifest, so that a start without its remote goes on from there. */
  readonly accepted: {
    load(): Promise<Accepted | null>;
    keep(accepted: Accepted): Promise<void>;
  };
  /** What people asked for with a command; the one writer takes and answers. */
  readonly requests: {
    take(): Promise<readonly Request[]>;
    answer(request: Request, answer: RequestAnswer): Promise<void>;
    watch(hint: () => void, signal: AbortSignal): Promise<void>;
  };
}

/** The manifest in force, enough to go on from without its source. */
export interface Accepted {
  /** The commits that came with it, so that a death before its event is written loses no trailer. */
  readonly commits: readonly {
    readonly revision: string;
    readonly subject: string;
    readonly traceId: string | null;
    readonly allowRemoval: readonly string[];
  }[];
  readonly revision: string;
  readonly source: string;
  readonly traceId: string;
  readonly file: string;
  readonly content: string;
}

/** What a person asked for with a command. */
export interface Request {
  readonly id: string;
  readonly request: 'pause' | 'resume' | 'retry' | 'sync';
  readonly server: string | null;
  /** Seconds; only pause. null: until resumed. */
  readonly forSeconds: number | null;
  readonly reason: string | null;
  /** Unix ms. */
  readonly at: number;
}

/** What became of a request; the command prints `message`. */
export interface RequestAnswer {
  readonly accepted: boolean;
  readonly message: string;
}

/** The single writer's mark. */
export interface WriterLock {
  /** Calls `lost` once, at the first moment the lock may no longer be ours. */
  onLost(lost: (why: string) => void): void;
  release(): Promise<void>;
}
