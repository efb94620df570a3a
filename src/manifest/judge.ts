import type { DesiredServer, Refusal } from '../model/desired.ts';
import type { Blueprint } from '../model/spec.ts';
import { repositoryOf } from '../model/spec.ts';
import { engineSocketIn, isWithin } from './host-path.ts';
import type { Policy } from './policy.ts';
import { isInRanges, writtenRanges } from './port-ranges.ts';
import { fits } from './trust.ts';

/** One rule: what it refuses, or null. */
type Rule = (subject: Subject, policy: Policy) => Refusal | null;
interface Subject {
  readonly server: DesiredServer;
  readonly blueprint: Blueprint;
}

/** Whether the operator's policy allows an entry. The first rule that refuses speaks; null: all allow it. */
export function judge(server: DesiredServer, policy: Policy): Refusal | null {
  const { blueprint } = server;
  if (blueprint === null) return null;
  for (const rule of rules) {
    const refusal = rule({ server, blueprint }, policy);
    if (refusal !== null) return refusal;
  }
  return null;
}

const rules: readonly Rule[] = [
  neverNetwork,
  neverSocket,
  image,
  repository,
  pinned,
  ownPlaces,
  hostPaths,
  hostPort,
  volumes,
  networks,
  resources,
];

function neverNetwork({ blueprint }: Subject): Refusal | null {
  const found = blueprint.networks.find((name) => FORBIDDEN_NETWORK.test(name));
  if (found === undefined) return null;
  return refused(
    'network_forbidden',
    `the network \`${found}\` is never allowed`,
    'Remove it from docker.networks.',
  );
}

/** Modes rather than networks, and the network that only promotion joins. */
const FORBIDDEN_NETWORK = /^(host|none|default|bridge|mcp-network-live|container:.*|ns:.*)$/;

function neverSocket({ blueprint }: Subject, { engineSockets }: Policy): Refusal | null {
  const found = hostPathsOf(blueprint).find((path) => engineSocketIn(path, engineSockets));
  if (found === undefined) return null;
  const message = `the host path \`${found}\` leads to the engine's socket, which is never allowed`;
  return refused('engine_socket', message, 'Remove it from docker.volumes.');
}

function image({ blueprint }: Subject, { trustedImages }: Policy): Refusal | null {
  const name = repositoryOf(blueprint.image);
  if (fits(name, trustedImages)) return null;
  // Everybody publishes to `library/` through Docker alone: there the name itself, elsewhere its organisation.
  const pattern = name.startsWith('docker.io/library/') ? name : name.replace(/[^/]+$/, '*');
  return refused(
    'untrusted_image',
    `the image \`${name}\` is not trusted`,
    `Start with --trust '${pattern}', or add '${pattern}' to trusted_images in the policy file.`,
  );
}

function repository({ server }: Subject, { trustedRepositories }: Policy): Refusal | null {
  if (trustedRepositories === null) return null;
  const written = server.metadata.repository;
  const name = (written ?? '').replace(/^\w+:\/\/([^@/]*@)?/, '').replace(/(\.git)?\/?$/, '');
  if (written !== null && fits(name, trustedRepositories)) return null;
  const message =
    written === null ? 'the entry names no repository' : `the repository \`${name}\` is not trusted`;
  const action =
    written === null
      ? 'Add `repository` to the entry.'
      : `Add '${name}' to trusted_repositories in the policy file.`;
  return refused('untrusted_repository', message, action);
}

function pinned({ blueprint }: Subject, { requireDigest }: Policy): Refusal | null {
  if (!requireDigest || blueprint.image.includes('@')) return null;
  const message = `the image \`${blueprint.image}\` is not written with its digest`;
  return refused(
    'digest_required',
    message,
    `Write ${repositoryOf(blueprint.image)}@sha256:... as docker.image.`,
  );
}

function hostPaths({ blueprint }: Subject, { allowHostPaths }: Policy): Refusal | null {
  const found = hostPathsOf(blueprint).find(
    (path) => !allowHostPaths.some((folder) => isWithin(path, folder)),
  );
  if (found === undefined) return null;
  const action = `Add '${found}' to allow_host_paths in the policy file, or use a volume.`;
  return refused('host_path_not_allowed', `the host path \`${found}\` is not allowed`, action);
}

function ownPlaces({ blueprint }: Subject, { ownPaths }: Policy): Refusal | null {
  const found = hostPathsOf(blueprint).find((path) =>
    ownPaths.some((own) => isWithin(path, own) || isWithin(own, path)),
  );
  if (found === undefined) return null;
  const message = `the host path \`${found}\` is, holds or lies in what is the orchestrator's own`;
  return refused('host_path_closed', message, 'Remove it from docker.volumes, or use a volume.');
}

function hostPort({ blueprint }: Subject, { allowHostPorts, ownPorts }: Policy): Refusal | null {
  const { hostPort: port } = blueprint;
  if (port === 0) return null;
  const other = 'choose another host_port (0: a free one).';
  if (ownPorts.includes(port)) {
    const message = `the orchestrator itself listens on the host port \`${port}\``;
    return refused('host_port_not_allowed', message, `C${other.slice(1)}`);
  }
  if (isInRanges(port, allowHostPorts)) return null;
  const allowed = writtenRanges([...allowHostPorts, { from: port, to: port }]);
  const action = `Write \`allow_host_ports: [${allowed}]\` in the policy file, or ${other}`;
  return refused('host_port_not_allowed', `the host port \`${port}\` is not allowed`, action);
}

function volumes({ server, blueprint }: Subject, { allowVolumes }: Policy): Refusal | null {
  const foreign = blueprint.mounts.filter(
    ({ kind, source, external }) =>
      kind === 'volume' && (external === true || !source.startsWith(`${server.name}_`)),
  );
  const found = foreign.find(({ source }) => !allowVolumes.includes(source));
  if (found === undefined) return null;
  const action = `Add '${found.source}' to allow_volumes in the policy file.`;
  return refused('volume_not_allowed', `the volume \`${found.source}\` belongs to somebody else`, action);
}

function networks({ blueprint }: Subject, { allowNetworks }: Policy): Refusal | null {
  const found = blueprint.networks.find((name) => name !== 'mcp-network' && !allowNetworks.includes(name));
  if (found === undefined) return null;
  const action = `Add '${found}' to allow_networks in the policy file.`;
  return refused('network_not_allowed', `the network \`${found}\` is not allowed`, action);
}

function resources({ blueprint }: Subject, { maxResources }: Policy): Refusal | null {
  const { cpus, memoryBytes, pids } = blueprint.resources;
  const over = [
    { key: 'cpus', asked: cpus, most: maxResources.cpus },
    { key: 'memory', asked: memoryBytes, most: maxResources.memoryBytes },
    { key: 'pids', asked: pids, most: maxResources.pids },
  ].find(({ asked, most }) => most !== undefined && asked > most);
  if (over === undefined) return null;
  const message = `${over.key} ${over.asked} is more than the policy allows (${over.most})`;
  return refused(
    'resources_over_limit',
    message,
    `Lower docker.resources.${over.key}, or raise max_resources.${over.key} in the policy file.`,
  );
}

const hostPathsOf = (blueprint: Blueprint): readonly string[] =>
  blueprint.mounts.filter(({ kind }) => kind === 'host-path').map(({ source }) => source);

function refused(reason: string, message: string, suggestedAction: string): Refusal {
  return { phase: 'refused', reason, message, suggestedAction };
}
