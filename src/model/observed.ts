import type { Spec } from './spec.ts';

/** What one look at the engine saw. Facts only; health comes from the probes. */
export interface Sighting {
  readonly engine: {
    readonly id: string;
    /** Unix ms of the engine's present start: exits before it are nobody's failure. 0: unknown. */
    readonly startedAt: number;
    readonly version: string;
  };
  /** All containers with our owner label; for a plan, of these the ones that we made. */
  readonly instances: readonly Instance[];
  /** Those of the asked-for `repository@digest` references that are on the engine's disk. */
  readonly images: readonly string[];
  /** Containers that are not ours but bear a name or hold a port that we would need. */
  readonly strangers: readonly Stranger[];
}

/** One running (or stopped) copy of a server. */
export interface Instance {
  /** The engine's own id: the only identity. Names and instance labels can be copied. */
  readonly id: string;
  readonly server: string;
  /** Short public name of this copy, `i-7f3a`. */
  readonly instance: string;
  /** Container name, `<server>-<instance>`. */
  readonly name: string;
  /** From the label; null when it cannot be read (then it counts as drifted). */
  readonly spec: Spec | null;
  /** The spec digest label. */
  readonly specDigest: string;
  readonly revision: string;
  readonly traceId: string;
  /** The manifest address this copy was made for. */
  readonly source: string;
  readonly state: 'created' | 'running' | 'exited';
  /** On the live network under the server's alias: it is what answers. */
  readonly joined: boolean;
  /** Unix ms; 0 where it has not happened. */
  readonly createdAt: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** How the real container differs from its label, in words; empty when it does not. */
  readonly drift: readonly string[];
  /** The engine's latest event about it, e.g. `update`; null: none was heard. */
  readonly lastEvent?: string | null;
  /** Published on the host. */
  readonly hostAddress: Address | null;
  /** Inside `mcp-network`. */
  readonly containerAddress: Address | null;
  /** The image's own HEALTHCHECK, where it has one. */
  readonly engineHealth: 'starting' | 'healthy' | 'unhealthy' | null;
  /** Why that HEALTHCHECK could not even be run, in the engine's own words; null where it could. */
  readonly healthcheckFailure: string | null;
  /** Its first process, as the engine's host numbers it; null: there is none, or the engine does not say. */
  readonly pid: number | null;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Stranger {
  readonly name: string;
  /** Server whose name it bears, or null. */
  readonly server: string | null;
  readonly hostPorts: readonly number[];
  /** It bears our labels, and we did not make it: its container id, and the server that its label names. */
  readonly claims?: { readonly container: string; readonly server: string };
}

export type Health = 'unknown' | 'healthy' | 'degraded' | 'unhealthy';

/** Running count of one instance's answers. Times are Unix ms. */
export interface Pulse {
  readonly state: Health;
  /** The latest probe was a real answer (not a failure of our own), and came since we started. */
  readonly fresh: boolean;
  /** Healthy without a break since; null when it is not healthy. */
  readonly healthySince: number | null;
  readonly lastOk: boolean;
  /** Has been healthy since the instance's last start. */
  readonly wasHealthy: boolean;
  /** Start of the present unbroken sight of it; null while we cannot see it. */
  readonly seenSince: number | null;
  /** The latest failure was silence: no answer at all. */
  readonly silent: boolean;
  /** It had answered since its start, and then fell silent: Unix ms of the first question without an answer; else null. */
  readonly silentSince: number | null;
  /** The version it reports is the deployed one; null when it reports none or nothing was asked. */
  readonly versionOk: boolean | null;
  readonly failures: number;
  readonly successes: number;
  readonly lastCheckAt: number | null;
  readonly responseTimeMs: number | null;
  /** Unix ms of the first of the present looks that found no session and no request. */
  readonly quietSince: number | null;
  /** Since when two looks 5 s apart found no session and no request; null: busy or not reported. */
  readonly idleSince: number | null;
  /** What the latest checks said, at most five, the latest last. */
  readonly answers: readonly string[];
  /** What the latest check said: `ok`, `timeout`, `status_500`, `body_down`, `stale`, ... */
  readonly reason: string;
  /** How the answers depart from the health specification; empty when conformant. */
  readonly departures: readonly string[];
  readonly reportedVersion: string | null;
  /** Its own start that this pulse belongs to; a later start begins a new pulse. */
  readonly startedAt: number;
}

/** What one question brought. */
export interface ProbeResult {
  readonly outcome: 'ok' | 'degraded' | 'failed' | 'unknown';
  /** `ok`, `timeout`, `refused`, `status_500`, `body_down`, `stale`, `probe_error`, ... */
  readonly reason: string;
  /** Nothing came back at all. */
  readonly silent: boolean;
  readonly responseTimeMs: number | null;
  readonly checks: Readonly<Record<string, string>>;
  readonly reportedVersion: string | null;
  readonly versionOk: boolean | null;
  /** null: not reported, which counts as busy. */
  readonly activeSessions: number | null;
  readonly activeRequests: number | null;
  readonly departures: readonly string[];
}
