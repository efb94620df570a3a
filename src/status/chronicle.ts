import { ofIncident } from '../model/catalogue.ts';
import type { Event, EventType } from '../model/event.ts';
import { Timeline } from './timeline.ts';

/** What happened, kept by what is asked for. */
export class Chronicle {
  /** The last events of everybody, of one server or of one trace, newest first. */
  readonly timeline = new Timeline();
  readonly #ofHealth = new Map<string, readonly Event[]>();
  #revisions: readonly Event[] = [];

  note(event: Event): void {
    const { server_name: server } = event;
    this.timeline.note(event);
    if (isAboutRevisions(event)) this.#revisions = [event, ...this.#revisions].slice(0, MAX_REVISION_EVENTS);
    if (server === undefined || !isAboutHealth(event)) return;
    const kept = this.#ofHealth.get(server) ?? [];
    this.#ofHealth.set(server, [event, ...kept].slice(0, MAX_EVENTS));
  }

  /** About the health of one server, newest first. */
  ofHealth(server: string): readonly Event[] {
    return this.#ofHealth.get(server) ?? [];
  }

  /** What became of revisions, newest first. */
  get revisions(): readonly Event[] {
    return this.#revisions;
  }

  /** The server is gone. */
  forget(server: string): void {
    this.#ofHealth.delete(server);
  }
}

export const isAboutRevisions = ({ event_type: type }: Event): boolean => aboutRevisions.has(type);
export const isAboutHealth = ({ event_type: type }: Event): boolean => aboutHealth.has(type);

const MAX_EVENTS = 500;
/** Each names every server: more of them would make a big answer. */
const MAX_REVISION_EVENTS = 60;

const aboutHealth: ReadonlySet<EventType> = new Set<EventType>(['health_check_completed', ...ofIncident]);

const aboutRevisions: ReadonlySet<EventType> = new Set<EventType>([
  'manifest_synced',
  'registry_read_failed',
  'revision_settled',
]);
