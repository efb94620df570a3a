import type { Event } from '../model/event.ts';
import type { Journal, LogName } from './journal.ts';

/** A log that is on no disk: begins with these events and forgets all at the end. For looking without writing (`plan`). */
export function memoryJournal(events: readonly Event[]): Journal {
  const logs: Readonly<Record<LogName, Event[]>> = { events: [...events], health: [] };
  return {
    next: (log) => (logs[log].at(-1)?.seq ?? 0) + 1,
    append: async (log, event) => void logs[log].push(event),
    replay: async (log) => ({ events: [...logs[log]], skipped: 0 }),
    bytes: () => 0,
    isFull: () => false,
    rotate: async (log, first) => void logs[log].splice(0, Infinity, ...(first === null ? [] : [first])),
    close: () => Promise.resolve(),
  };
}
