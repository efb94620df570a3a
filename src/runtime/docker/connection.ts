import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import Docker from 'dockerode';

export interface EngineAddress {
  /** `/var/run/docker.sock`, `unix:///...`, `tcp://host:2375`, `http://...`, `https://host:2376`. */
  readonly address: string;
  /** PEM texts; with them a `tcp` address is spoken to by TLS. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** A way to the engine; `close` ends every connection that was made by it, whatever it is at. */
interface Connection {
  readonly docker: Docker;
  readonly close: () => void;
}

/** `version` such as `v1.41`; without one the engine takes its newest. */
export function connectTo({ address, tls }: EngineAddress, version?: string): Connection {
  const { secure, ...where } = whereTo(address, tls !== undefined);
  const agent = secure ? new HttpsAgent() : new HttpAgent();
  const protocol = secure ? 'https' : 'http';
  const options: object = { ...nothingInherited, ...where, ...tls, protocol, agent, version };
  const docker = new Docker(options);
  return { docker, close: () => agent.destroy() };
}

/** Set to undefined on purpose: what is absent here, dockerode takes from DOCKER_HOST and its kin. */
const nothingInherited = {
  socketPath: undefined,
  host: undefined,
  port: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
  timeout: undefined,
  pathPrefix: '/',
};

type Where =
  | { readonly secure: false; readonly socketPath: string }
  | { readonly secure: boolean; readonly host: string; readonly port: number };

function whereTo(address: string, hasTls: boolean): Where {
  const isSocket = address.startsWith('/') || address.startsWith('unix://');
  if (isSocket) return { secure: false, socketPath: address.replace(/^unix:\/\//, '') };
  const { hostname, port, protocol } = new URL(address.replace(/^tcp:/, hasTls ? 'https:' : 'http:'));
  const secure = protocol === 'https:';
  const usual = secure ? 2376 : 2375;
  return { secure, host: hostname, port: port === '' ? usual : Number(port) };
}
