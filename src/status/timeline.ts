import type { Event } from '../model/event.ts';

/** The last events, for people who ask what happened: the log has them all, this has the newest of each server. */
export class Timeline {
  #latest: readonly Event[] = [];
  readonly #ofServer = new Map<string, readonly Event[]>();

  note(event: Event): void {
    if (event.event_type === 'memory_checkpoint') return;
    const told = withoutLog(event);
    this.#latest = [told, ...this.#latest].slice(0, MAX_EVENTS);
    const { server_name: server } = event;
    if (server === undefined) return;
    const known = this.#ofServer.get(server) ?? [];
    this.#ofServer.delete(server);
    this.#ofServer.set(server, [told, ...known].slice(0, MAX_EVENTS_OF_SERVER));
    this.#forgetQuietest();
  }

  /** Newest first. */
  latest(): readonly Event[] {
    return this.#latest;
  }

  /** Newest first; those of a server that was removed stay for a while. */
  ofServer(server: string): readonly Event[] {
    return this.#ofServer.get(server) ?? [];
  }

  /** Newest first. */
  ofTrace(trace: string): readonly Event[] {
    return this.#latest.filter((event) => event.trace_id === trace);
  }

  /** Servers come and go for years: the one that was silent longest goes first. */
  #forgetQuietest(): void {
    if (this.#ofServer.size <= MAX_SERVERS) return;
    for (const quietest of this.#ofServer.keys()) return void this.#ofServer.delete(quietest);
  }
}

const MAX_EVENTS = 1_000;
const MAX_EVENTS_OF_SERVER = 100;
const MAX_SERVERS = 2_000;

/** What a version that was set aside wrote and answered is in the log on this machine alone. */
function withoutLog(event: Event): Event {
  if (event.event_type !== 'version_quarantined') return event;
  const { log: _log, answers: _answers, ...evidence } = event.evidence;
  return { ...event, evidence };
}
