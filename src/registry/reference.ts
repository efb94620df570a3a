/** Where a repository lives and how it is asked for. */
export interface Repository {
  /** `docker.io`, `ghcr.io`, `127.0.0.1:5000`: what credentials and budgets go by. */
  readonly host: string;
  /** `liminalcommons/mcp-server-github`. */
  readonly name: string;
  /** `registry-1.docker.io`, `127.0.0.1:5000`: whom to ask. How, the route to it says. */
  readonly site: string;
}

export interface ImageReference {
  readonly repository: Repository;
  /** A tag or a digest; `latest` where the name has neither. */
  readonly reference: string;
}

/** `docker.io/a/b:1.0`, `a/b`, `ghcr.io/a/b@sha256:...` (a digest wins over a tag). Says nothing about whether it exists. */
export function parseImage(image: string): ImageReference {
  const [named = '', digest] = image.split('@');
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  return {
    repository: parseRepository(tagged ? named.slice(0, colon) : named),
    reference: digest ?? (tagged ? named.slice(colon + 1) : 'latest'),
  };
}

export function parseRepository(repository: string): Repository {
  const slash = repository.indexOf('/');
  const first = repository.slice(0, Math.max(slash, 0));
  if (!/[.:]|^localhost$/.test(first)) return dockerHub(repository);
  const name = repository.slice(slash + 1);
  return first === 'docker.io' ? dockerHub(name) : { host: first, name, site: first };
}

/** This machine, which needs no proxy and where nobody listens in between. */
export const isLoopback = (hostname: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);

/** Docker Hub's API has another name than its images, and its official images a folder that nobody writes. */
function dockerHub(name: string): Repository {
  const full = name.includes('/') ? name : `library/${name}`;
  return { host: 'docker.io', name: full, site: 'registry-1.docker.io' };
}
