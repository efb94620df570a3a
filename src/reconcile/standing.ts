import type { Clock } from '../lib/clock.ts';
import { isoSeconds } from '../lib/time.ts';
import type { EventFields } from '../model/event.ts';
import { inFull, type Failure } from '../model/failure.ts';
import type { SourceStatus } from '../model/status.ts';
import type { ManifestSource } from '../source/source.ts';
import type { Recorder } from './recorder.ts';

export interface Refused {
  /** All problems, for people. */
  readonly error: string;
  /** What the event says instead, where other programs look for certain words (contracts section 4). */
  readonly details?: RefusalDetails;
}

type RefusalDetails = EventFields['registry_read_failed']['details'];

interface StandingDeps {
  readonly source: Pick<ManifestSource, 'address' | 'branch'>;
  readonly recorder: Recorder;
  readonly clock: Clock;
}

/** How it stands between us and the source: what the status says of it, and each trouble told once. */
export class Standing {
  readonly #deps: StandingDeps;
  #status: SourceStatus;
  /** What came of the newest revision that was read. */
  #verdict: Pick<SourceStatus, 'state' | 'error'> = { state: 'synced', error: null };
  #lastRefusal: string | null = null;

  constructor(deps: StandingDeps) {
    this.#deps = deps;
    const { address, branch } = deps.source;
    this.#status = { ...pending, url: address, branch };
  }

  get status(): SourceStatus {
    return this.#status;
  }

  /** What was found of the newest revision stands again, however the source was in between. */
  nothingNew(): 'unchanged' {
    if (this.#verdict.state !== this.#status.state) this.#lastRefusal = null;
    this.#status = { ...this.#status, ...this.#verdict, last_successful_sync_at: this.#now() };
    return 'unchanged';
  }

  synced(revision: string): void {
    this.#lastRefusal = null;
    this.#verdict = { state: 'synced', error: null };
    this.#found({ attempted_revision: revision, applied_revision: revision });
  }

  async refused(
    revision: string,
    { error, details = { error } }: Refused,
    traceId: string,
    state: 'refused' | 'rewind' = 'refused',
  ): Promise<'refused'> {
    await this.#record(traceId, { revision, details });
    this.#verdict = { state, error };
    this.#found({ attempted_revision: revision });
    return 'refused';
  }

  async unreachable(failure: Failure, traceId: string): Promise<'unreachable'> {
    const error = inFull(failure);
    await this.#record(traceId, { details: { error } });
    this.#status = {
      ...this.#status,
      ...{ state: failure.code === 'source_missing' ? 'refused' : 'unreachable', error },
    };
    return 'unreachable';
  }

  #found(revisions: Partial<SourceStatus>): void {
    const found = { ...this.#verdict, ...revisions, last_successful_sync_at: this.#now() };
    this.#status = { ...this.#status, ...found };
  }

  /** Once a reason: a poll that finds the same trouble again has nothing new to say. */
  async #record(traceId: string, fields: EventFields['registry_read_failed']): Promise<void> {
    const refusal = JSON.stringify(fields);
    if (refusal === this.#lastRefusal) return;
    this.#lastRefusal = refusal;
    await this.#deps.recorder.record({ event: 'registry_read_failed', server: null, traceId, fields });
  }

  #now(): string {
    return isoSeconds(this.#deps.clock.now());
  }
}

const pending: Omit<SourceStatus, 'url' | 'branch'> = {
  attempted_revision: null,
  applied_revision: null,
  state: 'pending',
  last_successful_sync_at: null,
  error: null,
};
