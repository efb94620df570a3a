import type Docker from 'dockerode';
import { Failure } from '../../model/failure.ts';
import { volumesIn, type Mount, type Spec } from '../../model/spec.ts';
import type { EngineClient } from './client.ts';
import { isStatus } from './failures.ts';
import { fromLabels, ourLabels, ownerLabel, serverLabel } from './labels.ts';

/** The volumes that servers are given. What we make bears our label; without it a volume is somebody else's. */
export class Volumes {
  readonly #client: EngineClient;
  readonly #owner: string;

  constructor(client: EngineClient, owner: string) {
    this.#client = client;
    this.#owner = owner;
  }

  /**
   * Makes those of a server that are not there. Rejects as `admit` does. `before`: volumes that the server had before,
   * by our own history.
   */
  async ensureFor(spec: Spec, before: readonly string[], signal: AbortSignal): Promise<void> {
    for (const mount of volumesOf(spec)) {
      if ((await this.#isThere(mount, { spec, before }, signal)) || mount.external === true) continue;
      await this.#make(mount.source, spec.server, signal);
    }
  }

  /** Rejects with `foreign_volume` for one that is not the server's own, `volume_missing` for another's that is not there. */
  async admit(spec: Spec, before: readonly string[], signal: AbortSignal): Promise<void> {
    for (const mount of volumesOf(spec)) await this.#isThere(mount, { spec, before }, signal);
  }

  async #isThere(mount: Mount, { spec, before }: Asking, signal: AbortSignal): Promise<boolean> {
    const found = await this.#inspect(mount.source, signal);
    if (mount.external === true) {
      if (found === null) throw missing(mount.source);
      return true;
    }
    if (found === null) return false;
    const owner = ((found.Labels as Record<string, string> | null) ?? {})[ownerLabel];
    const isOurs =
      owner === this.#owner ||
      (owner === undefined && (await this.#isAdopted(mount.source, { spec, before }, signal)));
    if (!isOurs) throw foreign(mount.source, spec.server);
    return true;
  }

  /** Made before volumes bore labels: the server had it then, or one of its containers has it now. */
  async #isAdopted(volume: string, { spec, before }: Asking, signal: AbortSignal): Promise<boolean> {
    if (before.includes(volume)) return true;
    const rows: unknown = await this.#client.ask(
      'list the containers',
      (docker) => docker.listContainers({ all: true }),
      signal,
    );
    const all = Array.isArray(rows) ? (rows as Docker.ContainerInfo[]) : [];
    return all.some(({ Labels, Mounts }) => {
      const labels = (Labels as Record<string, string> | null) ?? {};
      const mounts = (Mounts as { readonly Type?: string; readonly Name?: string }[] | null) ?? [];
      const isOwn = labels[ownerLabel] === this.#owner && labels[serverLabel] === spec.server;
      const given = isOwn ? volumesIn([fromLabels(labels).spec ?? undefined]) : [];
      return given.includes(volume) && mounts.some(({ Type, Name }) => Type === 'volume' && Name === volume);
    });
  }

  #inspect(volume: string, signal: AbortSignal): Promise<Docker.VolumeInspectInfo | null> {
    return this.#client.ask(
      `look for volume ${volume}`,
      (docker) => docker.getVolume(volume).inspect().catch(nullIfAbsent),
      signal,
    );
  }

  async #make(volume: string, server: string, signal: AbortSignal): Promise<void> {
    const options = { Name: volume, Labels: { ...ourLabels(this.#owner), [serverLabel]: server } };
    await this.#client.ask(`create volume ${volume}`, (docker) => docker.createVolume(options), signal);
  }
}

interface Asking {
  readonly spec: Spec;
  readonly before: readonly string[];
}

const volumesOf = ({ mounts }: Spec): readonly Mount[] => mounts.filter(({ kind }) => kind === 'volume');

const foreign = (volume: string, server: string): Failure =>
  new Failure('foreign_volume', `the volume ${volume} was not made for ${server}: it is somebody else's`, {
    suggestedAction: `name another source in docker.volumes; if it is meant, write external: true there and '${volume}' in allow_volumes of the policy file`,
  });

const missing = (volume: string): Failure =>
  new Failure('volume_missing', `there is no volume ${volume}, and an external one is never made`, {
    suggestedAction: `create it (docker volume create ${volume}), or take external out`,
  });

function nullIfAbsent(error: unknown): null {
  if (isStatus(error, 404)) return null;
  throw error as Error;
}
