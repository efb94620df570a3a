import type { Ecosystem, Endpoint, ServerRecord } from './types.ts';

/** What a gateway does with one request: where it goes, or why it cannot be served. */
export type Route =
  | { readonly ok: true; readonly url: string; readonly instance: string; readonly stale: boolean }
  | {
      readonly ok: false;
      readonly code: 'UNKNOWN_SERVER' | 'BACKEND_UNHEALTHY';
      readonly suggested_action: string | null;
    };

export interface ClientOptions {
  /** Base URL of the status endpoint. */
  readonly url: string;
  readonly token?: string;
  /** In a container on mcp-network the published ports cannot be reached: its own names can. */
  readonly inContainer?: boolean;
  /** Between two tries when the orchestrator is away. */
  readonly retryMs?: number;
}

interface Kept {
  readonly ecosystem: Ecosystem;
  readonly etag: string | null;
  /** Unix ms. */
  readonly at: number;
}

/** A reader of the status endpoint as a gateway needs it: follows changes, routes by them, and keeps what it has. */
export class StatusClient {
  readonly #options: ClientOptions;
  readonly #closed = new AbortController();
  /** The instance each legacy session was opened on. */
  readonly #sessions = new Map<string, string>();
  #kept: Kept | null = null;
  #following: Promise<void> | null = null;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Resolves when the servers are known for the first time; follows changes from then on. */
  async open(): Promise<void> {
    while (this.#kept === null && !this.#closed.signal.aborted)
      if (!(await this.#look(null))) await this.#pause();
    this.#following = this.#follow();
  }

  servers(): readonly ServerRecord[] {
    return this.#kept?.ecosystem.servers ?? [];
  }

  /** True when what is known is older than it may be: go on with it, say so, and remove nobody. */
  get isStale(): boolean {
    if (this.#kept === null) return true;
    return Date.now() - this.#kept.at > this.#kept.ecosystem.valid_for_seconds * 1_000;
  }

  /**
   * Where a request for a server (by name or namespace) goes. New sessions and requests without one go to the active
   * endpoint; a session stays on a draining one until its deadline, and must initialize anew after it.
   */
  route(server: string, session: string | null = null): Route {
    const record = this.#find(server);
    if (record === undefined) return { ok: false, code: 'UNKNOWN_SERVER', suggested_action: null };
    const endpoint = this.#endpointOf(record, session);
    const url = endpoint && this.#urlOf(endpoint);
    if (endpoint == null || url == null || (!record.routable && endpoint.role !== 'draining'))
      return { ok: false, code: 'BACKEND_UNHEALTHY', suggested_action: record.suggested_action };
    if (session !== null) this.#sessions.set(session, endpoint.instance);
    return { ok: true, url, instance: endpoint.instance, stale: this.isStale };
  }

  /** A session ended, or was answered with 404: the next request initializes on the active endpoint. */
  forget(session: string): void {
    this.#sessions.delete(session);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#following;
  }

  #find(server: string): ServerRecord | undefined {
    const servers = this.servers();
    return (
      servers.find(({ name }) => name === server) ?? servers.find(({ namespace }) => namespace === server)
    );
  }

  #endpointOf({ endpoints }: ServerRecord, session: string | null): Endpoint | undefined {
    const known = session === null ? undefined : this.#sessions.get(session);
    const own = endpoints.find(({ instance }) => instance === known);
    if (own?.role === 'draining' && Date.now() < Date.parse(own.drain_deadline ?? '')) return own;
    return endpoints.find(({ role }) => role === 'active');
  }

  #urlOf({ mcp_url, container_mcp_url }: Endpoint): string | null {
    return this.#options.inContainer === true ? container_mcp_url : mcp_url;
  }

  /** Blocking queries: the answer comes with the next change, or every 30 s without one. */
  async #follow(): Promise<void> {
    while (!this.#closed.signal.aborted)
      if (!(await this.#look(this.#kept?.ecosystem.index ?? null))) await this.#pause();
  }

  /** False when there was no answer: what is known stays. */
  async #look(index: number | null): Promise<boolean> {
    const { url, token } = this.#options;
    const query = index === null ? '' : `?index=${index}&wait=30s`;
    const etag = this.#kept?.etag ?? null;
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(etag === null ? {} : { 'if-none-match': etag }),
    };
    const signal = AbortSignal.any([AbortSignal.timeout(40_000), this.#closed.signal]);
    try {
      return await this.#take(await fetch(new URL(`/health/status${query}`, url), { headers, signal }));
    } catch (error) {
      // Away, cut off or closing: all the same to a reader who keeps what it has.
      if (error instanceof Error) return false;
      throw error;
    }
  }

  async #take(response: Response): Promise<boolean> {
    if (response.status === 304 && this.#kept !== null) {
      this.#kept = { ...this.#kept, at: Date.now() };
      return true;
    }
    if (response.status !== 200) return false;
    const ecosystem = (await response.json()) as Ecosystem;
    this.#kept = { ecosystem, etag: response.headers.get('etag'), at: Date.now() };
    return true;
  }

  #pause(): Promise<void> {
    const { signal } = this.#closed;
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, this.#options.retryMs ?? 1_000);
      signal.addEventListener('abort', end);
    });
  }
}
