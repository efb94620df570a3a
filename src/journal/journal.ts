import type { Event, EventType } from '../model/event.ts';

/** What happened, on disk. A line is on the disk when `append` resolves. */
export interface Journal {
  /** The sequence number the next event of this log gets. */
  next(log: LogName): number;
  /** Appends and syncs. Rejects with a `Failure` (`disk_full`, `state_unusable`); the file then ends in a whole line all the same. */
  append(log: LogName, event: Event): Promise<void>;
  /** Every readable event since the newest checkpoint, oldest first; unreadable lines are skipped and counted. */
  replay(log: LogName): Promise<{ readonly events: readonly Event[]; readonly skipped: number }>;
  /** Size of the current file. */
  bytes(log: LogName): number;
  /** True when the current file has outgrown its size: the recorder then calls `rotate`. */
  isFull(log: LogName): boolean;
  /** Ends the current file (it becomes `<log>-<first seq>.jsonl`) and begins a new one whose first line is `first`. */
  rotate(log: LogName, first: Event | null): Promise<void>;
  close(): Promise<void>;
}

/** `events` is the history; `health` the single checks. */
export type LogName = 'events' | 'health';
export type { Event, EventType };
