import type { Event } from '../model/event.ts';

/** Whom to tell. Never waited for; never slows a deed. */
export interface Notifier {
  tell(event: Event): void;
  /** An event of an earlier run: it is told if we died before we could. */
  recall(event: Event): void;
  close(): Promise<void>;
}
