import { without } from '../../lib/own-value.ts';
import type { Event } from '../../model/event.ts';
import type { Memory, ServerMemory } from '../../model/memory.ts';
import { repositoryOf } from '../../model/spec.ts';
import { type Folds } from './fold.ts';

/** What we brought here, and may take away again. */
export const images: Folds<ServerMemory> = {
  // Whoever dies between the pull and its outcome has brought it all the same.
  image_pulling: brought,
  image_pulled: brought,
  update_gate_failed: notBrought,
  image_removed: (server, { image }) => ({
    ...server,
    pulled: server.pulled.filter((ref) => ref !== image),
    pulledAt: without(server.pulledAt, image),
  }),
};

function brought(server: ServerMemory, event: Event<'image_pulling' | 'image_pulled'>): ServerMemory {
  const ref = refOf(event);
  const pulled = [...server.pulled.filter((one) => one !== ref), ref];
  return { ...server, pulled, pulledAt: { ...server.pulledAt, [ref]: event.time_ms } };
}

/** After these it may have come, or come yet. */
const UNCERTAIN: readonly string[] = ['engine_unreachable', 'engine_timeout'];

/** It did not come: should it be here later, a person brought it. */
function notBrought(server: ServerMemory, event: Event<'update_gate_failed'>): ServerMemory {
  const { gate, code = '', image_digest: digest } = event;
  if (gate !== 'pull' || digest === undefined || UNCERTAIN.includes(code)) return server;
  const gone = server.pulled.filter((ref) => ref.endsWith(`@${digest}`));
  const pulledAt = gone.reduce(without<number>, server.pulledAt);
  return { ...server, pulled: server.pulled.filter((ref) => !gone.includes(ref)), pulledAt };
}

export const orphans: Folds<Memory> = {
  image_pulled: (memory, event) => ({ ...memory, orphans: without(memory.orphans, refOf(event)) }),
  image_removed: (memory, { image }) => ({ ...memory, orphans: without(memory.orphans, image) }),
};

/** Whose server is gone: somebody still has to take away what was brought for it. */
export const orphaned = ({ orphans }: Memory, { pulled }: ServerMemory, at: number): Memory['orphans'] => ({
  ...orphans,
  ...Object.fromEntries(pulled.map((ref) => [ref, at])),
});

const refOf = ({ image, image_digest: digest }: Event<'image_pulling' | 'image_pulled'>): string =>
  `${repositoryOf(image)}@${digest}`;
