import type { Clock } from '../lib/clock.ts';
import { isEqual } from '../lib/equal.ts';
import { isoSeconds, secondsBetween } from '../lib/time.ts';
import type { Event, EventType } from '../model/event.ts';
import type { ServerRecord, StatusView } from '../model/status.ts';
import { Chronicle, isAboutHealth, isAboutRevisions } from './chronicle.ts';
import { History, type Past } from './history.ts';
import { Metrics } from './metrics.ts';
import type { SelfChecks } from './status.ts';
import type { Timeline } from './timeline.ts';

/** What is shown at one moment. Its ageing fields are at most a second old; it never changes. */
export interface Shown {
  /** Unix ms. */
  readonly at: number;
  readonly bootId: string;
  readonly programVersion: string;
  readonly uptimeSeconds: number;
  readonly self: SelfChecks;
  /** Value of the counter of changes. */
  readonly index: number;
  /** null before the first look. */
  readonly view: StatusView | null;
  /** What became of revisions, newest first. */
  readonly revisions: readonly Event[];
  /** About the health of one server, newest first. */
  healthEvents(server: string): readonly Event[];
  /** The last events of everybody, of one server or of one trace, newest first. */
  readonly timeline: Timeline;
  /** How healthy each server was, and when. */
  past(): readonly Past[];
  /** In the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
}

/** One step of the counter: who changed, by what, and how they are now. */
export interface Change {
  readonly index: number;
  /** The event behind it; `status_changed` where none is known, such as for a time that moved. */
  readonly event_type: EventType | 'status_changed';
  /** null: not one server, but the source, our view or a revision. */
  readonly server: string | null;
  readonly status: ServerRecord['status'] | null;
  readonly timestamp: string;
  readonly trace_id: string | null;
  /** null when the server is there no more, or where it is about no server. */
  readonly record: ServerRecord | null;
}

interface BoardOptions {
  readonly clock: Clock;
  readonly bootId: string;
  readonly programVersion: string;
  /** New ones by default. */
  readonly metrics?: Metrics;
}

/** Keeps what was published and counts its changes; who waits for one is told. */
export class Board {
  readonly #options: BoardOptions;
  readonly #bootAt: number;
  /** Each record as it was when it last changed. */
  readonly #known = new Map<string, ServerRecord>();
  readonly #waiting = new Set<() => void>();
  readonly #watching = new Set<(change: Change) => void>();
  /** The latest event of each server that no change has told of yet. */
  readonly #causes = new Map<string, Event>();
  readonly #chronicle = new Chronicle();
  readonly #history = new History();
  readonly #metrics: Metrics;
  #index: number;
  #view: StatusView | null = null;
  #publishedAt = 0;
  #self: SelfChecks = { manifest: 'degraded', engine: 'degraded', journal: 'degraded' };
  #shown: Shown | null = null;

  constructor(options: BoardOptions) {
    this.#options = options;
    this.#metrics = options.metrics ?? new Metrics(options.programVersion);
    this.#metrics.self(this.#self);
    this.#bootAt = options.clock.now();
    this.#index = this.#bootAt;
  }

  publish(view: StatusView): void {
    const before = this.#index;
    const isFirst = this.#view === null;
    const changes: Change[] = [];
    const servers = view.servers.map((record) => this.#numbered(record, changes));
    this.#forget(new Set(servers.map((record) => record.name)), changes);
    const isDifferent = isFirst ? this.#index === before : !isSameAround(view, this.#view);
    if (isDifferent) changes.push(this.#change(null, null));
    this.#view = { ...view, servers };
    this.#publishedAt = this.#options.clock.now();
    this.#history.note(servers, this.#publishedAt);
    this.#metrics.publish(view);
    if (changes.length > 0) this.#tell(changes);
  }

  note(event: Event): void {
    this.#chronicle.note(event);
    this.#metrics.note(event);
    // Single checks come by the hundred: they are shown within a second, and are the cause of nothing.
    if (event.event_type === 'health_check_completed') return;
    if (event.server_name !== undefined) this.#causes.set(event.server_name, event);
    if (isAboutHealth(event)) this.#shown = null;
    if (isAboutRevisions(event)) this.#tellRevision(event);
  }

  /** It happened before our start: it is shown, but neither counted nor told as a change. */
  recall(event: Event): void {
    this.#chronicle.note(event);
    this.#metrics.recall(event);
    this.#shown = null;
  }

  /** How many follow the stream, and how many were cut off, for the metrics. */
  countReaders(count: () => { readonly readers: number; readonly cutOff: number }): void {
    this.#metrics.countReaders(count);
  }

  /** `listener` is told each change, in the order of the index. */
  watch(listener: (change: Change) => void): void {
    this.#watching.add(listener);
  }

  self(checks: SelfChecks): void {
    if (isEqual(checks, this.#self)) return;
    this.#self = checks;
    this.#metrics.self(checks);
    this.#shown = null;
  }

  /** The same value for a second, unless something was published: what is made of it can be kept with it. */
  shown(): Shown {
    const now = this.#options.clock.now();
    if (this.#shown === null || now - this.#shown.at >= MAX_AGE_MS) this.#shown = this.#show(now);
    return this.#shown;
  }

  /** Resolves at the next change, or when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      if (signal.aborted) return done();
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Each changed record gets a number of its own, so that a reader can go on behind any of them. */
  #numbered(record: ServerRecord, changes: Change[]): ServerRecord {
    const known = this.#known.get(record.name);
    if (known !== undefined && isSameRecord(record, known)) return { ...record, index: known.index };
    const change = this.#change(record.name, record);
    const numbered = { ...record, index: change.index };
    this.#known.set(record.name, numbered);
    changes.push(change);
    return numbered;
  }

  #tellRevision(event: Event): void {
    const change = this.#change(null, null);
    this.#tell([{ ...change, event_type: event.event_type, trace_id: event.trace_id }]);
  }

  #forget(there: ReadonlySet<string>, changes: Change[]): void {
    const gone = [...this.#known.keys()].filter((name) => !there.has(name));
    for (const name of gone) {
      this.#known.delete(name);
      this.#chronicle.forget(name);
      changes.push(this.#change(name, null));
    }
  }

  #change(server: string | null, record: ServerRecord | null): Change {
    this.#index += 1;
    const cause = server === null ? undefined : this.#causes.get(server);
    if (server !== null) this.#causes.delete(server);
    return {
      index: this.#index,
      event_type: cause?.event_type ?? 'status_changed',
      server,
      status: record?.status ?? null,
      timestamp: isoSeconds(this.#options.clock.now()),
      trace_id: cause?.trace_id ?? record?.trace_id ?? null,
      record: record && { ...record, index: this.#index },
    };
  }

  #show(now: number): Shown {
    let metrics: Promise<string> | null = null;
    const older = secondsBetween(this.#publishedAt, now);
    return {
      at: now,
      bootId: this.#options.bootId,
      programVersion: this.#options.programVersion,
      uptimeSeconds: secondsBetween(this.#bootAt, now),
      self: this.#self,
      index: this.#index,
      view: this.#view && { ...this.#view, servers: this.#view.servers.map((each) => aged(each, older)) },
      revisions: this.#chronicle.revisions,
      healthEvents: (server) => this.#chronicle.ofHealth(server),
      timeline: this.#chronicle.timeline,
      past: () => this.#history.until(now),
      metrics: () => (metrics ??= this.#metrics.text()),
    };
  }

  #tell(changes: readonly Change[]): void {
    this.#shown = null;
    for (const listener of this.#watching) for (const change of changes) listener(change);
    for (const done of [...this.#waiting]) done();
  }
}

const MAX_AGE_MS = 1000;
/** In all but what only grows older. */
function isSameRecord(one: ServerRecord, other: ServerRecord): boolean {
  return isEqual(lastingOf(one), lastingOf(other));
}

const lastingOf = (record: ServerRecord): ServerRecord => ({
  ...record,
  index: 0,
  last_check: null,
  response_time_ms: null,
  uptime_seconds: null,
});

/** The rest of a view: where it comes from and whether it can be trusted. */
const isSameAround = (one: StatusView, other: StatusView | null): boolean =>
  one.view === other?.view && isEqual(lastingSource(one), lastingSource(other));

const lastingSource = ({ source }: StatusView): StatusView['source'] => ({
  ...source,
  last_successful_sync_at: null,
});

const aged = (record: ServerRecord, seconds: number): ServerRecord =>
  record.uptime_seconds === null ? record : { ...record, uptime_seconds: record.uptime_seconds + seconds };
