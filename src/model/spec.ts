import { digest } from '../lib/digest.ts';

/** A volume or host path given to a container. `source` is the engine's own volume name, or an absolute host path. */
export interface Mount {
  readonly kind: 'volume' | 'host-path';
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Two running copies may write to it at once. */
  readonly shareable: boolean;
  /** A volume that somebody else made, under its own name. Absent: no. It does not make the container: it says whose the source is. */
  readonly external?: boolean;
}

export interface Resources {
  /** Cores; fractions are allowed. */
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly pids: number;
}

/** Everything of a server's entry that makes its container, before the tag became a digest. */
export interface Blueprint {
  readonly server: string;
  /** Fully normalised: `docker.io/liminalcommons/mcp-server-github:1.0.0`, or `...@sha256:...`. */
  readonly image: string;
  readonly command: readonly string[];
  readonly user: string | null;
  readonly port: number;
  /** 0: a free port of our choosing. */
  readonly hostPort: number;
  readonly mounts: readonly Mount[];
  readonly networks: readonly string[];
  readonly resources: Resources;
  readonly readOnlyRoot: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly { readonly name: string; readonly required: boolean }[];
  readonly restartToken: string | null;
  readonly order: UpdateOrder;
  /** Why `order` is stop-first although nobody wrote it: `fixed host port`, `writable volume data`; else null. */
  readonly exclusiveBecause: string | null;
}

export type UpdateOrder = 'start-first' | 'stop-first';

/** What travels with a container but does not make it: changing any of it restarts nothing. */
export interface Settings {
  readonly version: string | null;
  readonly namespace: string;
  readonly transport: Transport;
  /** Where MCP answers inside the container, e.g. `/mcp`. */
  readonly path: string;
  readonly dependsOn: readonly string[];
  readonly health: HealthCheck;
  readonly update: UpdateTimings;
  readonly recovery: Recovery;
  /** false: never removed when the entry goes. Absent: true. On the label, so that a lost memory removes nothing. */
  readonly prune?: boolean;
}

export type Transport = 'http' | 'sse' | 'stdio';

/** All times in seconds, as in the manifest (contracts section 2). */
export interface HealthCheck {
  /** One-key union, opaque to all but its own probe kind. */
  readonly probe:
    | { readonly http: { readonly endpoint: string; readonly strict: boolean } }
    | { readonly tcp: Readonly<Record<string, never>> }
    | { readonly docker: Readonly<Record<string, never>> };
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly suspectIntervalSeconds: number;
  readonly startPeriodSeconds: number;
}

export interface UpdateTimings {
  readonly minHealthySeconds: number;
  readonly healthyDeadlineSeconds: number;
  readonly soakSeconds: number;
  readonly drainMinSeconds: number;
  readonly drainTimeoutSeconds: number;
}

export interface Recovery {
  readonly enabled: boolean;
  readonly maxAttempts: number;
  readonly backoffSeconds: readonly number[];
  readonly slowRetrySeconds: number;
}

/** A secret is only ever a name and a version here; the value is read when a container is created. */
export interface SecretRef {
  readonly name: string;
  /** Changes when the value changes; says nothing about the value. null: optional and absent. */
  readonly version: string | null;
}

/** One version of a server: what is compared, remembered and run. It rides on the container's label. */
export interface Spec extends Omit<Blueprint, 'secrets'> {
  /** Identity: hash of all that makes the container. Not of `settings`, nor of the tag. */
  readonly digest: string;
  /** `sha256:...` the tag stood for when this spec was made. */
  readonly imageDigest: string;
  readonly secrets: readonly SecretRef[];
  readonly settings: Settings;
}

/** Fixes a blueprint to one image and one set of secret versions. Pure and repeatable. */
export function sealSpec(
  blueprint: Blueprint,
  fixed: {
    readonly imageDigest: string;
    readonly secrets: readonly SecretRef[];
    readonly settings: Settings;
  },
): Spec {
  const made = { ...blueprint, imageDigest: fixed.imageDigest, secrets: fixed.secrets };
  const { image, exclusiveBecause: _why, ...identity } = made;
  const mounts = identity.mounts.map(({ external: _whose, ...mount }) => mount);
  return {
    ...made,
    settings: fixed.settings,
    digest: digest({ ...identity, mounts, repository: repositoryOf(image) }),
  };
}

/** `docker.io/a/b:1.0` and `docker.io/a/b@sha256:...` -> `docker.io/a/b`. */
export function repositoryOf(image: string): string {
  const bare = image.split('@')[0] ?? image;
  const colon = bare.lastIndexOf(':');
  return colon > bare.lastIndexOf('/') ? bare.slice(0, colon) : bare;
}

/** `docker.io/a/b:1.0` -> `docker.io`: a resolved reference names its registry. */
export const registryOf = (image: string): string => image.slice(0, image.indexOf('/'));

/** At most one running copy: a fixed port, an exclusive volume, or written so. */
export const isExclusive = (spec: { readonly order: UpdateOrder }): boolean => spec.order === 'stop-first';

/** Names of the volumes that specs give as the server's own. */
export const volumesIn = (specs: readonly (Spec | undefined)[]): readonly string[] =>
  specs.flatMap((spec) =>
    (spec?.mounts ?? []).flatMap(({ kind, source, external }) =>
      kind === 'volume' && external !== true ? source : [],
    ),
  );

/**
 * What the engine is asked about: with the tag where the entry names no digest, since then an image that nobody published
 * will do, if it bears that tag.
 */
export const interestOf = (spec: Spec): string =>
  spec.image.includes('@') ? imageRefOf(spec) : `${spec.image}@${spec.imageDigest}`;

/** What the engine is asked for: `repository@sha256:...`. */
export const imageRefOf = (spec: Spec): string => `${repositoryOf(spec.image)}@${spec.imageDigest}`;
