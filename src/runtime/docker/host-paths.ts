import { resolve } from 'node:path';
import type Docker from 'dockerode';
import { canonicalJson } from '../../lib/digest.ts';
import type { Mount, Spec } from '../../model/spec.ts';
import type { EngineClient } from './client.ts';
import { isStatus } from './failures.ts';
import {
  closedIn,
  identityOf,
  isSeen,
  lookAtHost,
  mountTableOf,
  resolved,
  type HostView,
} from './host-view.ts';
import { ownerLabel, serverLabel } from './labels.ts';
import { isIn, isPlaceIn, placeOf, type Place } from './mount-table.ts';
import * as no from './host-path-failures.ts';

/** What the operator says of the paths of the engine's host. */
export interface HostRules {
  /** Folders that may be given to servers, with what is in them. */
  readonly allowed: readonly string[];
  /** What never is: our own folders, sockets of engines. With what is in them, and what holds them. */
  readonly closed: readonly string[];
}

interface HostPathsOptions {
  readonly client: EngineClient;
  readonly address: string;
  readonly owner: string;
  readonly rules: HostRules;
}

/** One path of the host that a container is given, as it is at this moment. */
interface Source {
  readonly mount: Mount;
  readonly real: string;
  readonly place: Place;
  /** Device and inode. */
  readonly identity: string;
}

interface Started {
  readonly container: string;
  readonly spec: Spec | null;
}

/** What was found of all paths of a spec. */
export interface Checked {
  readonly view: HostView | null;
  readonly sources: readonly Source[];
}

/**
 * Host paths are given to containers as they are found at that moment: without links below what the operator allowed,
 * out of reach of every other server, and compared again once the container is made and once it runs.
 */
export class HostPaths {
  readonly #options: HostPathsOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: HostPathsOptions) {
    const allowed = options.rules.allowed.map((folder) => resolve(folder));
    this.#options = { ...options, rules: { ...options.rules, allowed } };
  }

  /** One at a time: whoever starts meanwhile could move what was just looked at. */
  alone<T>(spec: Spec | null, deed: () => Promise<T>): Promise<T> {
    if (spec === null || pathsOf(spec).length === 0) return deed();
    const turn = this.#last.then(deed);
    this.#last = turn.catch(() => undefined); // whoever waits for the turn hears of it
    return turn;
  }

  /** Rejects with what speaks against a path of this spec. */
  async check(spec: Spec | null, signal: AbortSignal): Promise<Checked> {
    if (spec === null || pathsOf(spec).length === 0) return { view: null, sources: [] };
    const { client, address } = this.#options;
    const view = await lookAtHost(client, address, signal);
    const looking = Promise.all(pathsOf(spec).map((mount) => this.#source(mount, view)));
    const sources = await settledBy(signal, looking);
    const others = await settledBy(signal, this.#others(view, signal));
    for (const source of sources)
      refuseShared(source, { server: spec.server, owner: this.#options.owner }, others);
    return { view, sources };
  }

  /** Rejects with `host_path_changed` when anything is not what it was. */
  async compare(spec: Spec | null, before: Checked, signal: AbortSignal): Promise<void> {
    const now = await this.check(spec, signal);
    const changed = before.sources.find((one, index) => !isSame(one, now.sources[index]));
    if (changed !== undefined) throw no.changed(changed.mount.source);
  }

  /** What a container that runs has got, told by its own mounts where they can be read, else by the paths once more. */
  async verify({ container, spec }: Started, before: Checked, signal: AbortSignal): Promise<void> {
    const { view, sources } = before;
    if (view === null) return;
    const pid = view.isHost ? await this.#processOf(container, signal) : null;
    const table = pid === null ? null : await settledBy(signal, mountTableOf(pid, container));
    if (table === null) return this.compare(spec, before, signal);
    // Not by the target: an image may have a link there.
    for (const { mount, place } of sources) {
      const isGiven = table.some(({ device, root }) => device === place.device && root === place.path);
      if (!isGiven) throw no.changed(mount.source);
    }
  }

  async #source(mount: Mount, view: HostView): Promise<Source> {
    const { address, rules } = this.#options;
    const path = mount.source;
    const folder = rules.allowed.filter((one) => isIn(path, one)).sort((a, b) => a.length - b.length)[0];
    if (folder === undefined) throw no.notAllowed(path);
    if (!isSeen(folder, view, address)) throw no.unseen(path, address);
    const real = await this.#withoutLinks(path, folder);
    const closed = await closedIn(real, view, rules.closed);
    if (closed !== null) throw no.closed(path, closed);
    return { mount, real, place: placeOf(real, view.table), identity: (await identityOf(real)) ?? '' };
  }

  /** Links above the operator's folder are the operator's. Below it any server may have made them. */
  async #withoutLinks(path: string, folder: string): Promise<string> {
    const [found, base] = await Promise.all([resolved(path), resolved(folder)]);
    if ('why' in found) throw no.unresolved(path, found.why);
    const expected = 'real' in base ? join(base.real, path.slice(folder === '/' ? 0 : folder.length)) : path;
    if (found.real !== expected) throw no.link(path, found.real);
    return found.real;
  }

  /** Host paths of the servers that run now, whoever owns them. */
  async #others({ table }: HostView, signal: AbortSignal): Promise<readonly Given[]> {
    const rows: unknown = await this.#options.client.ask(
      'list the containers',
      (docker) => docker.listContainers(),
      signal,
    );
    const given = (Array.isArray(rows) ? (rows as Docker.ContainerInfo[]) : []).flatMap(givenTo);
    return Promise.all(
      given.map(async (one) => {
        const found = await resolved(one.path);
        const real = 'real' in found ? found.real : one.path;
        return { ...one, place: placeOf(real, table) };
      }),
    );
  }

  async #processOf(container: string, signal: AbortSignal): Promise<number | null> {
    const inspected = await this.#options.client.ask(
      `look at container ${container.slice(0, 12)}`,
      (docker) => docker.getContainer(container).inspect().catch(nullIfGone),
      signal,
    );
    return inspected?.State.Pid || null;
  }
}

/** A file system may be one of the network, and not answer: nobody waits for it longer than the signal says. */
export function settledBy<T>(signal: AbortSignal, looking: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(no.silent());
    const over = (): void => signal.removeEventListener('abort', late);
    if (signal.aborted) late();
    signal.addEventListener('abort', late, { once: true });
    looking.then(resolve, reject).finally(over);
  });
}

interface Whose {
  readonly server: string;
  readonly owner: string;
}

interface GivenPath extends Whose {
  readonly path: string;
  readonly writable: boolean;
}

interface Given extends GivenPath {
  readonly place: Place;
}

function givenTo(row: Docker.ContainerInfo): GivenPath[] {
  const labels = (row.Labels as Record<string, string> | null) ?? {};
  if (labels[ownerLabel] === undefined) return [];
  const mounts = (row.Mounts as Docker.ContainerInfo['Mounts'] | null) ?? [];
  return mounts
    .filter(({ Type, Source }) => Type === 'bind' && typeof Source === 'string')
    .map(({ Source, RW }) => ({
      server: labels[serverLabel] ?? '',
      owner: labels[ownerLabel] ?? '',
      path: Source,
      writable: RW,
    }));
}

/** Who can write at a path or above it can make it lead anywhere. */
function refuseShared({ mount, place }: Source, whose: Whose, others: readonly Given[]): void {
  for (const other of others) {
    const own = other.server === whose.server && other.owner === whose.owner;
    const below = isPlaceIn(place, other.place) && !(own && place.path === other.place.path);
    if (other.writable && below) throw no.shared(mount.source, other.server);
    if (!own && !mount.readOnly && isPlaceIn(other.place, place)) throw no.shared(mount.source, other.server);
  }
}

const pathsOf = ({ mounts }: Spec): readonly Mount[] => mounts.filter(({ kind }) => kind === 'host-path');

const isSame = (one: Source, other: Source | undefined): boolean =>
  canonicalJson([one.real, one.place, one.identity]) ===
  canonicalJson([other?.real, other?.place, other?.identity]);

const join = (folder: string, rest: string): string => (folder === '/' ? rest : `${folder}${rest}`) || '/';

function nullIfGone(error: unknown): null {
  if (isStatus(error, 404)) return null;
  throw error as Error;
}
