import type { Address, Instance } from '../../model/observed.ts';
import type { InspectedContainer, Row } from './answers.ts';
import { driftOf } from './drift.ts';
import type { Surroundings } from './drift.ts';
import { fromLabels } from './labels.ts';
import type { Told } from './labels.ts';
import { isJoined, LIVE_NETWORK, nameOf } from './names.ts';

/** An inspected container of ours as an instance. */
export function toInstance(inspected: InspectedContainer, around: Surroundings): Instance {
  const told = fromLabels(inspected.config.labels);
  return {
    ...toldBy(told),
    id: inspected.id,
    name: inspected.name,
    ...lifeOf(inspected),
    joined: isJoined(inspected, told.server),
    drift: driftOf(inspected, told, around),
  };
}

/** One that the engine lists and cannot tell more of. It may be anything by now, so it counts as drifted. */
export function unreadable({ id, name, labels, state, networks, createdAt }: Row): Instance {
  return {
    ...toldBy(fromLabels(labels)),
    ...{ id, name, createdAt, startedAt: createdAt, finishedAt: 0 },
    state: stateOf(state),
    joined: networks.includes(LIVE_NETWORK),
    drift: ['unreadable'],
    ...{ exitCode: null, oomKilled: false, engineHealth: null, healthcheckFailure: null, pid: null },
  };
}

type ToldOfIt = Omit<Instance, keyof Life | 'id' | 'name' | 'joined' | 'drift'>;

function toldBy({ published, form: _form, ...told }: Told): ToldOfIt {
  const { spec, instance } = told;
  return {
    ...told,
    hostAddress: published === null ? null : reachable(published),
    containerAddress: spec === null ? null : { host: nameOf(spec, instance), port: spec.port },
  };
}

type Life = Pick<
  Instance,
  | 'state'
  | 'createdAt'
  | 'startedAt'
  | 'finishedAt'
  | 'exitCode'
  | 'oomKilled'
  | 'engineHealth'
  | 'healthcheckFailure'
  | 'pid'
>;

function lifeOf({ state, created }: InspectedContainer): Life {
  const now = stateOf(state.status);
  return {
    state: now,
    createdAt: time(created),
    startedAt: time(state.startedAt),
    finishedAt: now === 'running' ? 0 : time(state.finishedAt),
    exitCode: now === 'exited' ? state.exitCode : null,
    oomKilled: now === 'exited' && state.oomKilled,
    engineHealth: now === 'running' ? health(state.health) : null,
    healthcheckFailure: now === 'running' ? failureOf(state.lastCheck) : null,
    pid: now === 'running' ? state.pid : null,
  };
}

/** The engine has more words: paused and restarting containers have a process, dead ones and those being removed have none. */
function stateOf(status: string): Instance['state'] {
  if (status === 'created') return 'created';
  return ['running', 'paused', 'restarting'].includes(status) ? 'running' : 'exited';
}

/** The engine writes the year 1 for what has not happened. */
const time = (text: string): number => Math.max(0, Date.parse(text) || 0);

function health(status: string): Instance['engineHealth'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : null;
}

/** The engine could not run the command (-1), or a shell did not find it or may not run it (127, 126). */
const NOT_RUN = [-1, 126, 127];
const LONGEST_WORDS = 300;

/** What a check says that did run is the server's own, and goes no further. */
function failureOf({ exitCode, output }: InspectedContainer['state']['lastCheck']): string | null {
  if (exitCode === null || !NOT_RUN.includes(exitCode)) return null;
  const words = output.replaceAll(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return words === '' ? `exit code ${exitCode}` : words.slice(0, LONGEST_WORDS);
}

/** Published on all addresses is reached by loopback. */
function reachable(published: Address): Address {
  const host = ['0.0.0.0', '', '::'].includes(published.host) ? '127.0.0.1' : published.host;
  return { host, port: published.port };
}
