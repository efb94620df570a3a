import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { isoSeconds } from '../lib/time.ts';
import { catalogue } from '../model/catalogue.ts';
import type { Event, EventDraft } from '../model/event.ts';
import { Failure } from '../model/failure.ts';
import { emptyMemory, type Memory } from '../model/memory.ts';
import type { Journal, LogName } from '../journal/journal.ts';
import { rememberLine } from '../plan/remember.ts';
import { withoutFuture } from '../plan/set-back.ts';
import { dress } from './dress.ts';
import { internalError } from './mistakes.ts';
import { withoutSecrets } from './without-secrets.ts';

export interface RecorderDeps {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** Short random id for rollouts and incidents. */
  readonly newId: () => string;
  /** Blots out secret values. */
  readonly scrub: (text: string) => string;
  /** Told of every event after it is on disk; must not throw and is not waited for. */
  readonly tell: (event: Event) => void;
  /** Told of the latest events of earlier runs, oldest first, before anything new. */
  readonly recall: (event: Event) => void;
  /** Told when the journal can or cannot be written. */
  readonly journalState: (state: 'ok' | 'down') => void;
}

/** So many events of earlier runs are shown to readers after a restart. */
const RECALLED = 2_000;

/** A clock that is kept in step goes back a little now and then. */
const TOLERATED_MS = 1_000;

/** The only hand that writes history: stamps, appends, remembers, logs, tells. One event at a time, in order. */
export class Recorder {
  readonly #deps: RecorderDeps;
  #memory: Memory;
  /** Unix ms: the latest that the clock has said. */
  #latest: number;
  /** Unix ms of the last line of earlier runs; null: there was none. */
  readonly heardUntil: number | null;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(deps: RecorderDeps, memory: Memory, latest: number) {
    this.#deps = deps;
    this.#memory = memory;
    this.#latest = latest;
    this.heardUntil = latest === 0 ? null : latest;
  }

  /** Reads the log back into memory. Lines nobody can read are skipped, counted and logged. */
  static async open(deps: RecorderDeps): Promise<Recorder> {
    const { events, skipped } = await deps.journal.replay('events');
    if (skipped > 0) deps.log.warn({ skipped }, 'lines of the event log could not be read and were skipped');
    const latest = events.at(-1)?.time_ms ?? 0;
    const { memory, mistaken } = rememberAll(events);
    const recorder = new Recorder(deps, memory, latest);
    for (const event of events.slice(-RECALLED)) recorder.#pass(deps.recall, event);
    for (const { event, error } of notTold(mistaken, events)) await recorder.#setAside(event, error);
    return recorder;
  }

  /** What the log says, as a value; never changed in place. */
  get memory(): Memory {
    this.#noticeSetBack();
    return this.#memory;
  }

  /** Resolves when the event is on disk and remembered. Rejects with a `Failure` when it cannot be written. */
  record(draft: EventDraft): Promise<Event> {
    const written = this.#queue.then(() => this.#write(draft));
    this.#queue = written.catch(() => undefined);
    return written;
  }

  /** Resolves when everything asked for until now is written or has failed. */
  async flush(): Promise<void> {
    await this.#queue;
  }

  async #write(draft: EventDraft): Promise<Event> {
    const { journal, journalState, tell } = this.#deps;
    const log = catalogue[draft.event].log;
    this.#noticeSetBack();
    const moment = { newId: this.#deps.newId, now: this.#deps.clock.now() };
    const said = withoutSecrets(draft, this.#deps.scrub);
    const event = this.#stamp(dress(said, this.#memory, moment), log);
    await journal.append(log, event).catch((error: unknown) => {
      journalState('down');
      throw error;
    });
    journalState('ok');
    const { memory, mistake } = rememberLine(this.#memory, event);
    this.#memory = memory;
    // The clock may have been set back while the line was written: what it says is then of the future.
    this.#latest = Math.max(this.#latest, event.time_ms);
    this.#say(event);
    this.#pass(tell, event);
    if (mistake !== null && event.event_type !== 'internal_error')
      this.#setAside(event, mistake).catch((error: unknown) => this.#unwritten(error));
    if (journal.isFull(log)) await this.#rotate(log);
    return event;
  }

  /** Whoever is told has no say in whether we go on. */
  #pass(listener: (event: Event) => void, event: Event): void {
    try {
      listener(event);
    } catch (error) {
      this.#deps.log.error({ err: error, seq: event.seq }, 'our own mistake in telling of an event');
    }
  }

  /** A line that our memory stumbles over is told once, and nothing of it is remembered. */
  async #setAside(event: Event, error: unknown): Promise<void> {
    this.#deps.log.error({ err: error, seq: event.seq }, 'our own mistake in remembering a line of the log');
    const { server_name: server = null, trace_id: traceId, seq: line } = event;
    await this.record(internalError({ server, traceId, doing: 'memory', error, line }));
  }

  #unwritten(error: unknown): void {
    this.#deps.log.error({ err: error }, 'a mistake could not be written down');
  }

  #noticeSetBack(): void {
    const now = this.#deps.clock.now();
    if (now < this.#latest - TOLERATED_MS) {
      this.#deps.log.warn({ seconds: (this.#latest - now) / 1_000 }, 'the clock was set back');
      this.#memory = withoutFuture(this.#memory, now);
    }
    this.#latest = now;
  }

  /** The event itself is safe by now: a file that cannot be ended goes on growing, and that is told. */
  async #rotate(log: LogName): Promise<void> {
    try {
      await this.#deps.journal.rotate(log, log === 'events' ? this.#checkpoint() : null);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#deps.log.error({ code: error.code, log }, error.message);
      this.#deps.journalState('down');
    }
  }

  #stamp(draft: EventDraft, log: LogName): Event {
    const now = this.#deps.clock.now();
    return {
      event_type: draft.event,
      trace_id: draft.traceId,
      timestamp: isoSeconds(now),
      repo: 'mcp-orchestration',
      seq: this.#deps.journal.next(log),
      time_ms: now,
      ...(draft.server === null ? {} : { server_name: draft.server }),
      ...draft.fields,
    } as Event;
  }

  #checkpoint(): Event {
    const memory = this.#memory;
    const traceId = memory.traceId ?? 'orchestrator';
    return this.#stamp({ event: 'memory_checkpoint', server: null, traceId, fields: { memory } }, 'events');
  }

  #say(event: Event): void {
    const { level, says } = catalogue[event.event_type];
    if (event.event_type === 'memory_checkpoint') return;
    this.#deps.log[level](event, says);
  }
}

interface MistakenLine {
  readonly event: Event;
  readonly error: unknown;
}

function rememberAll(events: readonly Event[]): { memory: Memory; mistaken: readonly MistakenLine[] } {
  const mistaken: MistakenLine[] = [];
  let memory = emptyMemory;
  for (const event of events) {
    const after = rememberLine(memory, event);
    memory = after.memory;
    if (after.mistake !== null) mistaken.push({ event, error: after.mistake });
  }
  return { memory, mistaken };
}

/** Every start meets them again: those of which a line tells already are not told anew. */
function notTold(mistaken: readonly MistakenLine[], events: readonly Event[]): readonly MistakenLine[] {
  const told = new Set(
    events.map((event) => (event.event_type === 'internal_error' ? event.line : undefined)),
  );
  return mistaken.filter(({ event }) => !told.has(event.seq));
}
