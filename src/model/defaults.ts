import type { HealthCheck, Recovery, Settings, UpdateTimings } from './spec.ts';

/** What an entry means where it says nothing (contracts section 2). Times in seconds. */
export const defaultHealthCheck: HealthCheck = {
  probe: { http: { endpoint: '/health', strict: false } },
  intervalSeconds: 30,
  timeoutSeconds: 5,
  failureThreshold: 3,
  successThreshold: 2,
  suspectIntervalSeconds: 5,
  startPeriodSeconds: 30,
};

/** `drainMinSeconds` outlasts a reader that polls every 30 s with a 5 s timeout and misses one poll. */
export const defaultUpdateTimings: UpdateTimings = {
  minHealthySeconds: 10,
  healthyDeadlineSeconds: 120,
  soakSeconds: 600,
  drainMinSeconds: 70,
  drainTimeoutSeconds: 300,
};

export const defaultRecovery: Recovery = {
  enabled: true,
  maxAttempts: 3,
  backoffSeconds: [1, 5, 30],
  slowRetrySeconds: 600,
};

/** For a container whose label cannot be read and whose entry is gone. */
export const defaultSettings: Settings = {
  version: null,
  namespace: '',
  transport: 'http',
  path: '/mcp',
  dependsOn: [],
  health: defaultHealthCheck,
  update: defaultUpdateTimings,
  recovery: defaultRecovery,
};
