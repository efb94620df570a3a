import { holdsTemplate } from './secrecy.ts';

/** As a manifest writes it under `docker.volumes`. */
export interface Volume {
  readonly source: string;
  readonly target: string;
  readonly read_only?: true;
}

export interface Volumes {
  readonly volumes: readonly Volume[];
  readonly notes: readonly string[];
}

/** A mount, taken apart: `-v` and `--mount` write the same thing in two ways. */
export interface Mount {
  /** '' for a volume without a name. */
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** `data:/data:ro`, `/data`. */
export function mountOf(text: string): Mount {
  const parts = text.split(':');
  const [source, target, mode = ''] = parts.length === 1 ? ['', ...parts] : parts;
  return { source: source ?? '', target: target ?? '', isReadOnly: mode.split(',').includes('ro') };
}

/** `type=volume,source=data,target=/data,readonly`. */
export function mountOfOptions(text: string): Mount {
  const options = new Map(
    text.split(',').map((part) => {
      const [name = '', value = ''] = part.split(/=(.*)/s);
      return [name, value] as const;
    }),
  );
  const first = (...names: readonly string[]): string =>
    names.map((name) => options.get(name)).find((value) => value !== undefined) ?? '';
  const readonly = ['readonly', 'ro'].find((name) => options.has(name));
  return {
    source: first('source', 'src'),
    target: first('target', 'destination', 'dst'),
    isReadOnly: readonly !== undefined && options.get(readonly) !== 'false',
  };
}

/** Volumes with a name are carried over; folders of a host are the operator's to allow. */
export function volumesOf(mounts: readonly Mount[], server: string): Volumes {
  const judged = mounts.map((mount, position) => ({
    mount,
    note: objection(mount, mounts.slice(0, position)),
  }));
  const carried = judged.filter(({ note }) => note === null).map(({ mount }) => volumeOf(mount));
  return {
    volumes: carried,
    notes: [
      ...judged.flatMap(({ note }) => note ?? []),
      ...carried.map(({ source }) => `the volume ${source} is ${server}_${source} here, and empty at first`),
    ],
  };
}

function objection({ source, target }: Mount, before: readonly Mount[]): string | null {
  const mount = `${source || 'the volume'} at ${target || 'no place'}`;
  if (/docker\.sock|podman\.sock|containerd\.sock/.test(`${source}${target}`))
    return `REFUSED: ${mount}: the engine's socket is given to nobody; it will run without`;
  if (holdsTemplate(source) || holdsTemplate(target))
    return `a volume is left out: another program's settings fill in ${mount}; write it under docker.volumes`;
  if (!/^\/[^\s\0]*$/.test(target) || /(^|\/)\.{1,2}(\/|$)/.test(target))
    return `${mount} is left out: a volume needs an absolute path in the container`;
  if (source !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(source))
    return `${mount} is left out: a folder of the host has to be allowed by the policy (allow_host_paths) before a manifest may name it`;
  return before.some((other) => other.target === target)
    ? `${mount} is left out: there is one already`
    : null;
}

const volumeOf = ({ source, target, isReadOnly }: Mount): Volume => ({
  source: source || nameOf(target) || 'data',
  target,
  ...(isReadOnly ? { read_only: true } : {}),
});

const nameOf = (target: string): string =>
  target
    .replace(/[^a-zA-Z0-9_.-]+/g, '-')
    .replace(/^[^a-zA-Z0-9]+/, '')
    .slice(0, 200)
    .replace(/-+$/, '');
