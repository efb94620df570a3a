import { isRecord } from './places.ts';
import type { FlatEntry, NestedEntry } from './schema/registry.ts';
import type { ServerEntry } from './schema/server.ts';

/**
 * Reads an entry of any known shape into the 1.1 form. What the entry does not say is not made up:
 * a nested entry without `docker` stays without it and is listed as undeployable.
 */
export function inOneShape(entry: unknown): ServerEntry {
  if (isNested(entry)) return fromNested(entry);
  if (isFlat(entry)) return fromFlat(entry);
  return entry as ServerEntry;
}

const isNested = (entry: unknown): entry is NestedEntry => isRecord(entry) && Object.hasOwn(entry, 'server');
const isFlat = (entry: unknown): entry is FlatEntry =>
  isRecord(entry) && Object.hasOwn(entry, 'docker_image');

function fromNested({ server, metadata, health, ...rest }: NestedEntry): ServerEntry {
  const endpoint = health?.endpoint === undefined ? undefined : pathIn(health.endpoint);
  return present({
    ...rest,
    ...server,
    tags: rest.tags ?? metadata?.tags,
    maintainers: rest.maintainers ?? (metadata?.maintainer === undefined ? undefined : [metadata.maintainer]),
    health_check: rest.health_check ?? (endpoint === undefined ? undefined : { endpoint }),
  });
}

function fromFlat(entry: FlatEntry): ServerEntry {
  const { docker_image, port, endpoint, health_url, volumes, environment, ...rest } = entry;
  const address = [endpoint, health_url].map(addressIn).find((found) => found !== null);
  const health = health_url === undefined ? undefined : { endpoint: pathIn(health_url) };
  return present({
    ...rest,
    docker: present({
      image: docker_image,
      // In the ecosystem's registries a server answers on the same port inside and outside.
      port: port ?? address?.port,
      host_port: address?.local === true ? address.port : undefined,
      volumes: volumes === undefined ? undefined : Object.entries(volumes).map(toVolume),
    }),
    health_check: rest.health_check ?? health,
    config:
      environment === undefined
        ? rest.config
        : { ...rest.config, env: { ...environment, ...rest.config?.env } },
  });
}

/** `{host: {bind, mode}}`, as the Docker SDK for Python writes it: a word names that very volume. */
function toVolume([source, { bind, mode }]: [string, { bind: string; mode?: 'ro' | 'rw' | undefined }]) {
  return {
    source,
    target: bind,
    ...(mode === 'ro' ? { read_only: true } : {}),
    ...(source.startsWith('/') ? {} : { external: true }),
  };
}

function addressIn(url: string | undefined): { readonly port: number; readonly local: boolean } | null {
  const found = /^https?:\/\/([^/:]+):(\d{1,5})/.exec(url ?? '');
  const port = Number(found?.[2]);
  return found !== null && port >= 1 && port <= 65_535
    ? { port, local: found[1] === 'localhost' || found[1] === '127.0.0.1' }
    : null;
}

const pathIn = (url: string): string => url.replace(/^https?:\/\/[^/]*/, '') || '/';

/** Without the members that are undefined: a missing key and an undefined one would differ in the entry's hash. */
function present<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
