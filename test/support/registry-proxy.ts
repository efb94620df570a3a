import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What befalls whoever asks for the blob in question. */
export type Fault = 'missing' | 'busy' | 'cut' | 'slow';

/** A registry in front of the real one: it counts, and fails where it is told to. */
export class RegistryProxy {
  /** `GET /v2/a/b/tags/list` and when (Unix ms), in order. */
  readonly calls: { readonly what: string; readonly at: number }[] = [];
  /** How often the fault struck, each time to its end: what is slow is held by then. */
  struck = 0;
  #fault: { readonly kind: Fault; readonly blob: string } | null = null;
  #dead = false;
  readonly #server: Server;
  readonly #behind: number;
  readonly #open = new Set<Socket>();
  readonly #held: (() => void)[] = [];

  private constructor(behind: number) {
    this.#behind = behind;
    this.#server = createServer((asked, answer) => this.#answer(asked, answer));
    this.#server.on('connection', (socket) => {
      this.#open.add(socket.on('close', () => this.#open.delete(socket)));
    });
  }

  static async open(behind: number): Promise<RegistryProxy> {
    const proxy = new RegistryProxy(behind);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on, until `heal`: `cut` ends in the middle, and then nobody answers anything. */
  fail(kind: Fault, blob: string): void {
    this.#fault = { kind, blob };
  }

  /** From now on, until `heal`, nobody answers anything. */
  vanish(): void {
    this.#dead = true;
  }

  heal(): void {
    this.#fault = null;
    this.#dead = false;
    for (const goOn of this.#held.splice(0)) goOn();
  }

  async close(): Promise<void> {
    this.heal();
    this.#open.forEach((socket) => socket.destroy());
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(asked: IncomingMessage, answer: ServerResponse): void {
    this.calls.push({ what: `${asked.method ?? ''} ${asked.url ?? ''}`, at: Date.now() });
    if (this.#dead) return void asked.socket.destroy();
    const fault = this.#fault;
    const strikes = fault !== null && asked.method === 'GET' && (asked.url ?? '').endsWith(fault.blob);
    if (!strikes) return this.#pass(asked, answer, (from) => from.pipe(answer));
    if (fault.kind === 'cut' || fault.kind === 'slow')
      return this.#pass(asked, answer, (from) => void this.#half(from, answer, fault.kind));
    this.struck += 1;
    if (fault.kind === 'missing') refuse(answer, 404, 'BLOB_UNKNOWN');
    else refuse(answer.setHeader('retry-after', '1'), 429, 'TOOMANYREQUESTS');
  }

  #pass(asked: IncomingMessage, answer: ServerResponse, body: (from: IncomingMessage) => void): void {
    const { method, url, headers } = asked;
    const there = { host: '127.0.0.1', port: this.#behind, method, path: url, headers };
    // A connection of its own: one that was kept may be closed by the registry just as it is used again.
    const behind = request({ ...there, agent: false }, (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers);
      body(from);
    });
    behind.on('error', ({ message }) => {
      if (answer.headersSent) answer.destroy();
      else refuse(answer, 502, `behind the proxy: ${message}`);
    });
    asked.pipe(behind);
  }

  async #half(from: IncomingMessage, answer: ServerResponse, kind: Fault): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of from) parts.push(part as Buffer);
    const all = Buffer.concat(parts);
    const half = Math.floor(all.length / 2);
    await new Promise<void>((resolve) => answer.write(all.subarray(0, half), () => resolve()));
    // Healed meanwhile: nobody would come again to let it go on.
    if (this.#fault === null) return void answer.end(all.subarray(half));
    this.struck += 1;
    if (kind === 'cut') {
      this.#dead = true;
      return void answer.destroy();
    }
    await new Promise<void>((resolve) => this.#held.push(resolve));
    answer.end(all.subarray(half));
  }
}

function refuse(answer: ServerResponse, status: number, code: string): void {
  answer.writeHead(status, { 'content-type': 'application/json' });
  answer.end(JSON.stringify({ errors: [{ code, message: code }] }));
}
