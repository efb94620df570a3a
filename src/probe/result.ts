import type { ProbeResult } from './probe.ts';

const nothing: ProbeResult = {
  outcome: 'unknown',
  reason: 'probe_error',
  silent: false,
  responseTimeMs: null,
  checks: {},
  reportedVersion: null,
  versionOk: null,
  activeSessions: null,
  activeRequests: null,
  departures: [],
};

/** We could not ask: says nothing about the server. */
export const unknown = (reason: string): ProbeResult => ({ ...nothing, reason });

/** The server failed the question; `silent` when nothing at all came back. */
export const failed = (reason: string, silent: boolean): ProbeResult => ({
  ...nothing,
  outcome: 'failed',
  reason,
  silent,
});

export const healthy = (more: Partial<ProbeResult> = {}): ProbeResult => ({
  ...nothing,
  outcome: 'ok',
  reason: 'ok',
  ...more,
});
