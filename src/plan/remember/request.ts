import { ownValue } from '../../lib/own-value.ts';
import type { Event } from '../../model/event.ts';
import { emptyServerMemory, type Memory, type ServerMemory } from '../../model/memory.ts';
import { forgiven } from './sync.ts';

/** What a person asked for with a command; without a server it is meant for all. */
export function obeyed(memory: Memory, event: Event<'request_accepted'>): Memory {
  const { server_name: name, request, until = null, reason = '' } = event;
  if (request === 'pause') return withPause(memory, name, { until, reason });
  if (request === 'resume') return withPause(memory, name, null);
  return request === 'retry' ? forEach(memory, name, forgiven) : memory;
}

function withPause(memory: Memory, name: string | undefined, pause: Memory['pause']): Memory {
  return name === undefined
    ? { ...memory, pause }
    : forEach(memory, name, (server) => ({ ...server, pause }));
}

function forEach(
  memory: Memory,
  name: string | undefined,
  change: (server: ServerMemory) => ServerMemory,
): Memory {
  const names = name === undefined ? Object.keys(memory.servers) : [name];
  const changed = names.map(
    (one) => [one, change(ownValue(memory.servers, one) ?? emptyServerMemory)] as const,
  );
  return { ...memory, servers: { ...memory.servers, ...Object.fromEntries(changed) } };
}
