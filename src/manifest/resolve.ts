import { digest } from '../lib/digest.ts';
import type { DesiredServer, DesiredState } from '../model/desired.ts';
import type { Settings } from '../model/spec.ts';
import { blueprintOf } from './container.ts';
import { actedOn, metadataOf, namespaceOf, undeployable, versionOf } from './entry.ts';
import { judge } from './judge.ts';
import type { Policy } from './policy.ts';
import type { Manifest } from './schema/manifest.ts';
import type { ServerEntry } from './schema/server.ts';
import { refuseSharedPaths } from './shared-paths.ts';
import { healthCheckOf, recoveryOf, updateTimingsOf } from './timings.ts';

interface ResolveContext {
  /** Git commit, or `sha256:<content>`. */
  readonly revision: string;
  /** The manifest's address and path. */
  readonly source: string;
  readonly traceId: string;
  readonly policy: Policy;
}

/** What should run, every default made explicit and every entry judged by the operator's policy. */
export function resolveManifest(manifest: Manifest, context: ResolveContext): DesiredState {
  const { revision, source, traceId, policy } = context;
  return {
    revision,
    source,
    traceId,
    paused: manifest.paused,
    servers: refuseSharedPaths(manifest.servers.map((entry) => judged(resolveServer(entry), policy))),
  };
}

/** One entry, before any policy has seen it. Its `entry` hash is of what git says, so no new default of ours moves it. */
export function resolveServer(entry: ServerEntry): DesiredServer {
  const refusal = undeployable(entry);
  const strategy = entry.version_strategy ?? 'pinned';
  return {
    name: entry.name,
    namespace: namespaceOf(entry),
    entry: digest(actedOn(entry)),
    version: versionOf(entry),
    transport: entry.transport ?? 'http',
    desiredState: entry.desired_state ?? 'running',
    paused: entry.paused ?? false,
    prune: entry.prune ?? true,
    dependsOn: entry.depends_on ?? [],
    restartPolicy: entry.restart_policy ?? 'always',
    autoUpdate: entry.auto_update ?? false,
    strategy,
    versionRange: strategy === 'semantic' ? rangeOf(entry) : null,
    exclude: entry.update?.exclude ?? [],
    minAgeSeconds: entry.update?.min_age_seconds ?? 0,
    rollbackOnFailure: entry.rollback_on_failure ?? true,
    notificationChannel: entry.notification_channel ?? null,
    settings: settingsOf(entry),
    blueprint: refusal === null ? blueprintOf(entry) : null,
    refusal,
    metadata: metadataOf(entry),
  };
}

function judged(server: DesiredServer, policy: Policy): DesiredServer {
  return { ...server, refusal: server.refusal ?? judge(server, policy) };
}

function rangeOf(entry: ServerEntry): string | null {
  const version = versionOf(entry);
  return entry.update?.version_range ?? (version === null ? null : `^${version}`);
}

function settingsOf(entry: ServerEntry): Settings {
  const transport = entry.transport ?? 'http';
  return {
    version: versionOf(entry),
    namespace: namespaceOf(entry),
    transport,
    path: entry.docker?.path ?? (transport === 'sse' ? '/sse' : '/mcp'),
    dependsOn: entry.depends_on ?? [],
    health: healthCheckOf(entry),
    update: updateTimingsOf(entry),
    recovery: recoveryOf(entry),
    prune: entry.prune ?? true,
  };
}
