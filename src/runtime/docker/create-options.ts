import type Docker from 'dockerode';
import type { Address } from '../../model/observed.ts';
import type { Mount, Spec } from '../../model/spec.ts';
import type { Birth } from '../runtime.ts';
import { toLabels } from './labels.ts';
import { nameOf, NETWORK } from './names.ts';

/** Seconds between SIGTERM and SIGKILL. */
export const GRACE_SECONDS = 10;

/** What besides the birth decides a container. */
interface Placement {
  /** `repository@digest`, or the id of an image that nobody published. */
  readonly image: string;
  readonly published: Address;
}

export function toCreateOptions(birth: Birth, placement: Placement): Docker.ContainerCreateOptions {
  const { spec } = birth;
  const name = nameOf(spec, birth.instance);
  return {
    name,
    ...whatRuns(spec, placement.image),
    Env: environment({ ...spec.env, ...birth.secrets }),
    Labels: { ...toLabels(birth, placement.published) },
    StopTimeout: GRACE_SECONDS,
    ExposedPorts: { [`${spec.port}/tcp`]: {} },
    HostConfig: hostConfig(spec, placement.published),
    NetworkingConfig: { EndpointsConfig: { [NETWORK]: { Aliases: [name] } } },
  };
}

export function hostConfig(spec: Spec, published: Address): Docker.HostConfig {
  return {
    ...hardening,
    NanoCpus: Math.round(spec.resources.cpus * 1e9),
    Memory: spec.resources.memoryBytes,
    MemorySwap: spec.resources.memoryBytes,
    PidsLimit: spec.resources.pids,
    ReadonlyRootfs: spec.readOnlyRoot,
    ...(spec.readOnlyRoot ? { Tmpfs: { '/tmp': 'rw,noexec,nosuid,size=64m' } } : {}),
    Mounts: spec.mounts.map(toMount),
    PortBindings: { [`${spec.port}/tcp`]: [{ HostIp: published.host, HostPort: String(published.port) }] },
    NetworkMode: NETWORK,
  };
}

/** For every container, whatever its entry says. A changed line here raises `FORM`. */
const hardening: Docker.HostConfig = {
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  Privileged: false,
  Init: true,
  RestartPolicy: { Name: 'no' },
  LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
};

/** What an entry does not say is the image's own. */
function whatRuns(spec: Spec, image: string): Docker.ContainerCreateOptions {
  return {
    Image: image,
    ...(spec.command.length === 0 ? {} : { Cmd: [...spec.command] }),
    ...(spec.user === null ? {} : { User: spec.user }),
  };
}

const environment = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).map(([name, value]) => `${name}=${value}`);

function toMount(mount: Mount): Docker.MountSettings {
  return {
    Type: mount.kind === 'volume' ? 'volume' : 'bind',
    Source: mount.source,
    Target: mount.target,
    ReadOnly: mount.readOnly,
  };
}
