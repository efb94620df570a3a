/** One line of a process's `mountinfo`: what is mounted where. */
export interface MountPoint {
  /** `8:1`: the file system. */
  readonly device: string;
  /** What of that file system: `/` for the whole of it, a folder for a bind mount. */
  readonly root: string;
  readonly at: string;
  /** `ext4`, `tmpfs`, `proc`, ... */
  readonly kind: string;
}

/** Where a path really lies, whatever bind mount it is reached by. */
export interface Place {
  readonly device: string;
  readonly path: string;
}

export function readMountTable(text: string): readonly MountPoint[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , device, root, at] = left.split(' ');
    if (device === undefined || root === undefined || at === undefined) return [];
    return [{ device, root: plain(root), at: plain(at), kind: right.split(' ')[0] ?? '' }];
  });
}

/** The one that a path without links in it lies in; undefined where the table is empty. */
export function mountOf(path: string, table: readonly MountPoint[]): MountPoint | undefined {
  return table
    .filter(({ at }) => isIn(path, at))
    .reduce<MountPoint | undefined>(
      (best, one) => (best === undefined || one.at.length >= best.at.length ? one : best),
      undefined,
    );
}

export function placeOf(path: string, table: readonly MountPoint[]): Place {
  const mount = mountOf(path, table);
  if (mount === undefined) return { device: '', path };
  const rest = path.slice(mount.at === '/' ? 0 : mount.at.length);
  return { device: mount.device, path: tidy(`${mount.root}/${rest}`) };
}

export const isPlaceIn = (one: Place, other: Place): boolean =>
  one.device === other.device && isIn(one.path, other.path);

/** At the folder or below it. */
export const isIn = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

/** Spaces and the like are written as octal numbers. */
const plain = (field: string): string =>
  field.replaceAll(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

const tidy = (path: string): string => path.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
