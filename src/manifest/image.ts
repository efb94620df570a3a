/** An image reference taken apart, every part explicit. */
export interface Image {
  /** `docker.io/liminalcommons/mcp-server-github`. */
  readonly repository: string;
  readonly tag: string | null;
  /** `sha256:...` */
  readonly digest: string | null;
}

/** Other names of Docker Hub: all one place, so that trust cannot be told two stories. */
const HUB = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];

/** Takes a reference apart as Docker does: no host means Docker Hub, one word there means `library/`. */
export function parseImage(reference: string): Image {
  const [named = '', digest] = reference.split('@');
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  return {
    repository: normalisedName(tagged ? named.slice(0, colon) : named),
    tag: tagged ? named.slice(colon + 1) : null,
    digest: digest ?? null,
  };
}

/** `github` -> `docker.io/library/github`; hosts are lower case. */
export function normalisedName(name: string): string {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasHost = /[.:]/.test(first) || first === 'localhost';
  const host = hasHost ? first.toLowerCase() : 'docker.io';
  const path = hasHost ? name.slice(slash + 1) : name;
  if (!HUB.includes(host)) return `${host}/${path}`;
  return path.includes('/') ? `docker.io/${path}` : `docker.io/library/${path}`;
}

/** The version a tag stands for: `v1.2.0-alpine` -> `1.2.0`, `1.3.0-rc.1` -> `1.3.0-rc.1`, `latest` -> null. */
export function versionOfTag(tag: string): string | null {
  const parts =
    /^v?(\d+\.\d+\.\d+)(-(?:alpha|beta|rc|pre|preview|dev|next|canary|snapshot|nightly)(?:[.-]?[0-9]+)*)?(?:-.*)?$/i.exec(
      tag,
    );
  return parts === null ? null : `${parts[1] ?? ''}${parts[2] ?? ''}`;
}

/** A tag that names no version (`latest`, `main`) contradicts none. */
export function contradicts(tag: string, version: string): boolean {
  const bare = tag.replace(/^v(?=\d)/, '');
  if (!/^\d/.test(bare) || bare === version.replace(/^v(?=\d)/, '')) return false;
  return versionOfTag(tag) !== version.replace(/^v(?=\d)/, '');
}
