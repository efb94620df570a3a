import type { ServerMemory } from '../../model/memory.ts';
import type { Folds } from './fold.ts';

/** It is stopped and may stay so: that ends its trouble, and is written down once. */
export const rest: Folds<ServerMemory> = {
  server_resting: (server) => ({ ...server, resting: true, incident: null }),
  server_starting: awake,
  server_ready: awake,
  server_healthy: awake,
  server_down: awake,
};

function awake(server: ServerMemory): ServerMemory {
  return server.resting ? { ...server, resting: false } : server;
}
