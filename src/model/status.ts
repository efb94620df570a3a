import type { Health } from './observed.ts';

/** What outsiders read (contracts section 6): field names are the outside names. */
export interface StatusView {
  readonly schema_version: '1.0';
  readonly view: 'clear' | 'suspect';
  readonly source: SourceStatus;
  readonly servers: readonly ServerRecord[];
}

export interface SourceStatus {
  readonly url: string;
  readonly branch: string | null;
  readonly attempted_revision: string | null;
  readonly applied_revision: string | null;
  /** `pending`: not read yet; `synced`; `refused`: the newest revision was; `unreachable`; `rewind`. */
  readonly state: 'pending' | 'synced' | 'refused' | 'unreachable' | 'rewind';
  readonly last_successful_sync_at: string | null;
  readonly error: string | null;
}

export type Phase =
  | 'pending'
  | 'pulling'
  | 'starting'
  | 'ready'
  | 'draining'
  | 'stopping'
  | 'stopped'
  | 'failed'
  | 'held'
  | 'refused'
  | 'undeployable';

export interface ServerRecord {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly description: string | null;
  readonly repository: string | null;
  readonly maintainers: readonly string[];
  readonly tags: readonly string[];
  readonly capabilities: readonly string[];
  readonly quality_tier: string | null;
  readonly version: string | null;
  readonly desired_version: string | null;
  readonly image: string | null;
  readonly image_digest: string | null;
  readonly desired_state: 'running' | 'stopped' | 'absent';
  readonly phase: Phase;
  readonly health: Health;
  /** Of an unknown health: `degraded` while routable, else `down`. */
  readonly status: 'ok' | 'degraded' | 'down';
  readonly routable: boolean;
  readonly reason: string | null;
  readonly suggested_action: string | null;
  readonly since: string;
  readonly last_check: string | null;
  readonly response_time_ms: number | null;
  readonly consecutive_failures: number;
  readonly uptime_seconds: number | null;
  readonly conformant: boolean | null;
  readonly departures: readonly string[];
  readonly transport: string;
  readonly url: string | null;
  readonly mcp_url: string | null;
  readonly health_url: string | null;
  readonly endpoints: readonly EndpointRecord[];
  readonly recovery: {
    readonly attempts: number;
    readonly max_attempts: number;
    readonly next_attempt_at: string | null;
    readonly requires_manual: boolean;
  };
  readonly update: {
    readonly strategy: string;
    readonly available: string | null;
    /** `none`, `pulling`, `starting`, `soaking`, `draining`, `rolling_back`, `postponed`, `check_failed`. */
    readonly state: string;
    /** Of `check_failed`: why newer versions are not known, and since when; null otherwise. */
    readonly reason: string | null;
    readonly at: string | null;
    /** Versions that would be next and cannot be run here. */
    readonly passed_over: readonly { readonly image: string; readonly reason: string }[];
    readonly quarantined: readonly {
      readonly version: string | null;
      readonly image_digest: string;
      readonly gate: string;
      readonly reason: string;
      readonly at: string;
    }[];
  };
  /** What is decided now, in words. */
  readonly why: string;
  readonly tools: readonly { readonly name: string; readonly description: string | null }[];
  readonly revision: string | null;
  readonly trace_id: string | null;
  /** Value of the status index when this record last changed. */
  readonly index: number;
}

export interface EndpointRecord {
  readonly instance: string;
  readonly role: 'active' | 'draining' | 'candidate';
  readonly transport: string;
  readonly url: string | null;
  readonly mcp_url: string | null;
  readonly health_url: string | null;
  readonly container_url: string | null;
  readonly container_mcp_url: string | null;
  readonly drain_deadline?: string;
}
