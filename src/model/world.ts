import type { DesiredServer, DesiredState } from './desired.ts';
import type { Memory, ServerMemory } from './memory.ts';
import type { Instance, Pulse, Sighting, Stranger } from './observed.ts';
import type { Spec } from './spec.ts';

/** Everything a plan is made of. `makePlan` reads nothing else. */
export interface World {
  readonly now: number;
  /** When we started, or the clock was last set forward: no clock that judges starts earlier. */
  readonly bootAt: number;
  readonly desired: DesiredState;
  /** The sealed spec of every deployable entry whose image is resolved; absent while it is not. */
  readonly wanted: Readonly<Record<string, Spec>>;
  /** Why an entry has no wanted spec yet, or no other for one that was set aside (registry away, secret missing, somebody else's volume), by server. */
  readonly blocked: Readonly<Record<string, Blocked>>;
  /** What the last search for newer versions found, by server; absent: none has ended. */
  readonly checks: ReadonlyMap<string, UpdateCheck>;
  readonly sighting: Sighting;
  /** By container id; absent: never probed. */
  readonly pulses: Readonly<Record<string, Pulse>>;
  /** Container id -> Unix ms when the engine reported a kill by request; ours are told apart by memory (row 0.1). */
  readonly killRequests: Readonly<Record<string, number>>;
  readonly memory: Memory;
  /** Resolved specs by digest: from wanted, from labels, from the spec store. */
  readonly specs: Readonly<Record<string, Spec>>;
  /** The operator's limit on removals, or null for the default. */
  readonly allowRemovalOf: number | null;
  /** False once the writer lock is lost: every step is held. */
  readonly lockHeld: boolean;
}

/** What a search for newer versions says beside what it found. */
export interface UpdateCheck {
  /** null: it was carried out to its end. */
  readonly failure: { readonly reason: string; readonly message: string; readonly at: number } | null;
  /** Versions that would be next and cannot be run, the best first. */
  readonly passedOver: readonly { readonly image: string; readonly why: string }[];
}

export interface Blocked {
  readonly phase: 'pending' | 'failed' | 'refused' | 'held';
  readonly reason: string;
  readonly message: string;
  readonly suggestedAction: string | null;
  /** Unix ms of the next try; null: only news can change it. */
  readonly until: number | null;
}

/** One server's part of the world: all that `decide` sees. */
export interface View {
  readonly name: string;
  readonly now: number;
  readonly bootAt: number;
  readonly engineStartedAt: number;
  /** null: not in the manifest. */
  readonly entry: DesiredServer | null;
  /** null: nothing can be begun (refused, blocked, or not wanted). */
  readonly wanted: Spec | null;
  readonly blocked: Blocked | null;
  /** null: no search for newer versions has ended, or it does not follow any. */
  readonly check: UpdateCheck | null;
  readonly instances: readonly Instance[];
  readonly pulses: Readonly<Record<string, Pulse>>;
  readonly killRequests: Readonly<Record<string, number>>;
  readonly memory: ServerMemory;
  readonly specs: Readonly<Record<string, Spec>>;
  /** `repository@digest` references on disk. */
  readonly images: ReadonlySet<string>;
  readonly depsReady: boolean;
  /** Names of dependencies that are not ready. */
  readonly depsMissing: readonly string[];
  /** Containers that are not ours; one may hold a fixed host port or the server's name. */
  readonly strangers: readonly Stranger[];
  /** Images that we brought and that this server may remove, as `repository@digest` -> Unix ms from which their grace runs. */
  readonly brought: Readonly<Record<string, number>>;
  /** `repository@digest` references that some server's wanted, stable or existing instance needs. */
  readonly imagesInUse: ReadonlySet<string>;
  /** Nothing unwanted that depends on it is left. */
  readonly dependantsGone: boolean;
}
