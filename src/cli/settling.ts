import type { Event } from '../model/event.ts';
import { LeftOut } from './left-out.ts';

/** What became of a revision, as far as the events tell. */
export type Settling =
  /** The orchestrator has not met it, nor a descendant of it. */
  | { readonly state: 'unknown' }
  | { readonly state: 'under way'; readonly servers: readonly string[] }
  | { readonly state: 'refused'; readonly error: string }
  | {
      readonly state: 'applied' | 'partial' | 'superseded';
      /** The revision itself, or the descendant that was settled in its place. */
      readonly revision: string;
      readonly seconds: number;
      readonly servers: readonly string[];
      readonly failed: readonly string[];
    };

/**
 * `events` oldest first; `sha` may be the beginning of a revision, 7 digits at least. `later`: revisions that git says
 * descend from it, though no event does. A line that makes us stumble is told to `leftOut`, and changes nothing.
 */
export function settlingOf(
  sha: string,
  events: Iterable<Event>,
  later: ReadonlySet<string> = new Set(),
  leftOut: LeftOut = new LeftOut(),
): Settling {
  let found: Settling = { state: 'unknown' };
  const inForce = new Set<string>();
  for (const event of events) {
    if (found.state === 'applied' || found.state === 'partial' || found.state === 'superseded') return found;
    const before: Settling = found;
    found = leftOut.over(before, event, () => next(before, event, { sha, inForce, later }));
  }
  return found;
}

interface Wanted {
  readonly sha: string;
  /** The revision itself and what came after it, once accepted. */
  readonly inForce: Set<string>;
  readonly later: ReadonlySet<string>;
}

function next(found: Settling, event: Event, { sha, inForce, later }: Wanted): Settling {
  if (event.event_type === 'manifest_synced') {
    const commits = [event.revision, ...event.commits.map((commit) => commit.revision)];
    const isMeant = commits.some((each) => each.startsWith(sha)) || later.has(event.revision);
    if (inForce.size === 0 && !isMeant) return found;
    inForce.add(event.revision);
    return { state: 'under way', servers: Object.keys(event.entries) };
  }
  if (event.event_type === 'revision_settled' && inForce.has(event.revision)) {
    const { outcome, revision, seconds, servers_failed: failed } = event;
    return { state: outcome, revision, seconds, failed, servers: 'servers' in found ? found.servers : [] };
  }
  if (event.event_type === 'registry_read_failed' && event.revision?.startsWith(sha) === true) {
    return { state: 'refused', error: reasonIn(event.details) };
  }
  return found;
}

/** The words that other programs look for do not say which version it is. */
const reasonIn = (details: Event<'registry_read_failed'>['details']): string =>
  details.expected === undefined
    ? details.error
    : `${details.error}: it says ${details.registry_version ?? 'none'}, and ${details.expected} is read here`;
