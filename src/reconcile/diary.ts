import type { Clock } from '../lib/clock.ts';
import type { EventDraft, EventFields } from '../model/event.ts';
import type { Recorder } from './recorder.ts';

export interface DiaryDeps {
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly bootId: string;
  readonly owner: string;
  readonly programVersion: string;
}

/** `report` believes that somebody watched for so long after each line, and a little more. */
const EVERY_MS = 15 * 60_000;

/** What we write about ourselves: when somebody watched, and when nobody did. */
export class Diary {
  readonly #deps: DiaryDeps;

  constructor(deps: DiaryDeps) {
    this.#deps = deps;
  }

  async begun(): Promise<void> {
    const { bootId, owner, programVersion, recorder } = this.#deps;
    const silent = recorder.heardUntil === null ? {} : { silent_since: recorder.heardUntil };
    const fields = { boot_id: bootId, owner, program_version: programVersion, ...silent };
    await this.#write('orchestrator_started', fields);
  }

  async ended(outcome: string): Promise<void> {
    await this.#write('orchestrator_stopped', { boot_id: this.#deps.bootId, outcome });
  }

  /** Says every quarter of an hour that somebody watches: a death leaves no other trace in a quiet log. */
  async keepSaying(report: (error: unknown) => void, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#deps.clock.sleep(EVERY_MS, signal);
      if (signal.aborted) return;
      await this.#write('orchestrator_watching', { boot_id: this.#deps.bootId }).catch(report);
    }
  }

  async #write<T extends 'orchestrator_started' | 'orchestrator_watching' | 'orchestrator_stopped'>(
    event: T,
    fields: EventFields[T],
  ): Promise<void> {
    const { recorder, bootId } = this.#deps;
    const traceId = recorder.memory.traceId ?? `orchestrator-${bootId}`;
    await recorder.record({ event, server: null, traceId, fields } as EventDraft);
  }
}
