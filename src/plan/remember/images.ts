import { without } from '../../lib/own-value.ts';
import type { Event } from '../../model/event.ts';
import type { Memory, ServerMemory } from '../../model/memory.ts';
import { repositoryOf } from '../../model/spec.ts';
import { type Folds } from './fold.ts';

/** What we brought here, and may take away again. */
export const images: Folds<ServerMemory> = {
  image_pulled: (server, event) => {
    const ref = refOf(event);
    const pulled = [...server.pulled.filter((one) => one !== ref), ref];
    return { ...server, pulled, pulledAt: { ...server.pulledAt, [ref]: event.time_ms } };
  },
  image_removed: (server, { image }) => ({
    ...server,
    pulled: server.pulled.filter((ref) => ref !== image),
    pulledAt: without(server.pulledAt, image),
  }),
};

export const orphans: Folds<Memory> = {
  image_pulled: (memory, event) => ({ ...memory, orphans: without(memory.orphans, refOf(event)) }),
  image_removed: (memory, { image }) => ({ ...memory, orphans: without(memory.orphans, image) }),
};

/** Whose server is gone: somebody still has to take away what was brought for it. */
export const orphaned = ({ orphans }: Memory, { pulled }: ServerMemory, at: number): Memory['orphans'] => ({
  ...orphans,
  ...Object.fromEntries(pulled.map((ref) => [ref, at])),
});

const refOf = ({ image, image_digest: digest }: Event<'image_pulled'>): string =>
  `${repositoryOf(image)}@${digest}`;
