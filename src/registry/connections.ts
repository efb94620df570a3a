import { Agent, ProxyAgent, request, type Dispatcher } from 'undici';
import { Failure } from '../model/failure.ts';
import type { Route } from './route.ts';

export interface Sent {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Reply {
  /** What was asked, with the scheme that was spoken. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

const MOST_BYTES = 4 * 1024 * 1024;
const CONNECT_MS = 10_000;
/** Where plain http may be spoken instead, a silent port is left sooner. */
const TRY_MS = 4_000;
const MOST_ROUTES = 200;

interface Agents {
  readonly 'https:': Dispatcher;
  readonly 'http:': Dispatcher;
}

/** Open connections, along the route to each host. */
export class Connections {
  readonly #agents = new Map<Route, Agents>();

  /** Rejects with `registry_unreachable`, or with `registry_answer` for more than 4 MiB. */
  async send({ url, method, headers, body }: Sent, route: Route, signal: AbortSignal): Promise<Reply> {
    const plain = { 'accept-encoding': 'identity', 'user-agent': 'mcp-orchestration', ...headers };
    const dispatcher = this.#along(route)[url.protocol === 'http:' ? 'http:' : 'https:'];
    const options = { dispatcher, method, headers: plain, signal, body: body ?? null };
    try {
      const response = await request(url, options);
      return {
        url,
        status: response.statusCode,
        headers: flat(response.headers),
        body: await readAll(response.body),
      };
    } catch (error) {
      throw error instanceof Failure ? error : unreachable(url, route, error);
    }
  }

  /** The route is used no more; what is in hand on it ends by itself. */
  drop(route: Route): void {
    const agents = this.#agents.get(route);
    this.#agents.delete(route);
    // A close that fails leaves nothing that anybody could do.
    for (const agent of agents === undefined ? [] : [agents['https:'], agents['http:']])
      agent.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    const all = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(all.flatMap((each) => [each['https:'].destroy(), each['http:'].destroy()]));
  }

  #along(route: Route): Agents {
    const known = this.#agents.get(route);
    if (known !== undefined) return known;
    this.#dropOldest();
    const made = { 'https:': agentFor(route, 'https:'), 'http:': agentFor(route, 'http:') };
    this.#agents.set(route, made);
    return made;
  }

  #dropOldest(): void {
    for (const route of this.#agents.keys()) {
      if (this.#agents.size < MOST_ROUTES) return;
      this.drop(route);
    }
  }
}

function agentFor(route: Route, scheme: 'https:' | 'http:'): Dispatcher {
  const proxy = route.proxy[scheme];
  const limits = { connections: 8, headersTimeout: 0, bodyTimeout: 0 };
  const { context: secureContext } = route.certificates;
  const timeout = route.insecure === null ? CONNECT_MS : TRY_MS;
  const tls = { secureContext, rejectUnauthorized: route.insecure === null, timeout };
  if (proxy === null) return new Agent({ ...limits, connect: tls });
  const requestTls = { ...tls };
  return new ProxyAgent({
    ...limits,
    uri: proxy.href,
    proxyTunnel: false,
    requestTls,
    proxyTls: { secureContext },
  });
}

async function readAll(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES)
      throw new Failure('registry_answer', 'an answer of the registry is larger than 4 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const flat = (headers: Dispatcher.ResponseData['headers']): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** The cause of a failed connection is in its code or its message; neither ever holds a header of ours. */
function unreachable(url: URL, route: Route, cause: unknown): Failure {
  const { code = '', message = String(cause) } = (cause ?? {}) as { code?: string; message?: string };
  const proxy = route.proxy[url.protocol === 'http:' ? 'http:' : 'https:'];
  const by = proxy === null ? '' : ` by the proxy ${proxy.host}`;
  const advice = adviceFor(code, url.host);
  return new Failure('registry_unreachable', `${url.host} cannot be asked${by}: ${message}`, {
    cause,
    ...(advice !== null && { suggestedAction: advice }),
  });
}

function adviceFor(code: string, host: string): string | null {
  if (/SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code))
    return `put the certificate of its authority into /etc/docker/certs.d/${host}/ca.crt, or name it with SSL_CERT_FILE`;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return `it speaks no TLS: the engine takes it with ${host} in insecure-registries of its daemon.json, and so do we`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'its certificate is for another name: ask for it by that one';
  return code === 'CERT_HAS_EXPIRED' ? 'renew its certificate' : null;
}
