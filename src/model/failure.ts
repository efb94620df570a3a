/** Closed list of what can go wrong in the world outside. */
export type FailureCode =
  | 'engine_unreachable'
  | 'engine_timeout'
  | 'engine_refused'
  | 'engine_too_old'
  | 'image_not_found'
  | 'image_pull_failed'
  | 'image_mismatch'
  | 'image_platform'
  | 'image_unsupported'
  | 'registry_unreachable'
  | 'registry_denied'
  | 'registry_busy'
  | 'registry_answer'
  | 'container_rejected'
  | 'container_start_failed'
  | 'port_taken'
  | 'network_missing'
  | 'network_ambiguous'
  | 'foreign_container'
  | 'foreign_volume'
  | 'volume_missing'
  | 'host_path_not_allowed'
  | 'host_path_unseen'
  | 'host_path_missing'
  | 'host_path_link'
  | 'host_path_closed'
  | 'host_path_shared'
  | 'host_path_changed'
  | 'not_found'
  | 'disk_full'
  | 'secret_missing'
  | 'secret_unreadable'
  | 'source_unreachable'
  | 'source_denied'
  | 'source_missing'
  | 'source_moved'
  | 'source_rewind'
  | 'source_unusable'
  | 'state_unusable'
  | 'writer_lock_lost'
  | 'notify_failed'
  | 'internal_error';

/** Whose fault: the version's own (it will fail again), or the world's (it may work later). */
export type FailureClass = 'version' | 'world';

/** The world failed. Our own mistakes are plain errors and are not this. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly class: FailureClass;
  /** One sentence that says what a person can do, or null. */
  readonly suggestedAction: string | null;
  /** Asked-for pause before the next try (Retry-After), in milliseconds, or null. */
  readonly retryAfterMs: number | null;
  /** The container that was left created by a start that failed, or null. */
  readonly container: string | null;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.code = code;
    this.class = options.class ?? 'world';
    this.suggestedAction = options.suggestedAction ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.container = options.container ?? null;
  }
}

/** What happened, and what a person can do, in one line. */
export const inFull = ({ message, suggestedAction }: Failure): string =>
  suggestedAction === null || suggestedAction === '' || message.includes(suggestedAction)
    ? message
    : `${message} (${suggestedAction})`;

export interface FailureOptions {
  readonly class?: FailureClass;
  readonly suggestedAction?: string;
  readonly retryAfterMs?: number;
  readonly container?: string;
  readonly cause?: unknown;
}
