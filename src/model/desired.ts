import type { Blueprint, Settings, Transport } from './spec.ts';

/** What should run, as one revision of the manifest says. Every default is already filled in. */
export interface DesiredState {
  /** Git commit, or `sha256:<content>` without git. */
  readonly revision: string;
  /** The manifest's address and path: a changed source holds removals. */
  readonly source: string;
  readonly traceId: string;
  /** `paused: true` at the top: watch, but do nothing. */
  readonly paused: boolean;
  /** In the order of the manifest. */
  readonly servers: readonly DesiredServer[];
}

/** One entry of the manifest, resolved. */
export interface DesiredServer {
  readonly name: string;
  readonly namespace: string;
  /** Hash of the entry as git says it, without metadata: a changed one forgets quarantine and attempts. */
  readonly entry: string;
  readonly version: string | null;
  readonly transport: Transport;
  readonly desiredState: 'running' | 'stopped';
  readonly paused: boolean;
  readonly prune: boolean;
  readonly dependsOn: readonly string[];
  readonly restartPolicy: 'always' | 'on-failure' | 'unless-stopped';
  readonly autoUpdate: boolean;
  readonly strategy: 'pinned' | 'semantic' | 'latest';
  /** semver range the semantic strategy stays inside; null for the others. */
  readonly versionRange: string | null;
  readonly exclude: readonly string[];
  readonly minAgeSeconds: number;
  readonly rollbackOnFailure: boolean;
  readonly notificationChannel: string | null;
  readonly settings: Settings;
  /** null: nothing to deploy; `refusal` says why. */
  readonly blueprint: Blueprint | null;
  /** This entry is not acted on; what runs of it stays as it is. */
  readonly refusal: Refusal | null;
  readonly metadata: Metadata;
}

export interface Refusal {
  readonly phase: 'refused' | 'undeployable';
  /** Stable word, e.g. `untrusted_image`, `missing_secret`, `stdio_not_bridged`. */
  readonly reason: string;
  readonly message: string;
  readonly suggestedAction: string;
}

/** Carried to the status, never acted on. */
export interface Metadata {
  readonly description: string | null;
  readonly repository: string | null;
  readonly maintainers: readonly string[];
  readonly tags: readonly string[];
  readonly capabilities: readonly string[];
  readonly qualityTier: string | null;
  readonly tools: readonly { readonly name: string; readonly description: string | null }[];
}
