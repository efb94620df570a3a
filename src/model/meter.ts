/** Told of what is counted and is no event. Every label is a word of a closed set. */
export interface Meter {
  /** One pass: look, decide, do. */
  passed(result: 'ok' | 'failed', seconds: number): void;
  /** `code`: `ok`, or that of the failure. */
  engineAsked(op: string, code: string, seconds: number): void;
  /** The engine's events broke off: what happened until they go on is found by looking. */
  engineEventsBroke(): void;
  sourceAsked(result: 'changed' | 'unchanged' | 'unreachable'): void;
  /** `bytes` is asked whenever somebody wants to know. */
  measureLogs(bytes: () => Readonly<Record<'events' | 'health', number>>): void;
}
