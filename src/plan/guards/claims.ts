import type { Decision } from '../../model/step.ts';
import type { World } from '../../model/world.ts';
import type { Guarded } from '../guards.ts';

/** Takes nothing away: what only claims to be ours is in no decision at all. It is told once. */
export function claims(decisions: readonly Decision[], { sighting, memory }: World): Guarded {
  const containers = sighting.strangers.flatMap(({ name, claims: claim }) =>
    claim === undefined ? [] : [{ container_id: claim.container, name, server: claim.server }],
  );
  const isNew = containers.some(({ container_id: id }) => !memory.foreignNoted.includes(id));
  return { decisions, notes: isNew ? [{ event: 'foreign_container_found', fields: { containers } }] : [] };
}
