import { createServer } from 'node:net';
import type Docker from 'dockerode';
import { Failure } from '../../model/failure.ts';
import type { Spec } from '../../model/spec.ts';
import type { EngineClient } from './client.ts';
import { lookAtHost } from './host-view.ts';
import { ownerLabel, serverLabel } from './labels.ts';

interface HostPortsOptions {
  readonly client: EngineClient;
  readonly address: string;
  readonly publishAddress: string;
  readonly owner: string;
}

/**
 * Rejects with `port_taken` when the fixed port of a spec is held by another container, or by a program of the engine's
 * host where we can tell. Its own copies make room for each other.
 */
export async function admitPort(options: HostPortsOptions, spec: Spec, signal: AbortSignal): Promise<void> {
  const { hostPort } = spec;
  if (hostPort === 0) return;
  const { client, address, owner, publishAddress } = options;
  const rows: unknown = await client.ask('list the containers', (docker) => docker.listContainers(), signal);
  const holders = (Array.isArray(rows) ? (rows as Docker.ContainerInfo[]) : []).filter((row) =>
    holds(row, hostPort),
  );
  const other = holders.find(
    ({ Labels }) => Labels[ownerLabel] !== owner || Labels[serverLabel] !== spec.server,
  );
  if (other !== undefined) throw taken(hostPort, `the container ${(other.Names[0] ?? '').replace('/', '')}`);
  if (holders.length > 0) return;
  const { isHost } = await lookAtHost(client, address, signal);
  if (isHost && (await isListenedOn(publishAddress, hostPort))) {
    throw taken(hostPort, 'a program of this machine that is no container');
  }
}

function holds({ Ports }: Docker.ContainerInfo, port: number): boolean {
  const ports = (Ports as Docker.Port[] | null) ?? [];
  return ports.some(({ PublicPort, Type }) => PublicPort === port && Type === 'tcp');
}

/** Only an address in use is told: what else keeps us from listening there need not keep the engine. */
function isListenedOn(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}

const taken = (port: number, by: string): Failure =>
  new Failure('port_taken', `port ${port} is held by ${by}`, {
    suggestedAction: 'free the port, or choose another host_port (0: a free one of our choosing)',
  });
