import type { Spec } from '../../src/model/spec.ts';
import type { Accepted, StateFolder } from '../../src/state/state.ts';

/** A state folder that outlives each life in memory; nobody asks with commands. */
export function memoryState(path: string): StateFolder {
  const specs = new Map<string, Spec>();
  let accepted: Accepted | null = null;
  return {
    path,
    specs: {
      load: async () => Object.fromEntries(specs),
      keep: async (spec) => void specs.set(spec.digest, spec),
      retain: async (digests) => {
        for (const digest of specs.keys()) if (!digests.includes(digest)) specs.delete(digest);
      },
    },
    accepted: {
      load: async () => accepted,
      keep: async (kept) => void (accepted = kept),
    },
    requests: {
      take: async () => [],
      answer: async () => undefined,
      watch: (_hint, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
    },
  };
}
