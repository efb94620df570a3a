import { StatusClient } from '../gateway-kit/client/client.ts';
import type { Endpoint, ServerRecord } from '../gateway-kit/client/types.ts';
import { openSession } from './mcp.ts';
import { Count, type Traffic } from './traffic.ts';

const TICK_MS = 10;
/** A session moves on so long before the deadline of its endpoint. */
const BEFORE_DEADLINE_MS = 300;

/**
 * Sends requests as a gateway does: it follows the status with the kit's reference client, sends new requests to the
 * active endpoint it knows of, and leaves a session where it began until its endpoint's deadline.
 */
export class Gateway {
  readonly #client: StatusClient;
  readonly #end = new AbortController();
  readonly #work: Promise<void>[] = [];
  readonly #counts = new Map<string, Count>();
  readonly #started = Date.now();
  #endedAt: number | null = null;

  constructor(url: string) {
    this.#client = new StatusClient({ url });
  }

  /** Resolves when the servers are known. */
  async open(): Promise<this> {
    await this.#client.open();
    return this;
  }

  /** So many short requests a second, whatever the answers are: none waits for another. */
  load(server: string, perSecond: number, path = '/echo'): void {
    const begun = Date.now();
    let sent = 0;
    this.#begin(async () => {
      const open = new Set<Promise<void>>();
      while (!this.#ended) {
        for (const due = ((Date.now() - begun) / 1_000) * perSecond; sent < due; sent += 1) {
          const one = this.#send(server, 'short', path).finally(() => open.delete(one));
          open.add(one);
        }
        await pause(TICK_MS);
      }
      await Promise.all(open);
    });
  }

  /** One request of `ms` after the other, begun every `everyMs`. */
  long(server: string, ms: number, everyMs: number): void {
    this.#repeat(everyMs, () => this.#send(server, 'long', `/slow?ms=${ms}`));
  }

  /** A stream of `ms`, begun every `everyMs`; cut short is failed. */
  streams(server: string, ms: number, everyMs: number): void {
    this.#repeat(everyMs, () =>
      this.#send(server, 'stream', `/stream?ms=${ms}&every=50`, (text) => text.endsWith('\nend\n')),
    );
  }

  /** A session that stays with its endpoint until the deadline, asking every 50 ms, and then begins anew elsewhere. */
  session(server: string): void {
    this.#begin(async () => {
      let at = this.#active(server);
      await this.#hold(at, 1);
      while (!this.#ended) {
        if (this.#isOver(server, at)) {
          await this.#hold(at, 0);
          at = this.#active(server);
          await this.#hold(at, 1);
        }
        await this.#send(server, 'session', '/echo', undefined, at.url ?? '');
        await pause(50);
      }
      await this.#hold(at, 0);
    });
  }

  /** An MCP session that stays with its endpoint until the deadline, calling a tool, and then begins anew elsewhere. */
  mcpSession(server: string, tool: string): void {
    this.#begin(async () => {
      while (!this.#ended) {
        const at = this.#active(server);
        const session = await openSession(at.mcp_url ?? '');
        while (!this.#ended && !this.#isOver(server, at)) {
          await this.#counted(server, { kind: 'session', where: at.mcp_url ?? '' }, () => session.call(tool));
          await pause(100);
        }
        await session.close();
      }
    });
  }

  /** Begins nothing more, waits for what is under way. */
  async close(): Promise<void> {
    this.#end.abort();
    this.#endedAt = Date.now();
    await Promise.all(this.#work);
    await this.#client.close();
  }

  traffic(server: string, kind: 'short' | 'long' | 'stream' | 'session'): Traffic {
    return this.#count(server, kind).traffic(this.#endedAt ?? Date.now());
  }

  /** All that failed, of whatever kind. */
  get failed(): readonly string[] {
    return [...this.#counts.values()].flatMap(({ failed }) => failed);
  }

  get #ended(): boolean {
    return this.#end.signal.aborted;
  }

  #begin(work: () => Promise<void>): void {
    this.#work.push(work());
  }

  #repeat(everyMs: number, send: () => Promise<void>): void {
    this.#begin(async () => {
      const open: Promise<void>[] = [];
      while (!this.#ended) {
        open.push(send());
        await pause(everyMs);
      }
      await Promise.all(open);
    });
  }

  #endpointsOf(server: string): ServerRecord['endpoints'] {
    return this.#client.servers().find(({ name }) => name === server)?.endpoints ?? [];
  }

  #active(server: string): Endpoint {
    const found = this.#endpointsOf(server).find(({ role }) => role === 'active');
    if (found === undefined) throw new Error(`${server} has no active endpoint`);
    return found;
  }

  #isOver(server: string, { instance }: Endpoint): boolean {
    const now = this.#endpointsOf(server).find((one) => one.instance === instance);
    if (now === undefined) return true;
    if (now.role === 'active') return false;
    const deadline = Date.parse(now.drain_deadline ?? '');
    return Number.isNaN(deadline) ? false : Date.now() > deadline - BEFORE_DEADLINE_MS;
  }

  /** Tells the test server how many sessions it has. */
  async #hold({ url }: Endpoint, sessions: number): Promise<void> {
    const answer = await fetch(`${url ?? ''}/sessions?count=${sessions}`, {
      method: 'POST',
      signal: AbortSignal.timeout(10_000),
    });
    await answer.text();
  }

  async #send(
    server: string,
    kind: string,
    path: string,
    isWhole: (text: string) => boolean = () => true,
    endpoint?: string,
  ): Promise<void> {
    await this.#counted(server, { kind, where: `${endpoint ?? ''}${path}` }, async () => {
      const base = endpoint ?? this.#active(server).url ?? '';
      const answer = await fetch(`${base}${path}`, { signal: AbortSignal.timeout(30_000) });
      const text = await answer.text();
      if (!answer.ok || !isWhole(text)) throw new Error(`${answer.status} ${text.slice(-100)}`);
      return versionIn(text);
    });
  }

  /** `ask` tells which version answered. */
  async #counted(
    server: string,
    { kind, where }: { readonly kind: string; readonly where: string },
    ask: () => Promise<string>,
  ): Promise<void> {
    const count = this.#count(server, kind);
    const begun = Date.now();
    count.send(begun);
    try {
      count.answer(await ask(), Date.now());
    } catch (error) {
      const after = `${begun - this.#started} ms, after ${Date.now() - begun} ms`;
      count.fail(`${server} ${kind} ${where} at ${after}: ${causeOf(error)}`);
    }
  }

  #count(server: string, kind: string): Count {
    const key = `${server} ${kind}`;
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    const count = new Count(Date.now());
    this.#counts.set(key, count);
    return count;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

const versionIn = (text: string): string => /"version":"([^"]*)"/.exec(text)?.[1] ?? text.split(' ')[0] ?? '';

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
