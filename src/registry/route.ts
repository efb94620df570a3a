import { lookup } from 'node:dns/promises';
import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import { certificatesFor, noCertificates, type Certificates, type Contexts } from './certificates.ts';
import { isInRange, proxyFor, type Environment } from './proxy.ts';
import { isLoopback } from './reference.ts';

/** How one host is reached. Decided here and nowhere else, as the engine decides it that pulls from there. */
export interface Route {
  /** TLS is tried first and its certificate is not checked; where there is none, plain http is spoken. null: TLS alone, checked. */
  readonly insecure: 'this machine' | "the engine's insecure-registries" | null;
  readonly proxy: { readonly 'https:': URL | null; readonly 'http:': URL | null };
  readonly certificates: Certificates;
}

/** Which hosts the operator told the engine to speak to without checking who they are. */
export interface InsecureRegistries {
  /** `registry.lan:5000`. */
  readonly hosts: readonly string[];
  /** `10.0.0.0/8`. */
  readonly ranges: readonly string[];
}

export interface RouteOptions {
  readonly clock: Clock;
  /** Proxies and certificates. */
  readonly env: Environment;
  /** Folders with one folder for each host, such as `/etc/docker/certs.d`. */
  readonly certificateFolders: readonly string[];
  /** Asks the engine. May reject: then no host but this machine is insecure. */
  readonly insecure: (signal: AbortSignal) => Promise<InsecureRegistries>;
}

const ENGINE_LIMIT_MS = 5_000;
const NAME_LIMIT_MS = 5_000;
const MOST_ROUTES = 200;

/** The routes to all hosts, each worked out once until it is forgotten. */
export class Routes {
  readonly #options: RouteOptions;
  readonly #known = new Map<string, Promise<Route>>();
  readonly #contexts: Contexts = new Map();

  constructor(options: RouteOptions) {
    this.#options = options;
  }

  /** `registry`: the host whose certificates count as well, for its token server. */
  to(host: string, registry: string): Promise<Route> {
    const key = `${host} ${registry}`;
    const known = this.#known.get(key) ?? this.#find(host, registry);
    if (this.#known.size >= MOST_ROUTES) this.#known.clear();
    this.#known.set(key, known);
    return known;
  }

  /** It did not lead there: the next question looks again at what engine, environment and folders say. */
  forget(host: string, registry: string): void {
    this.#known.delete(`${host} ${registry}`);
  }

  async #find(host: string, registry: string): Promise<Route> {
    const { env, certificateFolders: folders } = this.#options;
    const proxy = (scheme: string): URL | null => proxyOf(new URL(`${scheme}//${host}`), env);
    const insecure = await this.#insecure(host);
    const places = { env, folders, made: this.#contexts };
    const certificates =
      insecure === null ? await certificatesFor([...new Set([host, registry])], places) : noCertificates();
    return { insecure, certificates, proxy: { 'https:': proxy('https:'), 'http:': proxy('http:') } };
  }

  async #insecure(host: string): Promise<Route['insecure']> {
    const { hostname } = new URL(`https://${host}`);
    if (isLoopback(hostname)) return 'this machine';
    const { clock, insecure } = this.#options;
    const { hosts, ranges } = await insecure(clock.deadline(ENGINE_LIMIT_MS)).catch(none);
    // Nobody told the engine so of 127.0.0.0/8; a name that leads there by somebody's name server is still to be checked.
    const told = ranges.filter((range) => !range.startsWith('127.') && !range.startsWith('::1'));
    if (hosts.includes(host)) return "the engine's insecure-registries";
    const addresses = told.length === 0 ? [] : await this.#addressesOf(hostname);
    const isTold = addresses.some((address) => told.some((range) => isInRange(address, range)));
    return isTold ? "the engine's insecure-registries" : null;
  }

  async #addressesOf(hostname: string): Promise<readonly string[]> {
    const { clock } = this.#options;
    const found = lookup(hostname.replace(/^\[(.*)\]$/, '$1'), { all: true }).then(
      (all) => all.map(({ address }) => address),
      () => [],
    );
    return Promise.race([found, clock.sleep(NAME_LIMIT_MS).then(() => [])]);
  }
}

/** Who cannot be asked has said nothing of any registry. */
const none = (): InsecureRegistries => ({ hosts: [], ranges: [] });

function proxyOf(url: URL, env: Environment): URL | null {
  const proxy = parsed(url, env);
  if (proxy === null || ['http:', 'https:'].includes(proxy.protocol)) return proxy;
  throw new Failure(
    'registry_unreachable',
    `${url.host} cannot be asked: a proxy is neither http nor https`,
    {
      suggestedAction: 'set HTTPS_PROXY to an http:// address, or add the host to NO_PROXY',
    },
  );
}

/** Never with the text of the variable: there may be a password in it. */
function parsed(url: URL, env: Environment): URL | null {
  try {
    return proxyFor(url, env);
  } catch (cause) {
    throw new Failure('registry_unreachable', `${url.host} cannot be asked: the proxy's address is none`, {
      suggestedAction: 'correct HTTPS_PROXY or HTTP_PROXY',
      cause,
    });
  }
}
