import type { DesiredServer, Refusal } from '../model/desired.ts';
import type { Mount } from '../model/spec.ts';
import { isWithin } from './host-path.ts';

/**
 * Refuses a server whose host path another one of the manifest can write to or above, or the other way round: whoever can
 * write there can make it lead anywhere. The one that stands first keeps its paths.
 */
export function refuseSharedPaths(servers: readonly DesiredServer[]): readonly DesiredServer[] {
  const given: { readonly server: string; readonly mount: Mount }[] = [];
  return servers.map((server) => {
    const own = pathsOf(server);
    const shared = own.flatMap((mount) => {
      const other = given.find((one) => isShared(mount, one.mount));
      return other === undefined ? [] : [refusal(mount.source, other.server)];
    })[0];
    if (shared !== undefined) return { ...server, refusal: shared };
    given.push(...own.map((mount) => ({ server: server.name, mount })));
    return server;
  });
}

function pathsOf({ blueprint, refusal, desiredState }: DesiredServer): readonly Mount[] {
  if (blueprint === null || refusal !== null || desiredState !== 'running') return [];
  return blueprint.mounts.filter(({ kind }) => kind === 'host-path');
}

const isShared = (one: Mount, other: Mount): boolean =>
  (!other.readOnly && isWithin(one.source, other.source)) ||
  (!one.readOnly && isWithin(other.source, one.source));

const refusal = (path: string, server: string): Refusal => ({
  phase: 'refused',
  reason: 'host_path_shared',
  message: `the host path \`${path}\` is within reach of \`${server}\`, which has a host path in common with it`,
  suggestedAction: 'Give each server a folder of its own that no other can write to.',
});
