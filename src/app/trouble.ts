import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import type { Runtime } from '../runtime/runtime.ts';

const ASK_MS = 5_000;

/** What the engine says that keeps it from being looked at; null when it can be. */
export async function engineTrouble(runtime: Runtime, clock: Clock): Promise<string | null> {
  try {
    await runtime.observe([], clock.deadline(ASK_MS));
    return null;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { message, suggestedAction } = error;
    return suggestedAction === null ? message : `${message}. ${suggestedAction}`;
  }
}
