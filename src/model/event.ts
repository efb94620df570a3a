import type { Evidence } from './evidence.ts';
import type { DrainOutcome } from './step.ts';
import type { FailureClass } from './failure.ts';
import type { Health } from './observed.ts';
import type { Memory } from './memory.ts';

export type { Evidence } from './evidence.ts';

/**
 * Every event there is and what it carries (what each says: catalogue.ts). Field names are the outside names
 * (contracts section 4); `docs/events.md` is generated from here.
 */
export interface EventFields {
  orchestrator_started: {
    boot_id: string;
    owner: string;
    program_version: string;
    engine?: string;
    /** Unix ms of the line before, of whatever run: between the two the log says nothing. */
    silent_since?: number;
  };
  orchestrator_watching: { boot_id: string };
  orchestrator_stopped: { boot_id: string; outcome: string };
  manifest_synced: {
    source: string;
    revision: string;
    previous: string | null;
    commits: readonly { revision: string; trace_id: string; subject: string }[];
    /** Server name -> hash of its resolved entry. */
    entries: Readonly<Record<string, string>>;
    added: readonly string[];
    changed: readonly string[];
    removed: readonly string[];
    /** Servers whose removal the commit itself releases; `all` for every one. */
    allow_removal: readonly string[];
    /** Servers whose entry says `prune: false`. */
    unpruned?: readonly string[];
  };
  registry_read_failed: {
    revision?: string;
    details: { error: string; registry_version?: string; expected?: string };
  };
  revision_settled: {
    revision: string;
    outcome: 'applied' | 'partial' | 'superseded';
    seconds: number;
    servers_failed: readonly string[];
  };
  request_accepted: {
    request: 'pause' | 'resume' | 'retry' | 'sync';
    /** Unix ms; null for ever. Only pause. */
    until?: number | null;
    reason?: string;
  };
  removal_held: { revision: string; servers: readonly string[]; limit: number; reason: string };
  server_refused: { reason: string; error: string; suggested_action: string };
  server_held: { reason: string; error: string; suggested_action: string };
  foreign_container_found: { containers: readonly { container_id: string; name: string; server: string }[] };
  drift_detected: Of & {
    drift: readonly string[];
    /** The engine's event that came before it, e.g. `update`. */
    after?: string;
  };
  drift_repeats: {
    spec: string;
    /** Each time: when (Unix ms), what differed, and the engine's event before it. */
    repairs: readonly { at: number; what: string; after: string | null }[];
    error: string;
    suggested_action: string;
  };
  version_resolved: {
    entry: string;
    image: string;
    image_digest: string;
    version: string | null;
    /** What the entry itself names. */
    asked: string;
    /** The image digest of that; null: nobody was asked for it now. */
    asked_digest: string | null;
    /** What a pull onto an empty disk fetches; null: nobody was asked for it. */
    size_bytes: number | null;
    why: string;
  };

  update_available: {
    image: string;
    image_digest: string;
    version: string | null;
    current: string | null;
    /** Unix ms; `min_age_seconds` counts from here. */
    first_seen_ms?: number;
    /** What a pull onto an empty disk fetches. */
    size_bytes?: number;
  };
  update_withdrawn: {
    image_digest: string;
    version: string | null;
    /** Image digest of one that was told before and is still available. */
    still: string | null;
  };
  version_written_back: {
    /** With the tag that the manifest says there. */
    image: string;
    from_version: string | null;
    mode: 'branch' | 'direct';
    branch: string;
    version: string | null;
    /** The commit. */
    revision: string;
    why: string;
  };
  update_started: {
    rollout_id: string;
    spec: string;
    image: string;
    image_digest: string;
    version: string | null;
    from_version: string | null;
    order: string;
  };
  image_pulling: { image: string; image_digest: string };
  image_pulled: { image: string; image_digest: string; seconds: number };
  image_removed: { image: string };
  update_gate_failed: {
    gate: Gate;
    class: FailureClass;
    spec: string;
    error: string;
    code?: string;
    container_id?: string;
    instance?: string;
    /** Unix ms of the next try; only where class is world. */
    retry_at?: number;
    suggested_action?: string;
    image_digest?: string;
    version?: string | null;
    rollout_id?: string;
  };
  update_completed: Of & { seconds: number; image_digest: string; rollout_id?: string };
  update_failed: {
    spec: string;
    gate: Gate;
    version: string | null;
    image_digest: string;
    rollout_id?: string;
    error: string;
  };
  rollback_started: {
    from_version: string | null;
    to_version: string | null;
    from_spec: string;
    to_spec: string;
    rollout_id?: string;
  };
  rollback_completed: { version: string | null; spec: string; seconds: number; rollout_id?: string };
  rollback_failed: { spec: string; error: string; rollout_id?: string };
  version_quarantined: {
    spec: string;
    image_digest: string;
    version: string | null;
    gate: Gate;
    container_id?: string;
    instance?: string;
    evidence: Evidence;
    rollout_id?: string;
  };

  server_starting: {
    instance: string;
    spec: string;
    revision: string;
    version: string | null;
    image_digest: string;
    container_id?: string;
    rollout_id?: string;
    why?: string;
  };
  server_started: Of & { rollout_id?: string };
  server_promoting: Of & { rollout_id?: string };
  server_ready: Of & { url: string | null; image_digest: string; rollout_id?: string };
  drain_started: Of & { drain_min_seconds: number; drain_timeout_seconds: number; rollout_id?: string };
  server_leaving: Of & { outcome: DrainOutcome; rollout_id?: string };
  drain_completed: Of & { outcome: DrainOutcome; rollout_id?: string };
  server_stopping: Of & { rollout_id?: string };
  server_stopped: Of & { by: 'us' | 'person'; exit_code?: number | null; rollout_id?: string };
  instance_removing: Of;
  instance_removed: Of;
  server_resting: { reason: 'desired_state' | 'exited_0' | 'stopped_by_hand' };
  server_removed: { version: string | null };

  server_down: Of &
    Transition &
    OfIncident & {
      reason: string;
      /** Whose doing an exit was; absent when it runs and is unhealthy. */
      by?: ExitBy;
      exit_code?: number | null;
      oom?: boolean;
      /** Tenths of a second since the exit, or since its last good answer. Absent where nobody watched. */
      seconds_to_detect?: number;
    };
  server_degraded: Of & Transition & { reason: string } & OfIncident;
  server_healthy: Of & Transition & OfIncident;
  server_unseen: Of & { reason: string; at: number };
  server_seen: Of & Pick<Transition, 'at'>;
  health_check_completed: Of &
    Partial<Transition> & {
      status: 'ok' | 'degraded' | 'down' | 'unknown';
      response_time_ms: number | null;
      checks?: Readonly<Record<string, string>>;
      reason?: string;
      conformant?: boolean;
    };
  recovery_started: Of & {
    reason: string;
    attempt: number;
    strategy: 'restart' | 'recreate';
  } & OfIncident;
  recovery_successful: Of & {
    attempts: number;
    recovery_successful: true;
    seconds_down: number;
  } & OfIncident;
  recovery_failed: Of & { attempt: number; error: string } & OfIncident;
  recovery_exhausted: Of & { attempts: number; requires_manual: true; reason: string } & OfIncident;
  internal_error: {
    /** What we were about: `decision`, `deed`, `watching`, `memory` and so on. */
    doing: string;
    error: string;
    /** Where in the program, the innermost first. */
    frames: readonly string[];
    /** `seq` of the line of this log that it is about. */
    line?: number;
    suggested_action: string;
  };
  view_suspected: { silent: readonly string[]; of: number };
  view_cleared: { seconds: number };

  memory_checkpoint: { memory: Memory };
}

export type EventType = keyof EventFields;
export type Gate = 'pull' | 'create' | 'start' | 'health' | 'version' | 'soak' | 'digest' | 'reverted';
export type ExitBy = 'us' | 'engine' | 'away' | 'person' | 'itself';

/** Which instance an event is about. */
export interface Of {
  readonly instance: string;
  readonly container_id: string;
  readonly spec: string;
  readonly version: string | null;
  readonly revision?: string;
  readonly why?: string;
}

/** Only where the server itself is in trouble, and not a candidate for it. */
export interface OfIncident {
  /** The same from `server_down` until it answers again. */
  readonly incident_id?: string;
  /** Attempts to bring it back that were made in this incident. */
  readonly attempt?: number;
  readonly seconds_down?: number;
}

export interface Transition {
  readonly from: Health;
  readonly to: Health;
  /** Unix ms of the exit, or of a finding that the log could not take at the time; else it was at `time_ms`. */
  readonly at?: number;
}

/** One line of the log. Key order is the journal's business. */
export type Event<T extends EventType = EventType> = {
  [K in T]: {
    readonly event_type: K;
    readonly trace_id: string;
    /** `YYYY-MM-DDTHH:MM:SSZ`: no fractions, or jq's `fromdate` fails. */
    readonly timestamp: string;
    readonly repo: 'mcp-orchestration';
    /** Gap-free in its file. */
    readonly seq: number;
    readonly time_ms: number;
    readonly server_name?: string;
  } & EventFields[K];
}[T];

/** What somebody wants recorded; the recorder stamps seq, time and repo. */
export type EventDraft<T extends EventType = EventType> = {
  [K in T]: {
    readonly event: K;
    readonly server: string | null;
    readonly traceId: string;
    readonly fields: EventFields[K];
  };
}[T];
