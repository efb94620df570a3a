// Generated from the schemas of /openapi.json: do not edit; `npm run generate` writes it.

export interface Own {
  readonly status: 'ok' | 'degraded' | 'down';
  readonly version: string;
  readonly uptime_seconds: number;
  readonly timestamp: string;
  readonly checks: { readonly manifest: 'ok' | 'degraded' | 'down'; readonly engine: 'ok' | 'degraded' | 'down'; readonly journal: 'ok' | 'degraded' | 'down' };
}

export interface Servers {
  readonly schema_version: '1.0';
  readonly index: number;
  readonly servers: readonly (ServerRecord)[];
}

export interface ServerRecord {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly version: string | null;
  readonly health: 'unknown' | 'healthy' | 'degraded' | 'unhealthy';
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
  readonly departures: readonly (string)[];
  readonly health_url: string | null;
  readonly recovery: Recovery;
  readonly trace_id: string | null;
  readonly index: number;
  readonly description: string | null;
  readonly repository: string | null;
  readonly maintainers: readonly (string)[];
  readonly tags: readonly (string)[];
  readonly capabilities: readonly (string)[];
  readonly quality_tier: string | null;
  readonly desired_version: string | null;
  readonly image: string | null;
  readonly image_digest: string | null;
  readonly desired_state: 'running' | 'stopped' | 'absent';
  readonly phase: 'pending' | 'pulling' | 'starting' | 'ready' | 'draining' | 'stopping' | 'stopped' | 'failed' | 'held' | 'refused' | 'undeployable';
  readonly transport: string;
  readonly url: string | null;
  readonly mcp_url: string | null;
  readonly endpoints: readonly (Endpoint)[];
  readonly update: Update;
  readonly why: string;
  readonly tools: readonly ({ readonly name: string; readonly description: string | null })[];
  readonly revision: string | null;
}

export interface ServerHealth {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly version: string | null;
  readonly health: 'unknown' | 'healthy' | 'degraded' | 'unhealthy';
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
  readonly departures: readonly (string)[];
  readonly health_url: string | null;
  readonly recovery: Recovery;
  readonly trace_id: string | null;
  readonly index: number;
}

export interface Events {
  readonly events: readonly (Event)[];
}

export interface HealthEvents {
  readonly events: readonly (Event)[];
}

export interface Revisions {
  readonly schema_version: '1.0';
  readonly index: number;
  readonly events: readonly (Event)[];
}

export interface Event {
  readonly event_type: string;
  readonly trace_id: string;
  readonly timestamp: string;
  readonly repo: string;
  readonly seq: number;
  readonly time_ms: number;
  readonly server_name?: string;
}

export interface Ecosystem {
  readonly schema_version: '1.0';
  readonly index: number;
  readonly generated_at: string;
  readonly valid_for_seconds: number;
  readonly source: Source;
  readonly view: 'clear' | 'suspect';
  readonly status: 'ok' | 'degraded';
  readonly summary: { readonly total: number; readonly healthy: number; readonly degraded: number; readonly unhealthy: number; readonly unknown: number };
  readonly servers: readonly (ServerRecord)[];
}

export interface Histories {
  readonly servers: readonly (History)[];
}

export interface History {
  readonly name: string;
  readonly availability: number | null;
  readonly spans: readonly ({ readonly from: string; readonly to: string; readonly health: 'unknown' | 'healthy' | 'degraded' | 'unhealthy' })[];
}

export interface Change {
  readonly index: number;
  readonly event_type: string;
  readonly server: string | null;
  readonly status: 'ok' | 'degraded' | 'down' | null;
  readonly timestamp: string;
  readonly trace_id: string | null;
  readonly record: ServerRecord | null;
}

export interface Snapshot {
  readonly event_type: 'snapshot';
  readonly schema_version: '1.0';
  readonly index: number;
  readonly generated_at: string;
  readonly valid_for_seconds: number;
  readonly source: Source;
  readonly view: 'clear' | 'suspect';
  readonly status: 'ok' | 'degraded';
  readonly summary: { readonly total: number; readonly healthy: number; readonly degraded: number; readonly unhealthy: number; readonly unknown: number };
  readonly servers: readonly (ServerRecord)[];
}

export interface Heartbeat {
  readonly event_type: 'heartbeat';
  readonly index: number;
  readonly timestamp: string;
}

export interface Source {
  readonly url: string;
  readonly branch: string | null;
  readonly attempted_revision: string | null;
  readonly applied_revision: string | null;
  readonly state: 'pending' | 'synced' | 'refused' | 'unreachable' | 'rewind';
  readonly last_successful_sync_at: string | null;
  readonly error: string | null;
}

export interface Endpoint {
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

export interface Recovery {
  readonly attempts: number;
  readonly max_attempts: number;
  readonly next_attempt_at: string | null;
  readonly requires_manual: boolean;
}

export interface Update {
  readonly strategy: string;
  readonly available: string | null;
  readonly state: string;
  readonly reason: string | null;
  readonly at: string | null;
  readonly passed_over: readonly ({ readonly image: string; readonly reason: string })[];
  readonly quarantined: readonly (Quarantine)[];
}

export interface Quarantine {
  readonly version: string | null;
  readonly image_digest: string;
  readonly gate: string;
  readonly reason: string;
  readonly at: string;
}

export interface Error {
  readonly error_code: string;
  readonly message: string;
  readonly suggested_action: string;
}
