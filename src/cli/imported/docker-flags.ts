import { ownValue } from '../../lib/own-value.ts';
import type { DockerFlag } from './docker-run.ts';
import type { Variable } from './variables.ts';
import { mountOf, mountOfOptions, type Mount } from './volumes.ts';

/** What a manifest can say of the flags of `docker run`, and what it cannot. */
export interface Flags {
  readonly user: string | undefined;
  readonly resources: Readonly<Record<string, string | number>>;
  readonly isReadOnly: boolean;
  /** Published, as the container knows them. */
  readonly ports: readonly number[];
  readonly variables: readonly Variable[];
  readonly mounts: readonly Mount[];
  readonly notes: readonly string[];
}

export function flagsOf(given: readonly DockerFlag[]): Flags {
  const flags = given.filter(({ value }) => value !== 'false');
  const last = (name: string): string | undefined => flags.findLast((flag) => flag.name === name)?.value;
  const user = userOf(last('user'));
  const resources = resourcesOf(last);
  const carried = [
    ...silent,
    ...(user === undefined ? [] : ['user']),
    ...Object.keys(resources).map(flagFor),
  ];
  return {
    ...{ user, resources, isReadOnly: last('read-only') !== undefined },
    ports: flags.filter(({ name }) => name === 'publish').flatMap(portOf),
    variables: flags.filter(({ name }) => name === 'env').map(variableOf),
    mounts: flags.flatMap(mountIn),
    notes: [...new Set(flags.flatMap((flag) => noteOn(flag, carried)))],
  };
}

const userOf = (text: string | undefined): string | undefined =>
  /^[A-Za-z0-9_][\w.-]*(:[A-Za-z0-9_][\w.-]*)?$/.test(text ?? '') ? text : undefined;

function resourcesOf(last: (name: string) => string | undefined): Flags['resources'] {
  const [cpus, memory, pids] = [Number(last('cpus')), last('memory') ?? '', Number(last('pids-limit'))];
  return {
    ...(cpus > 0 && cpus <= 1024 ? { cpus } : {}),
    ...(/^[1-9][0-9]{0,12}[bkmgBKMG]?$/.test(memory) ? { memory } : {}),
    ...(Number.isInteger(pids) && pids > 0 && pids <= 4_194_304 ? { pids } : {}),
  };
}

const flagFor = (resource: string): string => (resource === 'pids' ? 'pids-limit' : resource);

/** `127.0.0.1:8080:80/tcp` -> 80. */
function portOf({ value }: DockerFlag): readonly number[] {
  const [, port] = /^(?:.*:)?(\d{1,5})(?:\/tcp)?$/.exec(value) ?? [];
  return port === undefined ? [] : [Number(port)];
}

/** `-e KEY` takes the value of the shell that starts it; here nobody has one. */
function variableOf({ value }: DockerFlag): Variable {
  const [name = '', given] = value.split(/=(.*)/s);
  return { name, value: given, isSecret: false, isRequired: true };
}

function mountIn({ name, value }: DockerFlag): readonly Mount[] {
  if (name === 'volume') return [mountOf(value)];
  return name === 'mount' && !/(^|,)type=tmpfs/.test(value) ? [mountOfOptions(value)] : [];
}

/** What other fields say, and what every server is given anyway. */
const silent: readonly string[] = [
  ...['interactive', 'tty', 'rm', 'init', 'detach', 'quiet', 'sig-proxy', 'attach'],
  ...['env', 'volume', 'read-only', 'cap-drop', 'publish', 'security-opt'],
];

function noteOn(flag: DockerFlag, carried: readonly string[]): readonly string[] {
  const { name, value } = flag;
  const shown = value === 'true' ? `--${name}` : `--${name} ${value}`;
  if (ownValue(refusals, name)?.test(value) === true)
    return [`REFUSED: ${shown}: it gives power over the host, which no policy allows; it will run without`];
  if (carried.includes(name) || mountIn(flag).length > 0) return [];
  return [`the docker flag --${name} is not carried over`];
}

/** Power over the host, which every server is denied. */
const refusals: Readonly<Record<string, RegExp>> = {
  ...{ network: /^(host$|container:)/, net: /^(host$|container:)/, ipc: /^(host$|container:)/ },
  ...{ privileged: /./, pid: /./, uts: /./, userns: /./, cgroupns: /^host$/, runtime: /./ },
  ...{ 'cap-add': /./, device: /./, 'device-cgroup-rule': /./, 'security-opt': /^(?!no-new-privileges)/ },
  ...{ 'use-api-socket': /./, 'volumes-from': /./ },
};
