import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Result } from '../lib/result.ts';
import type { DesiredState } from '../model/desired.ts';
import { Failure } from '../model/failure.ts';
import type { SourceStatus } from '../model/status.ts';
import {
  LONGEST_READ_MS,
  type Commit,
  type History,
  type ManifestSource,
  type Snapshot,
} from '../source/source.ts';
import type { StateFolder } from '../state/state.ts';
import type { Recorder } from './recorder.ts';
import { Standing, type Refused } from './standing.ts';
import { shortRevision, syncedFields } from './synced.ts';

/** Text to desired state. The trace is chosen once the manifest's own is known. */
export type ReadDesired = (
  text: {
    readonly content: Uint8Array;
    readonly file: string;
    readonly revision: string;
    readonly source: string;
  },
  chooseTrace: (ofManifest: string | null) => string,
) => Promise<Result<DesiredState, Refused>>;

export interface IntakeDeps {
  readonly source: ManifestSource;
  readonly readDesired: ReadDesired;
  readonly accepted: StateFolder['accepted'];
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly bootId: string;
  /** `CHORA_TRACE_ID`, or null. */
  readonly environmentTrace: string | null;
  readonly allowRewind: boolean;
  readonly removalByTrailer: boolean;
}

/** Whether a new revision was taken: then everything is looked at again. */
export type Intaken = 'accepted' | 'unchanged' | 'refused' | 'unreachable';

/** New desired state, or refused and the last good kept. */
export class Intake {
  readonly #deps: IntakeDeps;
  #desired: DesiredState | null = null;
  readonly #standing: Standing;
  #attempted: string | null = null;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#standing = new Standing(deps);
  }

  /** null: nothing was ever accepted, so nothing is decided. */
  get desired(): DesiredState | null {
    return this.#desired;
  }

  get status(): SourceStatus {
    return this.#standing.status;
  }

  /** Goes on from the last accepted manifest, so that a start without its remote recovers what runs. */
  async restore(): Promise<void> {
    const { accepted, source, log } = this.#deps;
    const kept = await accepted.load();
    if (kept === null) return;
    if (kept.source !== source.address) {
      log.warn(
        { accepted: kept.source, now: source.address },
        'another source than the last accepted one; waiting for its first manifest',
      );
      return;
    }
    const text = { ...kept, content: new TextEncoder().encode(kept.content) };
    const read = await this.#deps.readDesired(text, () => kept.traceId);
    const isWritten = kept.revision === this.#deps.recorder.memory.revision;
    if (read.ok) await this.#enforce(read.value, isWritten ? [] : kept.commits);
    else
      log.warn(
        { error: read.error.error },
        'the last accepted manifest is refused now; waiting for a new one',
      );
  }

  /** Looks at the source and takes what is new. Rejects only when the journal or the state folder cannot be written. */
  async look(signal: AbortSignal): Promise<Intaken> {
    const { source, clock } = this.#deps;
    try {
      const known = this.#attempted ?? this.#desired?.revision ?? null;
      const deadline = clock.deadline(LONGEST_READ_MS, signal);
      const snapshot = await source.read(known, deadline).catch(asOfSource);
      if (snapshot === null) return this.#standing.nothingNew();
      const outcome = await this.#consider(snapshot, signal);
      // Only now: what could not be considered for our own trouble is read again.
      this.#attempted = snapshot.revision;
      return outcome;
    } catch (error) {
      if (!(error instanceof OfSource)) throw error;
      if (signal.aborted) return 'unchanged';
      const traceId = this.#desired?.traceId ?? `orchestrator-${this.#deps.bootId}`;
      return this.#standing.unreachable(error.failure, traceId);
    }
  }

  async #consider(snapshot: Snapshot, signal: AbortSignal): Promise<Intaken> {
    const history = await this.#historyOf(snapshot, signal);
    if (history.rewind && !this.#deps.allowRewind) return this.#rewind(snapshot);
    const trace = (ofManifest: string | null): string => this.#traceOf(snapshot, ofManifest);
    const text = { ...snapshot, source: this.#deps.source.address };
    const read = await this.#deps.readDesired(text, trace);
    if (!read.ok) return this.#standing.refused(snapshot.revision, read.error, trace(null));
    await this.#keep(snapshot, read.value, history.commits);
    await this.#enforce(read.value, history.commits);
    return 'accepted';
  }

  async #historyOf(snapshot: Snapshot, signal: AbortSignal): Promise<History> {
    const { source, recorder, clock } = this.#deps;
    const { revision, source: from } = recorder.memory;
    const own = { rewind: false, commits: snapshot.commit === null ? [] : [snapshot.commit] };
    if (revision === null || from !== source.address || source.between === undefined) return own;
    if (revision === snapshot.revision || snapshot.commit === null) return own;
    const deadline = clock.deadline(LONGEST_READ_MS, signal);
    return source.between(revision, snapshot.revision, deadline).catch(asOfSource);
  }

  #traceOf(snapshot: Snapshot, ofManifest: string | null): string {
    return (
      snapshot.commit?.traceId ??
      ofManifest ??
      this.#deps.environmentTrace ??
      `manifest-${shortRevision(snapshot.revision)}`
    );
  }

  async #keep(snapshot: Snapshot, desired: DesiredState, commits: readonly Commit[]): Promise<void> {
    const { revision, source, traceId } = desired;
    const content = new TextDecoder().decode(snapshot.content);
    await this.#deps.accepted.keep({ revision, source, traceId, file: snapshot.file, content, commits });
  }

  async #enforce(desired: DesiredState, commits: readonly Commit[]): Promise<void> {
    const { recorder } = this.#deps;
    const { memory } = recorder;
    await this.#supersede(desired);
    await recorder.record({
      event: 'manifest_synced',
      server: null,
      traceId: desired.traceId,
      fields: syncedFields(desired, commits, { memory, removalByTrailer: this.#deps.removalByTrailer }),
    });
    this.#desired = desired;
    this.#standing.synced(desired.revision);
  }

  async #supersede(desired: DesiredState): Promise<void> {
    const { recorder, clock } = this.#deps;
    const { revision, settled, acceptedAt, traceId } = recorder.memory;
    if (revision === null || revision === settled || revision === desired.revision) return;
    const seconds = Math.round((clock.now() - acceptedAt) / 1_000);
    await recorder.record({
      event: 'revision_settled',
      server: null,
      traceId: traceId ?? desired.traceId,
      fields: { revision, outcome: 'superseded', seconds, servers_failed: [] },
    });
  }

  async #rewind(snapshot: Snapshot): Promise<Intaken> {
    const from = this.#deps.recorder.memory.revision ?? '';
    const error =
      `revision ${shortRevision(snapshot.revision)} does not descend from the accepted ${shortRevision(from)}: ` +
      'history was rewritten or set back. To accept it, start with --allow-rewind; else push the old history again.';
    return this.#standing.refused(snapshot.revision, { error }, this.#traceOf(snapshot, null), 'rewind');
  }
}

/** The source's own trouble, a full disk for its clone too; everything else that fails here is ours. */
class OfSource extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

function asOfSource(error: unknown): never {
  throw error instanceof Failure ? new OfSource(error) : error;
}
