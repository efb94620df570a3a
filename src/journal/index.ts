export { openJournal, type JournalOptions } from './jsonl.ts';
export { followEvents, readEvents, type EventQuery } from './tail.ts';
export { memoryJournal } from './memory.ts';
