import { without } from '../../lib/own-value.ts';
import type { Event } from '../../model/event.ts';
import type { RecoveryMemory, ServerMemory } from '../../model/memory.ts';
import { type Folds } from './fold.ts';

/** How often it was tried to bring the server back, and what came of it. */
export const recovery: Folds<ServerMemory> = {
  server_down: (server) => (server.recovery.open === null ? server : withRecovery(server, { open: null })),
  recovery_started: attempted,
  recovery_failed: (server, { attempt }) => withRecovery(server, { open: null, judged: attempt }),
  recovery_exhausted: (server) =>
    withRecovery(server, { open: null, exhausted: true, told: true, judged: server.recovery.attempts }),
  // It runs and is well: what ended it before is over, whatever the clocks of its engine say.
  recovery_successful: (server, { time_ms, container_id: id, spec }) => ({
    ...withRecovery(server, {
      open: null,
      exhausted: false,
      recoveredAt: time_ms,
      judged: server.recovery.attempts,
    }),
    incident: null,
    postponed: without(server.postponed, spec),
    exits: without(server.exits, id),
    stopped: without(server.stopped, id),
  }),
};

/**
 * Counted at the intent. A restart stops it before it starts it, so the intent marks our stop as well: dying between the
 * two must not look like its own fall. Recreating condemns it, and the ordinary rows replace it.
 */
function attempted(server: ServerMemory, event: Event<'recovery_started'>): ServerMemory {
  const { container_id: id, attempt, strategy, time_ms: at } = event;
  // It had a moment of health at most, unless they count anew.
  const told = server.recovery.told && attempt > 1;
  const exhausted = server.recovery.exhausted || told;
  const counts = { attempts: attempt, lastAt: at, open: at, judged: attempt - 1 };
  const open = withRecovery(server, { ...counts, told, exhausted });
  const counted = { ...open, ending: without(open.ending, id) };
  return strategy === 'recreate'
    ? { ...counted, condemned: [...counted.condemned.filter((one) => one !== id), id] }
    : { ...counted, stopped: { ...counted.stopped, [id]: at } };
}

const withRecovery = (server: ServerMemory, change: Partial<RecoveryMemory>): ServerMemory => ({
  ...server,
  recovery: { ...server.recovery, ...change },
});
