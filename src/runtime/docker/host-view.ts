import { readFile, realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { EngineClient } from './client.ts';
import {
  isIn,
  isPlaceIn,
  mountOf,
  placeOf,
  readMountTable,
  type MountPoint,
  type Place,
} from './mount-table.ts';

/** The file system as we see it, and whether it is the engine's. */
export interface HostView {
  readonly table: readonly MountPoint[];
  /** The engine runs beside us: its paths are ours. */
  readonly isHost: boolean;
  /** Where the engine keeps its own. */
  readonly dataRoot: string;
}

interface Info {
  readonly Name?: string;
  readonly DockerRootDir?: string;
}

/** An engine behind a socket that has our host's name and keeps its data where we see it. */
export async function lookAtHost(
  client: EngineClient,
  address: string,
  signal: AbortSignal,
): Promise<HostView> {
  const info = await client.ask(
    'ask the engine who it is',
    (docker) => docker.info() as Promise<Info | null>,
    signal,
  );
  const dataRoot = info?.DockerRootDir ?? '';
  const isHost = isSocket(address) && info?.Name === hostname() && (await isFolder(dataRoot));
  return { table: await mountTable('self'), isHost, dataRoot };
}

/**
 * Whether what we see at `folder` is what the engine sees: beside it everything is; in a container of our own only what
 * was mounted into it from the host.
 */
export function isSeen(folder: string, { table, isHost }: HostView, address: string): boolean {
  if (isHost) return true;
  const mount = mountOf(folder, table);
  return isSocket(address) && mount !== undefined && mount.at !== '/' && !OF_A_CONTAINER.has(mount.kind);
}

/** Made for a container, not brought into it. */
const OF_A_CONTAINER: ReadonlySet<string> = new Set(['overlay', 'tmpfs', 'proc', 'sysfs', 'devtmpfs', '']);

export const isSocket = (address: string): boolean =>
  address.startsWith('/') || address.startsWith('unix://');

/** What a process of a container sees mounted; null when it cannot be told, or is another's by now. */
export async function mountTableOf(pid: number, container: string): Promise<readonly MountPoint[] | null> {
  try {
    const [group, table] = await Promise.all([
      readFile(`/proc/${pid}/cgroup`, 'utf8'),
      mountTable(String(pid)),
    ]);
    return group.includes(container) && table.length > 0 ? table : null;
  } catch (error) {
    if (isAbsent(error) || isDenied(error)) return null;
    throw error;
  }
}

async function mountTable(whose: string): Promise<readonly MountPoint[]> {
  try {
    return readMountTable(await readFile(`/proc/${whose}/mountinfo`, 'utf8'));
  } catch (error) {
    if (isAbsent(error) && whose === 'self') return []; // no Linux
    throw error;
  }
}

/** The same file, whatever it is called; null: it is not there, or we may not look at it. */
export async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (isAbsent(error) || isDenied(error)) return null;
    throw error;
  }
}

/** The path without links, or why there is none. */
export async function resolved(
  path: string,
): Promise<{ readonly real: string } | { readonly why: Unresolved }> {
  try {
    return { real: await realpath(path) };
  } catch (error) {
    if (isAbsent(error)) return { why: 'absent' };
    if (isDenied(error)) return { why: 'denied' };
    throw error;
  }
}

export type Unresolved = 'absent' | 'denied';

async function isFolder(path: string): Promise<boolean> {
  return path !== '' && (await identityOf(path)) !== null;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
const isAbsent = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'ESRCH', 'EINVAL'].includes(codeOf(error));
const isDenied = (error: unknown): boolean => ['EACCES', 'EPERM', 'ELOOP'].includes(codeOf(error));

/** Where engines and the system keep what opens the whole host. */
const SYSTEM = [
  ...['/run', '/var/run', '/proc', '/sys', '/dev', '/boot'],
  ...['/var/lib/docker', '/var/lib/containerd', '/var/lib/containers'],
];
const SYSTEM_KINDS: ReadonlySet<string> = new Set([
  ...['proc', 'sysfs', 'devtmpfs', 'devpts', 'cgroup', 'cgroup2', 'securityfs', 'debugfs', 'tracefs'],
  ...['bpf', 'nsfs', 'efivarfs'],
]);

/** The closed place that a path without links is, holds or lies in, by bind mounts and hard links too; null: none. */
export async function closedIn(
  real: string,
  { table, dataRoot }: HostView,
  more: readonly string[],
): Promise<string | null> {
  const reached = [placeOf(real, table), ...mountsIn(real, table).map(placeOfMount)];
  if ([mountOf(real, table), ...mountsIn(real, table)].some((one) => SYSTEM_KINDS.has(one?.kind ?? '')))
    return "the system's own files";
  const identity = await identityOf(real);
  for (const path of [...SYSTEM, dataRoot, ...more].filter((one) => one !== '')) {
    const found = await resolved(path);
    const at = 'real' in found ? found.real : path;
    const place = placeOf(at, table);
    const touches = reached.some((one) => isPlaceIn(one, place) || isPlaceIn(place, one));
    const isIt = identity !== null && identity === (await identityOf(at));
    if (touches || isIt || isIn(real, at) || isIn(at, real)) return path;
  }
  return null;
}

const mountsIn = (path: string, table: readonly MountPoint[]): readonly MountPoint[] =>
  table.filter(({ at }) => at !== path && isIn(at, path));

const placeOfMount = ({ device, root }: MountPoint): Place => ({ device, path: root });
