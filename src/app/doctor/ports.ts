import { createServer } from 'node:net';
import type { DesiredState } from '../../model/desired.ts';
import { well, wrong, type Finding } from './finding.ts';

export interface Wanted {
  readonly listen: { readonly host: string; readonly port: number };
  readonly publishAddress: string;
  /** The manifest's, with their servers; none where it cannot be read. */
  readonly hostPorts: readonly { readonly server: string; readonly port: number }[];
  /** Host ports of our own containers; null: the engine cannot be asked. */
  readonly ours: ReadonlySet<number> | null;
  /** What answers at the status endpoint is an orchestrator. */
  readonly isOrchestrator: () => Promise<boolean>;
}

export const hostPortsOf = ({ servers }: DesiredState): Wanted['hostPorts'] =>
  servers.flatMap(({ name, blueprint }) =>
    blueprint !== null && blueprint.hostPort > 0 ? [{ server: name, port: blueprint.hostPort }] : [],
  );

/** Each is listened on for a moment. */
export async function portFindings(wanted: Wanted): Promise<readonly Finding[]> {
  const servers = wanted.hostPorts.map((each) => hostPortFinding(each, wanted));
  return Promise.all([listenFinding(wanted), publishFinding(wanted), ...servers]);
}

async function listenFinding({ listen, isOrchestrator }: Wanted): Promise<Finding> {
  const { host, port } = listen;
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const why = await refusal(host, port);
  if (why === null) return well('ports', `the status endpoint can listen on ${at}`);
  if (why === 'EADDRINUSE' && (await isOrchestrator()))
    return well('ports', `an orchestrator answers at ${at}`);
  const says =
    why === 'EADDRINUSE' ? `somebody else listens on ${at}` : `${at} cannot be listened on (${why})`;
  return wrong('ports', says, 'choose another address with --listen');
}

async function publishFinding({ publishAddress }: Wanted): Promise<Finding> {
  const why = await refusal(publishAddress, 0);
  if (why === null) return well('ports', `servers can be published on ${publishAddress}`);
  return wrong(
    'ports',
    `no port of ${publishAddress} can be listened on (${why})`,
    'give an address of this machine with --publish-address',
  );
}

async function hostPortFinding(
  { server, port }: Wanted['hostPorts'][number],
  { publishAddress, ours }: Wanted,
): Promise<Finding> {
  if (ours?.has(port) === true) return well('ports', `${port} of ${server} is its own`);
  const why = await refusal(publishAddress, port);
  if (why === null) return well('ports', `${port} of ${server} is free`);
  return wrong('ports', `${port} of ${server} is taken (${why})`, 'free it, or choose another host_port');
}

/** The code of the system's refusal; null: it can be listened on. */
function refusal(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
