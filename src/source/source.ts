/**
 * How long one read may take in all, in milliseconds: generous, for a source gives up by itself, with `source_unreachable`,
 * a minute after the last sign of life.
 */
export const LONGEST_READ_MS = 3_600_000;

/** Where manifests come from. Events are hints; snapshots are facts, read from a commit or a settled file. */
export interface ManifestSource {
  /** The address and path as people know it, without credentials; goes on labels and into the status. */
  readonly address: string;
  readonly branch: string | null;
  /**
   * Looks now. Returns the snapshot of the newest revision, or null when it is still `known`.
   * Rejects with a `Failure` (`source_*`) and nothing else; always settles before `signal` aborts plus one second.
   */
  read(known: string | null, signal: AbortSignal): Promise<Snapshot | null>;
  /** Calls `hint` when a look may be worth while (file changed, local refs moved). Ends with `signal`. */
  watch(hint: () => void, signal: AbortSignal): Promise<void>;
  /** What happened between two revisions; `rewind` when `to` does not descend from `from`. */
  between?(from: string, to: string, signal: AbortSignal): Promise<History>;
  /** `to` is `from` or descends from it; false where that cannot be told. */
  descends?(from: string, to: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Commits a changed manifest on top of the newest revision and makes it known: as a new branch, or on the followed
   * branch itself. A branch of that name that is there already is left as it is. No work tree and no index of a person
   * is touched, and nothing is forced. Rejects with a `Failure`: `source_moved` when `base` is the newest no longer.
   */
  propose?(proposal: Proposal, signal: AbortSignal): Promise<Proposed>;
}

/** A changed manifest. */
export interface Proposal {
  /** The revision that was changed. */
  readonly base: string;
  readonly content: Uint8Array;
  /** Of the commit, with its trailers. */
  readonly message: string;
  /** By its short name; null: the followed branch. */
  readonly branch: string | null;
}

/** Where a proposal can be found. */
export interface Proposed {
  readonly branch: string;
  /** The newest commit there. */
  readonly revision: string;
}

/** The manifest as one revision has it. */
export interface Snapshot {
  /** Git commit, or `sha256:<hex of the content>`. */
  readonly revision: string;
  /** Bytes as they are: decoding and limits are the reader's. */
  readonly content: Uint8Array;
  /** Path inside the source, for messages. */
  readonly file: string;
  readonly commit: Commit | null;
}

/** What a commit says beside its content. */
export interface Commit {
  readonly revision: string;
  readonly subject: string;
  /** Of HEAD, else of the newest commit since `known` that touches the manifest. */
  readonly traceId: string | null;
  /** `Allow-Removal` trailer: names, or `all`. */
  readonly allowRemoval: readonly string[];
}

/** What led from one revision to another. */
export interface History {
  readonly rewind: boolean;
  /** Newest first, at most 100. */
  readonly commits: readonly Commit[];
}
