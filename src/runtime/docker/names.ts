import type { Spec } from '../../model/spec.ts';
import type { InspectedContainer } from './answers.ts';

export const NETWORK = 'mcp-network';
/** Internal, and its name sorts after the other: joining it moves no gateway, so no published port and no connection in flight. */
export const LIVE_NETWORK = 'mcp-network-live';

export const nameOf = (spec: Spec, instance: string): string => `${spec.server}-${instance}`;

/** The networks an instance is on for as long as it lives; the live one comes and goes. */
export const networksOf = (spec: Spec): readonly string[] => [...new Set([NETWORK, ...spec.networks])];

/** On the live network under the server's alias; without the alias nobody finds it there. */
export const isJoined = ({ networks }: InspectedContainer, server: string): boolean =>
  networks.get(LIVE_NETWORK)?.aliases.includes(server) ?? false;
