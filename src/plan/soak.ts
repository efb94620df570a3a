import type { ServerMemory } from '../model/memory.ts';
import type { Instance, Pulse } from '../model/observed.ts';
import type { Settings } from '../model/spec.ts';

/** Unix ms when the soak of this instance is over; null: it is not the one that was promoted, or its version is proven. */
export function soakEndsAt(
  { promoted, stable }: Pick<ServerMemory, 'promoted' | 'stable'>,
  { id, specDigest, startedAt }: Pick<Instance, 'id' | 'specDigest' | 'startedAt'>,
  { soakSeconds }: Pick<Settings['update'], 'soakSeconds'>,
): number | null {
  if (promoted?.container !== id || stable === specDigest) return null;
  return Math.max(promoted.at, startedAt) + soakSeconds * 1_000;
}

/** The absence of news proves nothing: only a question asked after the soak does. `until` and `now` are Unix ms. */
export function wasAskedSince(pulse: Pulse | null, until: number, now: number): boolean {
  const asked = pulse?.lastCheckAt ?? null;
  // One from before the clock was set back lies in the future.
  return asked !== null && asked >= until && asked <= now;
}
