import type { Address, ProbeResult } from '../model/observed.ts';
import type { HealthCheck } from '../model/spec.ts';

/** How to ask "are you well?". One kind for each key of `health_check`. */
export interface ProbeKind<Settings> {
  /** Never rejects: a failure on our own side is `unknown`. Settles by `deadline` (Unix ms of the clock given at making). */
  check(
    settings: Settings,
    target: ProbeTarget,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ProbeResult>;
  /** Frees what was kept for a target that is gone. */
  forget?(container: string): void;
}

/** Whom to ask, and what is known of it beforehand. */
export interface ProbeTarget {
  readonly container: string;
  readonly server: string;
  readonly address: Address | null;
  /** null: the image has no health check. `unseen`: the engine could not be looked at for a while. */
  readonly engineHealth: 'starting' | 'healthy' | 'unhealthy' | 'unseen' | null;
  /** Why the image's HEALTHCHECK could not be run; absent or null: it could. */
  readonly healthcheckFailure?: string | null;
  /** Its first process and the port of the server, as they are inside; absent or null: not known. */
  readonly inside?: { readonly pid: number; readonly port: number } | null;
  /** Deployed version, to compare with the reported one; null: not compared. */
  readonly version: string | null;
}

/** Every kind in one: picks by the one key of `health_check.probe`. */
export type Probe = ProbeKind<HealthCheck['probe']>;

export type { ProbeResult };
