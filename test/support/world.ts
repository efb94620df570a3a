import type { DesiredServer } from '../../src/model/desired.ts';
import type { Event, EventFields, EventType } from '../../src/model/event.ts';
import { emptyMemory, emptyServerMemory, type Memory, type ServerMemory } from '../../src/model/memory.ts';
import type { Instance, ProbeResult, Pulse } from '../../src/model/observed.ts';
import { imageRefOf, sealSpec, type Blueprint, type Settings, type Spec } from '../../src/model/spec.ts';
import type { Decision } from '../../src/model/step.ts';
import type { World } from '../../src/model/world.ts';
import { makePlan } from '../../src/plan/plan.ts';

/** Now, in Unix ms: a round number, so that tests read as offsets. */
export const NOW = 1_900_000_000_000;
export const SECOND = 1_000;
export const MINUTE = 60_000;
export const SOURCE = 'https://example.org/manifest.git#ecosystem-manifest.yaml';

type Deep<T> = { readonly [K in keyof T]?: T[K] extends object ? Deep<T[K]> : T[K] };

export function settings(change: Deep<Settings> = {}): Settings {
  return {
    version: '1.0.0',
    namespace: 'github',
    transport: 'http',
    path: '/mcp',
    dependsOn: [],
    ...(change as Partial<Settings>),
    health: {
      probe: { http: { endpoint: '/health', strict: false } },
      intervalSeconds: 30,
      timeoutSeconds: 5,
      failureThreshold: 3,
      successThreshold: 2,
      suspectIntervalSeconds: 5,
      startPeriodSeconds: 30,
      ...(change.health as object),
    },
    update: {
      minHealthySeconds: 10,
      healthyDeadlineSeconds: 120,
      soakSeconds: 600,
      drainMinSeconds: 70,
      drainTimeoutSeconds: 300,
      ...change.update,
    },
    recovery: {
      enabled: true,
      maxAttempts: 3,
      backoffSeconds: [1, 5, 30],
      slowRetrySeconds: 600,
      ...(change.recovery as object),
    },
  };
}

export function blueprint(server: string, change: Partial<Blueprint> = {}): Blueprint {
  return {
    server,
    image: `docker.io/liminalcommons/${server}:1.0.0`,
    command: [],
    user: null,
    port: 8080,
    hostPort: 0,
    mounts: [],
    networks: ['mcp-network'],
    resources: { cpus: 1, memoryBytes: 512 * 1024 * 1024, pids: 256 },
    readOnlyRoot: false,
    env: {},
    secrets: [],
    restartToken: null,
    order: 'start-first',
    exclusiveBecause: null,
    ...change,
  };
}

/** The spec of a version of a server: another version is another image. */
export function spec(
  server: string,
  version = '1.0.0',
  change: Partial<Blueprint> & { readonly settings?: Deep<Settings> } = {},
): Spec {
  const { settings: own, ...rest } = change;
  const image = `docker.io/liminalcommons/${server}:${version}`;
  return sealSpec(blueprint(server, { image, ...rest }), {
    imageDigest: `sha256:${version}`,
    secrets: [],
    settings: settings({ ...own, version }),
  });
}

export function entry(name: string, change: Partial<DesiredServer> = {}): DesiredServer {
  return {
    name,
    namespace: name,
    entry: `entry-${name}`,
    version: '1.0.0',
    transport: 'http',
    desiredState: 'running',
    paused: false,
    prune: true,
    dependsOn: [],
    restartPolicy: 'always',
    autoUpdate: false,
    strategy: 'pinned',
    versionRange: null,
    exclude: [],
    minAgeSeconds: 0,
    rollbackOnFailure: true,
    notificationChannel: null,
    settings: settings(),
    blueprint: blueprint(name),
    refusal: null,
    metadata: {
      description: null,
      repository: null,
      maintainers: [],
      tags: [],
      capabilities: [],
      qualityTier: null,
      tools: [],
    },
    ...change,
  };
}

/** A container that has run for an hour, live. */
export function instance(of: Spec, id: string, change: Partial<Instance> = {}): Instance {
  return {
    id,
    server: of.server,
    instance: `i-${id}`,
    name: `${of.server}-i-${id}`,
    spec: of,
    specDigest: of.digest,
    revision: 'rev1',
    traceId: 'trace1',
    source: SOURCE,
    state: 'running',
    joined: true,
    createdAt: NOW - 60 * MINUTE,
    startedAt: NOW - 60 * MINUTE,
    finishedAt: 0,
    exitCode: null,
    oomKilled: false,
    drift: [],
    hostAddress: { host: '127.0.0.1', port: 49_155 },
    containerAddress: { host: '172.18.0.2', port: 8_080 },
    engineHealth: null,
    healthcheckFailure: null,
    pid: null,
    ...change,
  };
}

export const stoppedCopy = (of: Spec, id: string, change: Partial<Instance> = {}): Instance =>
  instance(of, id, { state: 'exited', joined: false, finishedAt: NOW - 5 * MINUTE, exitCode: 0, ...change });

export const candidateOf = (of: Spec, id: string, change: Partial<Instance> = {}): Instance =>
  instance(of, id, { joined: false, createdAt: NOW - 30 * SECOND, startedAt: NOW - 30 * SECOND, ...change });

/** Healthy since its start. */
export function pulse(of: Instance, change: Partial<Pulse> = {}): Pulse {
  return {
    state: 'healthy',
    fresh: true,
    answers: ['ok'],
    healthySince: of.startedAt + 2 * SECOND,
    lastOk: true,
    wasHealthy: true,
    seenSince: of.startedAt + SECOND,
    silent: false,
    silentSince: null,
    versionOk: true,
    failures: 0,
    successes: 5,
    lastCheckAt: NOW - SECOND,
    responseTimeMs: 3,
    quietSince: null,
    idleSince: null,
    reason: 'ok',
    departures: [],
    reportedVersion: of.spec?.settings.version ?? null,
    startedAt: of.startedAt,
    ...change,
  };
}

/** It answered well once, and does not any more. */
export const unwell = (of: Instance, change: Partial<Pulse> = {}): Pulse =>
  pulse(of, {
    silentSince: change.silent === true ? NOW - 20 * SECOND : null,
    state: 'unhealthy',
    healthySince: null,
    lastOk: false,
    failures: 3,
    successes: 0,
    reason: 'status_500',
    ...change,
  });

/** It never answered well since its start. */
export const starting = (of: Instance, change: Partial<Pulse> = {}): Pulse =>
  unwell(of, {
    state: 'unknown',
    silentSince: null,
    wasHealthy: false,
    reason: 'refused',
    versionOk: null,
    ...change,
  });

/** Nothing was asked of it yet. */
export const unseen = (of: Instance): Pulse =>
  starting(of, { fresh: false, seenSince: null, failures: 0, lastCheckAt: null, reason: 'not_asked_yet' });

export const answer = (change: Partial<ProbeResult> = {}): ProbeResult => ({
  outcome: 'ok',
  reason: 'ok',
  silent: false,
  responseTimeMs: 3,
  checks: {},
  reportedVersion: null,
  versionOk: null,
  activeSessions: null,
  activeRequests: null,
  departures: [],
  ...change,
});

export const serverMemory = (change: Partial<ServerMemory> = {}): ServerMemory => ({
  ...emptyServerMemory,
  entry: 'entry-github',
  prune: true,
  ...change,
});

/** What is remembered of a server that runs this spec, proven. */
export const provenMemory = (of: Spec, container: string, change: Partial<ServerMemory> = {}): ServerMemory =>
  serverMemory({
    stable: of.digest,
    promoted: { container, spec: of.digest, version: of.settings.version, at: NOW - 59 * MINUTE },
    ...change,
  });

export const memory = (servers: Memory['servers'], change: Partial<Memory> = {}): Memory => ({
  ...emptyMemory,
  revision: 'rev1',
  source: SOURCE,
  traceId: 'trace1',
  acceptedAt: NOW - 61 * MINUTE,
  servers,
  ...change,
});

/** One server of a world, in the words a test needs. */
export interface Scene {
  readonly entry?: DesiredServer | null;
  readonly wanted?: Spec | null;
  readonly instances?: readonly Instance[];
  /** By container id; those not given are healthy. null: never asked. */
  readonly pulses?: Readonly<Record<string, Pulse | null>>;
  readonly memory?: ServerMemory;
}

export type WorldChange = Partial<Omit<World, 'desired' | 'sighting' | 'memory'>> & {
  readonly desired?: Partial<World['desired']>;
  readonly sighting?: Partial<World['sighting']>;
  readonly memory?: Partial<Memory>;
};

/** A world in which every server is as its scene says and all else is well. */
export function world(
  scenes: Readonly<Record<string, Scene>> = { github: {} },
  change: WorldChange = {},
): World {
  const played = Object.entries(scenes).map(([name, scene]) => play(name, scene));
  const instances = played.flatMap((one) => one.instances);
  const wanted = Object.fromEntries(
    played.flatMap((one) => (one.wanted === null ? [] : [[one.name, one.wanted]])),
  );
  const specs = [
    ...instances.flatMap((one) => (one.spec === null ? [] : [one.spec])),
    ...Object.values(wanted),
  ];
  const { desired, sighting, memory: remembered, ...rest } = change;
  return {
    now: NOW,
    bootAt: NOW - 120 * MINUTE,
    desired: {
      revision: 'rev1',
      source: SOURCE,
      traceId: 'trace1',
      paused: false,
      servers: played.flatMap((one) => (one.entry === null ? [] : [one.entry])),
      ...desired,
    },
    wanted,
    blocked: {},
    sighting: {
      engine: { id: 'engine', startedAt: NOW - 240 * MINUTE, version: '27.0' },
      instances,
      images: [...new Set(specs.map(imageRefOf))],
      strangers: [],
      ...sighting,
    },
    pulses: Object.fromEntries(played.flatMap((one) => one.pulses)),
    killRequests: {},
    memory: memory(Object.fromEntries(played.map((one) => [one.name, one.memory])), remembered),
    specs: Object.fromEntries(specs.map((one) => [one.digest, one])),
    allowRemovalOf: null,
    checks: new Map(),
    lockHeld: true,
    ...rest,
  };
}

function play(name: string, scene: Scene) {
  const wanted = scene.wanted === undefined ? spec(name) : scene.wanted;
  const normal = wanted ?? spec(name);
  const instances = scene.instances ?? [instance(normal, `${name}-1`)];
  const pulses = instances.flatMap((one): [string, Pulse][] => {
    const given = scene.pulses?.[one.id];
    if (given === null || one.state !== 'running') return [];
    return [[one.id, given ?? pulse(one)]];
  });
  return {
    name,
    entry: scene.entry === undefined ? entry(name) : scene.entry,
    wanted: scene.entry === null ? null : wanted,
    instances,
    pulses,
    memory: scene.memory ?? provenMemory(normal, `${name}-1`),
  };
}

/** The decision for one server of a world. */
export function decisionFor(all: World, server = 'github'): Decision {
  const decision = makePlan(all).decisions.find((one) => one.server === server);
  if (decision === undefined) throw new Error(`no decision for ${server}`);
  return decision;
}

/** The step in a few words: `restart github-1`, `record server_down`, `pull 1.1.0`, or `nothing`. */
export function stepIn({ step, pull }: Decision): string {
  if (step === null) return pull === null ? 'nothing' : `pull ${pull.spec.settings.version ?? ''}`;
  if ('instance' in step) return `${step.kind} ${step.instance.id}`;
  if ('spec' in step) return `${step.kind} ${step.spec.settings.version ?? ''}`;
  return step.kind === 'record' ? `record ${step.event}` : `remove image ${step.image}`;
}

export const stepFor = (all: World, server = 'github'): string => stepIn(decisionFor(all, server));

/** A line of the log. */
export function event<T extends EventType>(
  type: T,
  fields: EventFields[T],
  at: { readonly time?: number; readonly server?: string | null; readonly seq?: number } = {},
): Event {
  const { time = NOW, server = 'github', seq = 1 } = at;
  return {
    event_type: type,
    trace_id: 'trace1',
    timestamp: '2030-03-17T17:46:40Z',
    repo: 'mcp-orchestration',
    seq,
    time_ms: time,
    ...(server === null ? {} : { server_name: server }),
    ...fields,
  } as unknown as Event;
}

/** What an event about an instance carries. */
export const of = ({ id, instance: name, specDigest, spec: made }: Instance) => ({
  instance: name,
  container_id: id,
  spec: specDigest,
  version: made?.settings.version ?? null,
});
