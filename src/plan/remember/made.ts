import type { Event } from '../../model/event.ts';
import type { Made, ServerMemory } from '../../model/memory.ts';
import type { Folds } from './fold.ts';

/** Intents that came to nothing, and containers that went: so many of them are remembered. */
const MOST_PAST = 20;

/** Which containers we made. The intent counts: dying right after a creation must not make a stranger of it. */
export const made: Folds<ServerMemory> = {
  server_starting: (server, event) => (event.container_id === undefined ? begun(server, event) : server),
  server_started: (server, { instance, container_id: container, spec }) => ({
    ...server,
    made: [...server.made.filter((one) => one.instance !== instance), { instance, container, spec }],
  }),
  // A look that began before it went still sees it: it is ours for a while yet.
  instance_removed: (server, { container_id: id }) => ({
    ...server,
    made: server.made.map((one) => (one.container === id ? { ...one, gone: true } : one)),
  }),
};

function begun(server: ServerMemory, { instance, spec }: Event<'server_starting'>): ServerMemory {
  const others = server.made.filter((one) => one.instance !== instance);
  return { ...server, made: [...withoutOld(others), { instance, container: null, spec }] };
}

/** What may be there still is never forgotten. */
function withoutOld(made: readonly Made[]): readonly Made[] {
  const past = made.filter(({ container, gone }) => container === null || gone === true);
  const old = new Set(past.slice(0, Math.max(0, past.length - MOST_PAST)));
  return made.filter((one) => !old.has(one));
}
