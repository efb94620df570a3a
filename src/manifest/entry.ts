import type { Metadata, Refusal } from '../model/desired.ts';
import { parseImage, versionOfTag } from './image.ts';
import type { ServerEntry } from './schema/server.ts';

/** `mcp-server-github` -> `github`, unless the entry says otherwise. */
export const namespaceOf = ({ name, namespace }: ServerEntry): string =>
  namespace ?? name.replace(/^mcp-server-(?=.)/, '');

/** The version the entry stands for: as written, else as its tag says; none where a moving tag is followed. */
export function versionOf({ version, version_strategy, docker }: ServerEntry): string | null {
  if (version_strategy === 'latest') return null;
  const tag = docker?.image === undefined ? null : parseImage(docker.image).tag;
  return version ?? (tag === null ? null : versionOfTag(tag));
}

/** Why nothing can be deployed for this entry, whatever the policy; null: something can. */
export function undeployable({ transport, docker }: ServerEntry): Refusal | null {
  if (transport === 'stdio') {
    return refusal(
      'stdio_not_bridged',
      'a stdio server cannot be reached over the network',
      'Offer it over http or sse, and write that as its transport.',
    );
  }
  if (docker !== undefined) return null;
  return refusal(
    'no_docker_block',
    'the entry does not say how to run it',
    'Add `docker: {image: ..., port: ...}`.',
  );
}

function refusal(reason: string, message: string, suggestedAction: string): Refusal {
  return { phase: 'undeployable', reason, message, suggestedAction };
}

/** What is carried to the status and never acted on. */
export function metadataOf(entry: ServerEntry): Metadata {
  return {
    description: entry.description ?? null,
    repository: entry.repository ?? null,
    maintainers: entry.maintainers ?? [],
    tags: entry.tags ?? [],
    capabilities: entry.capabilities ?? [],
    qualityTier: entry.quality_tier ?? null,
    tools: (entry.tools ?? []).map(({ name, description }) => ({ name, description: description ?? null })),
  };
}

/** The entry without what is only carried: a corrected description must not lift a quarantine. */
export function actedOn(entry: ServerEntry): Readonly<Record<string, unknown>> {
  const kept = Object.entries(entry).filter(([key]) => !CARRIED.has(key) && !key.startsWith('x-'));
  return Object.fromEntries(kept);
}

const CARRIED: ReadonlySet<string> = new Set([
  'description',
  'repository',
  'maintainers',
  'tags',
  'capabilities',
  'quality_tier',
  'tools',
  'health_check_response',
  'endpoint',
  'health_spec_version',
  'metadata',
  'created_at',
  'updated_at',
]);
