import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Policy } from '../manifest/policy.ts';
import type { Config, Environment } from './config.ts';
import { addressOf } from './engine.ts';

type Placed = Pick<Config, 'docker' | 'manifest' | 'state' | 'secrets' | 'policy'> &
  Partial<
    Pick<
      Config,
      'listen' | 'eventsFile' | 'gitTokenFile' | 'sshKey' | 'tokenFile' | 'tlsCert' | 'tlsKey' | 'channels'
    >
  >;

/** What is ours, and the engine's own socket, is never given to a server, wherever it is. */
export function withOwnPlaces(policy: Policy, config: Placed, env: Environment): Policy {
  const socket = addressOf(config.docker, env).replace(/^unix:\/\//, '');
  const { state, secrets, eventsFile, gitTokenFile, sshKey, tokenFile, tlsCert, tlsKey, channels } = config;
  const files = [state, secrets, eventsFile, gitTokenFile, sshKey, tokenFile, tlsCert, tlsKey, channels];
  const paths = [...files, config.policy, folderOf(config.manifest)].filter((path) => path != null);
  const port = Number(config.listen?.slice(config.listen.lastIndexOf(':') + 1) ?? 0);
  return {
    ...policy,
    engineSockets: socket.startsWith('/') ? [...policy.engineSockets, socket] : policy.engineSockets,
    ownPaths: [...policy.ownPaths, ...paths.map((path) => resolve(path))],
    ownPorts: port > 0 ? [...policy.ownPorts, port] : policy.ownPorts,
  };
}

/** null: it is on another machine. */
function folderOf(manifest: string): string | null {
  if (manifest.startsWith('file://')) return fileURLToPath(manifest.replace(/[?#].*$/, ''));
  const isElsewhere = /^[a-z][a-z0-9+.-]*:\/\//i.test(manifest) || /^[^/@]+@[^/:]+:/.test(manifest);
  return isElsewhere ? null : manifest;
}
