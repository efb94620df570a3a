import { imageRefOf } from '../../model/spec.ts';
import type { Failure } from '../../model/failure.ts';
import type { Address, Instance } from '../../model/observed.ts';
import type { Birth } from '../runtime.ts';

/** A container of the engine in memory: it changes, the instances told of it do not. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly birth: Birth;
  readonly createdAt: number;
  readonly hostPort: number;
  state: Instance['state'];
  joined: boolean;
  startedAt: number;
  finishedAt: number;
  exitCode: number | null;
  oomKilled: boolean;
  drift: readonly string[];
}

/** How the program inside a container behaves. Every member may be left out: a server that is well. */
export interface Behaviour {
  /** Ends by itself this long after each start. */
  readonly exitsAfterMs?: number;
  /** Exit code of that end; 1 by default. */
  readonly exitCode?: number;
  /** The engine cannot start it: this is what the verb rejects with. */
  readonly startFails?: Failure;
  /** What it answers; `silent` is a hang. */
  readonly answers?: Answer['kind'];
  /** It is silent for this long after each start. */
  readonly answersAfterMs?: number;
  /** Null, the default: reports none. */
  readonly version?: string | null;
  /** Null, the default: not reported. */
  readonly activeSessions?: number | null;
  readonly activeRequests?: number | null;
}

/** What a probe of a container would bring. */
export interface Answer {
  readonly kind: 'ok' | 'degraded' | 'down' | 'silent' | 'refused';
  readonly version: string | null;
  readonly activeSessions: number | null;
  readonly activeRequests: number | null;
}

export function answerNow(container: Container, behaviour: Behaviour, now: number): Answer {
  return {
    kind: kindNow(container, behaviour, now),
    version: behaviour.version ?? null,
    activeSessions: behaviour.activeSessions ?? null,
    activeRequests: behaviour.activeRequests ?? null,
  };
}

function kindNow(container: Container, behaviour: Behaviour, now: number): Answer['kind'] {
  if (container.state !== 'running') return 'refused';
  if (isStarting(container, behaviour, now)) return 'silent';
  return behaviour.answers ?? 'ok';
}

/** A start in the future was before the clock was set back. */
const isStarting = ({ startedAt }: Container, behaviour: Behaviour, now: number): boolean =>
  startedAt <= now && now < startedAt + (behaviour.answersAfterMs ?? 0);

export function toInstance(container: Container, behaviour: Behaviour, now: number): Instance {
  const { birth, name } = container;
  const { spec } = birth;
  return {
    id: container.id,
    server: spec.server,
    instance: birth.instance,
    name,
    spec,
    specDigest: spec.digest,
    revision: birth.revision,
    traceId: birth.traceId,
    source: birth.source,
    state: container.state,
    joined: container.joined,
    createdAt: container.createdAt,
    startedAt: container.startedAt,
    finishedAt: container.finishedAt,
    exitCode: container.exitCode,
    oomKilled: container.oomKilled,
    drift: container.drift,
    hostAddress: address('127.0.0.1', container.hostPort),
    containerAddress: address(name, spec.port),
    engineHealth: engineHealth(container, behaviour, now),
    healthcheckFailure: null,
    pid: null,
  };
}

const address = (host: string, port: number): Address => ({ host, port });

/** Every image counts as one with a HEALTHCHECK, so that the `docker` probe kind can ask in memory. */
function engineHealth(container: Container, behaviour: Behaviour, now: number): Instance['engineHealth'] {
  if (container.state !== 'running') return null;
  if (isStarting(container, behaviour, now)) return 'starting';
  const { kind } = answerNow(container, behaviour, now);
  return kind === 'ok' || kind === 'degraded' ? 'healthy' : 'unhealthy';
}

export function newContainer(birth: Birth, made: { id: string; hostPort: number; now: number }): Container {
  return {
    id: made.id,
    name: `${birth.spec.server}-${birth.instance}`,
    birth: { ...birth, secrets: {} },
    createdAt: made.now,
    hostPort: made.hostPort,
    state: 'created',
    joined: false,
    startedAt: 0,
    finishedAt: 0,
    exitCode: null,
    oomKilled: false,
    drift: [],
  };
}

export const imageOf = (container: Container): string => imageRefOf(container.birth.spec);
