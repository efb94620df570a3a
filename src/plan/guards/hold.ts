import type { Decision, HoldReason, Step } from '../../model/step.ts';

/** The decision without its step. The step's why stays: it says what is being held back. */
export function hold(
  decision: Decision,
  held: HoldReason,
  { why, wakeAt }: { readonly why: string; readonly wakeAt: number | null },
): Decision {
  return { ...decision, step: null, why: `${why} (held back: ${decision.why})`, wakeAt, held };
}

const facts: ReadonlySet<string> = new Set([
  'server_down',
  'server_stopped',
  'server_resting',
  'drift_detected',
  'server_refused',
  'server_held',
  'recovery_successful',
  'recovery_failed',
  'rollback_completed',
  'update_completed',
]);

/** It only writes down what is so; nothing turns on it that a guard would hold. */
export const isFact = (step: Step): boolean => step.kind === 'record' && facts.has(step.event);
