import { ownValue } from '../lib/own-value.ts';
import type { Memory, Pause, ServerMemory } from '../model/memory.ts';
import type { Instance, Pulse, Sighting } from '../model/observed.ts';

/** Numbers in memory above this are Unix ms; counts and sequence numbers stay far below. */
const LEAST_TIME = 1e12;
/** Long ago: before everything that is remembered of it, and no start of today. */
const LONG_AGO = 1;

/**
 * The clock was set back: what happened would lie in the future, and every wait that counts from it would last as much
 * longer. All of it happened just now instead, in the same order. Only a person's pause is a time of day, and stays.
 */
export function withoutFuture(memory: Memory, now: number): Memory {
  const later = [...new Set(timesIn(memory).filter((at) => at > now))].sort((a, b) => b - a);
  if (later.length === 0) return memory;
  const place = new Map(later.map((at, index) => [at, now - index]));
  const moved = mapNumbers(memory, (at) => place.get(at) ?? at) as Memory;
  return { ...withPause(moved, memory.pause), servers: pausesOf(memory, moved.servers) };
}

/**
 * The clock was set forward by `leap`, or the machine slept: what lasted until then lasted no longer for that, and it is
 * seen anew since `now`.
 */
export function withoutLeap(pulse: Pulse, leap: number, now: number): Pulse {
  const later = (at: number | null): number | null => (at === null ? null : Math.min(at + leap, now));
  const { seenSince, healthySince, silentSince, quietSince, idleSince } = pulse;
  return {
    ...pulse,
    seenSince: seenSince === null ? null : now,
    ...{ healthySince: later(healthySince), silentSince: later(silentSince) },
    ...{ quietSince: later(quietSince), idleSince: later(idleSince) },
  };
}

/** An engine in a machine of its own may be so much ahead of us. Milliseconds. */
const TOLERATED_MS = 60_000;

/** The engine's clock is about ours: what begins in the future began before the clock was set back. */
export function sightingWithoutFuture(sighting: Sighting, here: number): Sighting {
  const { engine, instances } = sighting;
  const now = here + TOLERATED_MS;
  if (engine.startedAt <= now && !instances.some((one) => isLater(one, now))) return sighting;
  return {
    ...sighting,
    engine: { ...engine, startedAt: engine.startedAt > now ? 0 : engine.startedAt },
    instances: instances.map((one) => (isLater(one, now) ? longAgo(one, now) : one)),
  };
}

const isLater = ({ createdAt, startedAt, finishedAt }: Instance, now: number): boolean =>
  Math.max(createdAt, startedAt, finishedAt) > now;

const longAgo = (instance: Instance, now: number): Instance => {
  const past = (at: number): number => (at > now ? LONG_AGO : at);
  const { createdAt, startedAt, finishedAt } = instance;
  return {
    ...instance,
    ...{ createdAt: past(createdAt), startedAt: past(startedAt), finishedAt: past(finishedAt) },
  };
};

function timesIn(value: unknown): number[] {
  if (typeof value === 'number') return value > LEAST_TIME ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(timesIn) : [];
}

function mapNumbers(value: unknown, change: (at: number) => number): unknown {
  if (typeof value === 'number') return change(value);
  if (Array.isArray(value)) return value.map((one) => mapNumbers(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapNumbers(one, change)]));
}

const withPause = <T extends { readonly pause: Pause | null }>(moved: T, pause: Pause | null): T => ({
  ...moved,
  pause,
});

const pausesOf = (before: Memory, moved: Memory['servers']): Memory['servers'] =>
  Object.fromEntries(
    Object.entries(moved).map(([name, server]): [string, ServerMemory] => [
      name,
      withPause(server, ownValue(before.servers, name)?.pause ?? null),
    ]),
  );
