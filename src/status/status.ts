import type { Event } from '../model/event.ts';
import type { StatusView } from '../model/status.ts';

/** What is, for whoever asks. Answers come from the latest published view; nobody's question makes us look. */
export interface StatusServer {
  /** The address it listens on, e.g. `http://127.0.0.1:8090`. */
  readonly url: string;
  /** Takes a new view; the index moves only for servers whose records differ in more than their ageing fields. */
  publish(view: StatusView): void;
  /** It has just happened: it is shown and counted, and is the cause of the next change of its server. */
  note(event: Event): void;
  /** It happened before our start: it is shown, and nothing else. */
  recall(event: Event): void;
  /** How we are ourselves, for `/health`. */
  self(checks: SelfChecks): void;
  close(): Promise<void>;
}

/** What `/health` tells of ourselves. */
export interface SelfChecks {
  readonly manifest: SelfCheck;
  readonly engine: SelfCheck;
  readonly journal: SelfCheck;
}

/** `degraded`: it works on with what it has; `down`: it cannot. */
export type SelfCheck = 'ok' | 'degraded' | 'down';
