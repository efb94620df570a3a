/**
 * What the engine says, as far as we read it. Engines leave out what is empty, write null for it, and change types between
 * versions: here, and nowhere else, an answer becomes something with a shape. Nothing in this file throws.
 */

import { ownValue } from '../../lib/own-value.ts';

/** Whatever came; its members are whatever came too. */
export type Loose = Readonly<Record<string, unknown>>;

/** One container of the list. */
export interface Row {
  readonly id: string;
  /** Without the slash; empty where it has none. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly networks: readonly string[];
  readonly hostPorts: readonly number[];
  /** Unix ms; 0: not told. */
  readonly createdAt: number;
  /** What changes only when the container does; `Up 3 minutes` is not of it. */
  readonly look: unknown;
}

/** One container, inspected. */
export interface InspectedContainer {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  /** Id of its image. */
  readonly imageId: string;
  readonly state: {
    readonly status: string;
    readonly paused: boolean;
    readonly oomKilled: boolean;
    readonly exitCode: number | null;
    readonly startedAt: string;
    readonly finishedAt: string;
    readonly health: string;
    /** The latest run of its HEALTHCHECK. */
    readonly lastCheck: { readonly exitCode: number | null; readonly output: string };
    /** null: not told, or none. */
    readonly pid: number | null;
  };
  readonly config: Program & {
    /** The reference that it was made from. */
    readonly image: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly hostConfig: Loose;
  /** By name of the network. */
  readonly networks: ReadonlyMap<string, Endpoint>;
}

/** Where a container is on a network; `id` is the network's, empty where the engine does not tell it. */
export interface Endpoint {
  readonly id: string;
  readonly aliases: readonly string[];
}

/** What runs in a container, or would by its image alone. */
export interface Program {
  readonly command: readonly string[];
  readonly entrypoint: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
}

export interface InspectedImage {
  readonly id: string;
  /** `repository@digest` of those that a registry knows it by. */
  readonly repoDigests: readonly string[];
  readonly repoTags: readonly string[];
  /** null: the engine does not say. */
  readonly program: Program | null;
}

export interface EngineInfo {
  readonly id: string;
  readonly limits: { readonly cpus: boolean; readonly memory: boolean; readonly pids: boolean };
}

/** True for an id that the engine can be asked about: it becomes a part of an address. */
export const canBeAsked = (id: string): boolean => /^[\w.:@/+-]{1,512}$/.test(id);

/** A row that has no id cannot be asked for anything: its id is empty. */
export function readRow(raw: unknown): Row {
  const row = loose(raw);
  const networks = loose(loose(row['NetworkSettings'])['Networks']);
  const status = text(row['Status']);
  return {
    id: text(row['Id']),
    name: (texts(row['Names'])[0] ?? '').replace(/^\//, ''),
    labels: labels(row['Labels']),
    state: text(row['State']),
    networks: Object.keys(networks),
    hostPorts: list(row['Ports'])
      .map((port) => loose(port)['PublicPort'])
      .filter(isNumber),
    createdAt: (number(row['Created']) ?? 0) * 1_000,
    look: [row['State'], row['Names'], row['Image'], networks, /\(([a-z: ]+)\)/.exec(status)?.[1]],
  };
}

/** null: what a container is cannot be told from this. */
export function readContainer(raw: unknown): InspectedContainer | null {
  const { Id: id, Name: name, State, Config, HostConfig, NetworkSettings, ...rest } = loose(raw);
  const networks = loose(NetworkSettings)['Networks'];
  if (!isText(id) || !isText(name) || !isText(loose(State)['Status'])) return null;
  if (![Config, HostConfig, networks].every(isObject)) return null;
  const config = loose(Config);
  return {
    id,
    name: name.replace(/^\//, ''),
    created: text(rest['Created']),
    imageId: text(rest['Image']),
    state: readState(loose(State)),
    config: { ...readProgram(config), image: text(config['Image']), labels: labels(config['Labels']) },
    hostConfig: loose(HostConfig),
    networks: new Map(Object.entries(loose(networks)).map(([on, end]) => [on, readEndpoint(loose(end))])),
  };
}

/** null: this is no image. */
export function readImage(raw: unknown): InspectedImage | null {
  const { Id: id, RepoDigests, RepoTags, Config } = loose(raw);
  if (!isText(id)) return null;
  return {
    id,
    repoDigests: texts(RepoDigests),
    repoTags: texts(RepoTags),
    program: isObject(Config) ? readProgram(loose(Config)) : null,
  };
}

export function readInfo(raw: unknown): EngineInfo {
  const info = loose(raw);
  const has = (key: string): boolean => ownValue(info, key) === true;
  return {
    id: text(info['ID']),
    limits: { cpus: has('CpuCfsQuota'), memory: has('MemoryLimit'), pids: has('PidsLimit') },
  };
}

/** An object's members; of all else there are none. */
export const loose = (raw: unknown): Loose => (isObject(raw) ? (raw as Loose) : {});

export const text = (raw: unknown): string => (isText(raw) ? raw : '');

export const number = (raw: unknown): number | null => (isNumber(raw) ? raw : null);

/** One value alone is a list of one: engines write an entrypoint so. */
export function list(raw: unknown): readonly unknown[] {
  if (raw === null || raw === undefined) return [];
  return Array.isArray(raw) ? raw : [raw];
}

export const texts = (raw: unknown): readonly string[] => list(raw).filter(isText);

export const labels = (raw: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(loose(raw)).filter((pair): pair is [string, string] => isText(pair[1])));

function readState(state: Loose): InspectedContainer['state'] {
  return {
    status: text(state['Status']),
    paused: state['Paused'] === true,
    oomKilled: state['OOMKilled'] === true,
    exitCode: number(state['ExitCode']),
    startedAt: text(state['StartedAt']),
    finishedAt: text(state['FinishedAt']),
    health: text(loose(state['Health'])['Status']),
    lastCheck: readCheck(list(loose(state['Health'])['Log']).at(-1)),
    pid: number(state['Pid']) || null,
  };
}

function readCheck(raw: unknown): InspectedContainer['state']['lastCheck'] {
  const { ExitCode, Output } = loose(raw);
  return { exitCode: number(ExitCode), output: text(Output) };
}

const readEndpoint = (endpoint: Loose): Endpoint => ({
  id: text(endpoint['NetworkID']),
  aliases: texts(endpoint['Aliases']),
});

const readProgram = (config: Loose): Program => ({
  command: texts(config['Cmd']),
  entrypoint: texts(config['Entrypoint']),
  env: texts(config['Env']),
  user: text(config['User']),
});

/** A list is none. */
export const isObject = (raw: unknown): boolean =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw);
export const isText = (raw: unknown): raw is string => typeof raw === 'string';
export const isNumber = (raw: unknown): raw is number => typeof raw === 'number' && Number.isFinite(raw);
