import type { Blueprint, Mount, Resources } from '../model/spec.ts';
import { parseImage } from './image.ts';
import type { ServerEntry } from './schema/server.ts';

type Docker = NonNullable<ServerEntry['docker']>;
type Volume = NonNullable<Docker['volumes']>[number];

/** The network every instance is on from its creation. */
const NETWORK = 'mcp-network';

/** All that makes the server's container, every default explicit. The entry has a docker block with image and port. */
export function blueprintOf(entry: ServerEntry): Blueprint {
  const { docker = {}, config = {}, name } = entry;
  const reason = exclusiveReason(entry);
  const chosen = entry.update?.order;
  return {
    server: name,
    image: imageOf(entry),
    command: docker.command ?? [],
    user: docker.user ?? null,
    port: docker.port ?? 0,
    hostPort: docker.host_port ?? 0,
    mounts: (docker.volumes ?? []).map((volume) => mountOf(name, volume)),
    networks: [...new Set([NETWORK, ...(docker.networks ?? [])])],
    resources: resourcesOf(docker.resources ?? {}),
    readOnlyRoot: docker.read_only_root ?? false,
    env: config.env ?? {},
    secrets: (config.secrets ?? []).map((secret) => ({
      name: secret.name,
      required: secret.required ?? true,
    })),
    restartToken: entry.restart_token ?? null,
    order: reason !== null ? 'stop-first' : (chosen ?? 'start-first'),
    exclusiveBecause: chosen === 'stop-first' ? null : reason,
  };
}

/** Why two copies could not run at once: `fixed host port 8080, writable volume data`; null: they can. */
export function exclusiveReason({ docker = {} }: ServerEntry): string | null {
  const { host_port: port, volumes = [] } = docker;
  const alone = volumes.filter(({ read_only, shareable }) => read_only !== true && shareable !== true);
  const reasons = [
    ...(port ? [`fixed host port ${port}`] : []),
    ...alone.map(({ source }) => `writable volume ${source}`),
  ];
  return reasons.length === 0 ? null : reasons.join(', ');
}

/** `512m` -> 536,870,912. */
export function bytesOf(memory: string): number {
  const [amount = '', unit = 'b'] = memory.toLowerCase().split(/(?=[bkmg])/);
  return Number(amount) * 1024 ** 'bkmg'.indexOf(unit);
}

/** A bare name takes the version as its tag; `latest` follows the tag `latest` unless another is written. */
function imageOf({ docker, version, version_strategy }: ServerEntry): string {
  const { repository, tag, digest } = parseImage(docker?.image ?? '');
  if (digest !== null) return `${repository}@${digest}`;
  return `${repository}:${tag ?? (version_strategy === 'latest' ? undefined : version) ?? 'latest'}`;
}

function mountOf(server: string, { source, target, read_only, shareable, external }: Volume): Mount {
  const isPath = source.startsWith('/');
  const named = external === true ? source : `${server}_${source}`;
  return {
    kind: isPath ? 'host-path' : 'volume',
    source: isPath ? tidy(source) : named,
    target: tidy(target),
    readOnly: read_only ?? false,
    shareable: shareable ?? false,
    ...(external === true && !isPath ? { external } : {}),
  };
}

function resourcesOf({ cpus, memory, pids }: NonNullable<Docker['resources']>): Resources {
  return { cpus: cpus ?? 1, memoryBytes: bytesOf(memory ?? '512m'), pids: pids ?? 256 };
}

/** One way to write each path, so that rules on paths cannot be walked around: no `//`, no slash at the end. */
const tidy = (path: string): string => path.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
