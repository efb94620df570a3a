import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { ownValue } from '../lib/own-value.ts';
import type { Problem } from '../model/problem.ts';
import { checkFor } from './check.ts';
import { bytesOf } from './container.ts';
import { inOrder, located } from './places.ts';
import { PORT_RANGE, portRange, type PortRange } from './port-ranges.ts';
import { resourcesSchema } from './schema/docker.ts';
import { withExtensions } from './schema/manifest.ts';
import { variableSchema } from './schema/text.ts';
import { normalisedPattern } from './trust.ts';
import { parseYaml } from './yaml.ts';

/** What the operator of this machine allows. It is never in the repository that it judges. */
export interface Policy {
  /** Patterns over whole normalised names; `*` never crosses `/`. */
  readonly trustedImages: readonly string[];
  /** The same over `host/owner/name` of `repository`; null: not asked. */
  readonly trustedRepositories: readonly string[] | null;
  /** A folder allows what is in it. */
  readonly allowHostPaths: readonly string[];
  readonly allowVolumes: readonly string[];
  readonly allowNetworks: readonly string[];
  /** What `host_port` may be. */
  readonly allowHostPorts: readonly PortRange[];
  /** Server -> names of secrets it may take from the shared ones and from the environment. */
  readonly allowSecrets: Readonly<Record<string, readonly string[]>>;
  /** No limit where absent. */
  readonly maxResources: { readonly cpus?: number; readonly memoryBytes?: number; readonly pids?: number };
  readonly requireDigest: boolean;
  /** Removals above this many are held; null: max(1, 30 %). */
  readonly allowRemovalOf: number | null;
  /** Whether a commit's `Allow-Removal` trailer counts. */
  readonly removalByTrailer: boolean;
  /** Where the engine listens besides the usual places: never given to a server. */
  readonly engineSockets: readonly string[];
  /** Our own folders and files: never given to a server, nor what holds them. */
  readonly ownPaths: readonly string[];
  /** Where we listen ourselves. */
  readonly ownPorts: readonly number[];
}

export const defaultPolicy: Policy = {
  trustedImages: ['docker.io/liminalcommons/*'],
  trustedRepositories: null,
  allowHostPaths: [],
  allowVolumes: [],
  allowNetworks: [],
  allowHostPorts: [{ from: 1024, to: 65_535 }],
  allowSecrets: {},
  maxResources: {},
  requireDigest: false,
  allowRemovalOf: null,
  removalByTrailer: true,
  engineSockets: [],
  ownPaths: [],
  ownPorts: [],
};

const patterns = {
  type: 'array',
  items: { type: 'string', pattern: '^[A-Za-z0-9._:/*?-]+$', maxLength: 512 },
} as const;
const names = { type: 'array', items: { type: 'string', minLength: 1 } } as const;

export const policySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    trusted_images: {
      ...patterns,
      default: defaultPolicy.trustedImages,
      description:
        'Patterns over whole image names such as `docker.io/liminalcommons/*`; `*` never crosses `/`.',
    },
    trusted_repositories: {
      ...patterns,
      description:
        "Patterns over the entry's `repository`, such as `github.com/liminalcommons/*`. Default: not asked.",
    },
    allow_host_paths: {
      type: 'array',
      items: { type: 'string', pattern: '^/', maxLength: 4096 },
      default: [],
      description: 'Folders of this machine that may be mounted, with what is in them.',
    },
    allow_volumes: { ...names, default: [], description: 'Volumes made by others that may be mounted.' },
    allow_networks: { ...names, default: [], description: 'Networks made by others that may be joined.' },
    allow_host_ports: {
      type: 'array',
      items: { type: 'string', pattern: PORT_RANGE, maxLength: 11 },
      default: ['1024-65535'],
      description: 'What `host_port` may be: ports and ranges of them.',
      examples: [['8000-8999', '443']],
    },
    allow_secrets: {
      type: 'object',
      additionalProperties: { type: 'array', items: variableSchema },
      default: {},
      description: 'Server -> secrets it may take from the shared ones.',
    },
    max_resources: { ...resourcesSchema, description: 'No server may ask for more.' },
    require_digest: {
      type: 'boolean',
      default: false,
      description: 'Only images written as `name@sha256:...`.',
    },
    allow_removal_of: {
      type: 'integer',
      minimum: 0,
      description: 'More removals at once than this are held. Default: 30 % of the servers, at least 1.',
    },
    removal_by_trailer: {
      type: 'boolean',
      default: true,
      description: 'Whether the trailer `Allow-Removal` of a commit releases removals.',
    },
  },
} as const satisfies JSONSchema;

type PolicyFile = FromSchema<typeof policySchema, { keepDefaultedPropertiesOptional: true }>;

const check = checkFor(() => withExtensions(policySchema) as object);

/** Reads the operator's policy file. An empty one is the default policy. Every problem at once. */
export function readPolicy(text: string, file: string): Result<Policy, readonly Problem[]> {
  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const { value, places } = parsed.value;
  const findings = check(value ?? {}, (path) => places.get(path)?.source ?? null);
  if (findings.length > 0) return err(inOrder(findings.map((finding) => located(finding, file, places))));
  return ok(toPolicy((value ?? {}) as PolicyFile));
}

/** `--trust <pattern>` adds to what the policy trusts. */
export function trusting(policy: Policy, patterns: readonly string[]): Policy {
  return { ...policy, trustedImages: [...policy.trustedImages, ...patterns.map(normalisedPattern)] };
}

/** Names of shared secrets that a server may take. */
export const grantedSecrets = (policy: Policy, server: string): readonly string[] =>
  ownValue(policy.allowSecrets, server) ?? [];

/** Told by whoever runs, not by a file. */
const noPlaces = { engineSockets: [], ownPaths: [], ownPorts: [] };

function toPolicy(written: PolicyFile): Policy {
  const { cpus, memory, pids } = written.max_resources ?? {};
  return {
    trustedImages: written.trusted_images?.map(normalisedPattern) ?? defaultPolicy.trustedImages,
    trustedRepositories: written.trusted_repositories ?? null,
    allowHostPaths: written.allow_host_paths ?? [],
    allowVolumes: written.allow_volumes ?? [],
    allowNetworks: written.allow_networks ?? [],
    allowHostPorts: written.allow_host_ports?.map(portRange) ?? defaultPolicy.allowHostPorts,
    allowSecrets: written.allow_secrets ?? {},
    maxResources: {
      ...(cpus === undefined ? {} : { cpus }),
      ...(memory === undefined ? {} : { memoryBytes: bytesOf(memory) }),
      ...(pids === undefined ? {} : { pids }),
    },
    requireDigest: written.require_digest ?? false,
    allowRemovalOf: written.allow_removal_of ?? null,
    removalByTrailer: written.removal_by_trailer ?? true,
    ...noPlaces,
  };
}
