import { ownValue } from '../lib/own-value.ts';
import type { DesiredState } from '../model/desired.ts';
import type { EventFields } from '../model/event.ts';
import type { Memory } from '../model/memory.ts';
import type { Commit } from '../source/source.ts';

/** What is known when a revision is accepted. */
export interface Before {
  readonly memory: Memory;
  /** Policy: whether a commit's `Allow-Removal` trailer counts. */
  readonly removalByTrailer: boolean;
}

/** What `manifest_synced` says of a revision, compared with what was in force before. */
export function syncedFields(
  desired: DesiredState,
  commits: readonly Commit[],
  before: Before,
): EventFields['manifest_synced'] {
  return {
    source: desired.source,
    revision: desired.revision,
    previous: before.memory.revision,
    commits: commits.map(({ revision, traceId, subject }) => ({
      revision,
      trace_id: traceId ?? desired.traceId,
      subject,
    })),
    ...changes(desired, before.memory),
    allow_removal: released(desired, commits, before),
    unpruned: desired.servers.filter(({ prune }) => !prune).map(({ name }) => name),
  };
}

/** First 12 of a commit or of a content hash. */
export const shortRevision = (revision: string): string => revision.replace(/^sha256:/, '').slice(0, 12);

function changes(
  desired: DesiredState,
  { servers }: Memory,
): Pick<EventFields['manifest_synced'], 'entries' | 'added' | 'changed' | 'removed'> {
  const entries = Object.fromEntries(desired.servers.map(({ name, entry }) => [name, entry]));
  const names = Object.keys(entries);
  const known = (name: string): string | null => ownValue(servers, name)?.entry ?? null;
  return {
    entries,
    added: names.filter((name) => known(name) === null),
    changed: names.filter((name) => known(name) !== null && known(name) !== ownValue(entries, name)),
    removed: Object.keys(servers).filter(
      (name) => known(name) !== null && ownValue(entries, name) === undefined,
    ),
  };
}

/** Names that may go: what the new commits release, and what earlier ones released and is not gone yet. */
function released(
  desired: DesiredState,
  commits: readonly Commit[],
  { memory, removalByTrailer }: Before,
): string[] {
  if (!removalByTrailer) return [];
  const wanted = new Set(desired.servers.map(({ name }) => name));
  const unwanted = Object.keys(memory.servers).filter((name) => !wanted.has(name));
  const named = new Set([...memory.allowRemoval, ...commits.flatMap((commit) => commit.allowRemoval)]);
  const all = commits.some((commit) => commit.allowRemoval.includes('all'));
  return unwanted.filter((name) => all || named.has(name)).sort();
}
