import { sealSpec } from '../../src/model/spec.ts';
import type { Blueprint, SecretRef, Settings, Spec } from '../../src/model/spec.ts';
import type { Birth } from '../../src/runtime/runtime.ts';

export const someDigest = (letter: string): string => `sha256:${letter.repeat(64)}`;

export interface SpecOrder extends Partial<Omit<Blueprint, 'secrets'>> {
  readonly imageDigest?: string;
  readonly secrets?: readonly SecretRef[];
}

/** A spec of an ordinary server; the order says what is different. */
export function aSpec(order: SpecOrder = {}): Spec {
  const { imageDigest = someDigest('a'), secrets = [], ...different } = order;
  const blueprint = { ...ordinary, secrets: [], ...different };
  return sealSpec(blueprint, { imageDigest, secrets, settings });
}

export function aBirth(order: Partial<Birth> = {}): Birth {
  return {
    spec: aSpec(),
    instance: 'i-0001',
    owner: 'default',
    revision: 'c0ffee',
    traceId: 'trace-1',
    source: 'file:///manifests ecosystem-manifest.yaml',
    secrets: {},
    ...order,
  };
}

const ordinary: Blueprint = {
  server: 'mcp-server-a',
  image: 'docker.io/liminalcommons/mcp-server-a:1.0.0',
  command: [],
  user: null,
  port: 8080,
  hostPort: 0,
  mounts: [],
  networks: ['mcp-network'],
  resources: { cpus: 1, memoryBytes: 256 * 1024 * 1024, pids: 64 },
  readOnlyRoot: false,
  env: { LOG_LEVEL: 'info' },
  secrets: [],
  restartToken: null,
  order: 'start-first',
  exclusiveBecause: null,
};

const settings: Settings = {
  version: '1.0.0',
  namespace: 'a',
  transport: 'http',
  path: '/mcp',
  dependsOn: [],
  health: {
    probe: { http: { endpoint: '/health', strict: false } },
    intervalSeconds: 30,
    timeoutSeconds: 5,
    failureThreshold: 3,
    successThreshold: 2,
    suspectIntervalSeconds: 5,
    startPeriodSeconds: 30,
  },
  update: {
    minHealthySeconds: 10,
    healthyDeadlineSeconds: 120,
    soakSeconds: 600,
    drainMinSeconds: 70,
    drainTimeoutSeconds: 300,
  },
  recovery: { enabled: true, maxAttempts: 3, backoffSeconds: [1, 5, 30], slowRetrySeconds: 600 },
};
