import { ownValue } from '../lib/own-value.ts';
import { isRecord } from './places.ts';
import type { Defaults, ServerEntry } from './schema/server.ts';

/** Of each set an entry has one: a server that writes one of them takes none of the others from `defaults`. */
const ALTERNATIVES: Readonly<Record<string, readonly string[]>> = {
  health_check: ['endpoint', 'tcp', 'docker'],
  recovery: ['backoff_seconds', 'backoff'],
};

/**
 * The manifest's `defaults` under one server: blocks are joined key by key, lists and words are replaced.
 * A server without a docker block is not given one: it would be half of a container.
 */
export function withDefaults(entry: ServerEntry, { docker, ...defaults }: Defaults): ServerEntry {
  const below = entry.docker === undefined || docker === undefined ? defaults : { ...defaults, docker };
  return merged(below, entry, '') as ServerEntry;
}

function merged(below: unknown, above: unknown, block: string): unknown {
  if (!isRecord(below) || !isRecord(above)) return above;
  const chosen = ownValue(ALTERNATIVES, block) ?? [];
  const decided = chosen.some((key) => Object.hasOwn(above, key));
  const kept = Object.entries(below).filter(([key]) => !(decided && chosen.includes(key)));
  const joined = Object.entries(above).map(([key, value]) => {
    const under = ownValue(below, key);
    return [key, merged(under, value, key)] as const;
  });
  return Object.fromEntries([...kept, ...joined]);
}
