import type Docker from 'dockerode';
import type { Address, Instance } from '../../model/observed.ts';
import { driftOf } from './drift.ts';
import type { Surroundings } from './drift.ts';
import { fromLabels } from './labels.ts';
import { isJoined, nameOf } from './names.ts';

/** An inspected container of ours as an instance. */
export function toInstance(inspected: Docker.ContainerInspectInfo, around: Surroundings): Instance {
  const told = fromLabels(inspected.Config.Labels);
  const name = inspected.Name.replace(/^\//, '');
  return {
    id: inspected.Id,
    server: told.server,
    instance: told.instance,
    name,
    spec: told.spec,
    specDigest: told.specDigest,
    revision: told.revision,
    traceId: told.traceId,
    source: told.source,
    ...lifeOf(inspected),
    joined: isJoined(inspected, told.server),
    drift: driftOf(inspected, told, around),
    hostAddress: told.published === null ? null : reachable(told.published),
    containerAddress:
      told.spec === null ? null : { host: nameOf(told.spec, told.instance), port: told.spec.port },
  };
}

type Life = Pick<
  Instance,
  'state' | 'createdAt' | 'startedAt' | 'finishedAt' | 'exitCode' | 'oomKilled' | 'engineHealth'
>;

function lifeOf({ State: state, Created: created }: Docker.ContainerInspectInfo): Life {
  const now = stateOf(state.Status);
  return {
    state: now,
    createdAt: time(created),
    startedAt: time(state.StartedAt),
    finishedAt: now === 'running' ? 0 : time(state.FinishedAt),
    exitCode: now === 'exited' ? state.ExitCode : null,
    oomKilled: now === 'exited' && state.OOMKilled,
    engineHealth: now === 'running' ? health(state.Health?.Status) : null,
  };
}

/** The engine has more words: paused and restarting containers have a process, dead ones and those being removed have none. */
function stateOf(status: string): Instance['state'] {
  if (status === 'created') return 'created';
  return ['running', 'paused', 'restarting'].includes(status) ? 'running' : 'exited';
}

/** The engine writes the year 1 for what has not happened. */
const time = (text: string): number => Math.max(0, Date.parse(text) || 0);

function health(status: string | undefined): Instance['engineHealth'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : null;
}

/** Published on all addresses is reached by loopback. */
function reachable(published: Address): Address {
  const host = ['0.0.0.0', '', '::'].includes(published.host) ? '127.0.0.1' : published.host;
  return { host, port: published.port };
}
