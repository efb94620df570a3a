import type { Event, EventType } from '../../model/event.ts';
import type { ServerMemory } from '../../model/memory.ts';

/** What each event changes; those that are not named change nothing. */
export type Folds<State> = { readonly [T in EventType]?: (state: State, event: Event<T>) => State };

export function fold<State>(folds: Folds<State>, state: State, event: Event): State {
  const one = folds[event.event_type] as ((state: State, event: Event) => State) | undefined;
  return one === undefined ? state : one(state, event);
}

/** It answers again, so the incident is over; where attempts were made, the one that tells of their success ends it. */
export function withoutIncident(server: ServerMemory): ServerMemory {
  const { exhausted, lastAt, recoveredAt } = server.recovery;
  const beingRecovered = exhausted || (lastAt !== null && (recoveredAt ?? 0) < lastAt);
  return server.incident === null || beingRecovered ? server : { ...server, incident: null };
}
