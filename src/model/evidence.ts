/** Why a version was set aside. Log lines are scrubbed of secrets before they come here. */
export interface Evidence {
  readonly reason: string;
  readonly exit_code?: number | null;
  readonly oom?: boolean;
  readonly log?: readonly string[];
  readonly answers?: readonly string[];
  /** How the latest of them departed from what was asked for, in words. */
  readonly departures?: readonly string[];
}
