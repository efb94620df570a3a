import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Each call is handed on after a while, answered with 500, or never answered. */
export type Trouble = { readonly delayMs: number } | 'fails' | 'hangs';

/** A socket in front of an engine's own, which writes down what is asked: our runtime makes one connection a call. */
export class EngineProxy {
  readonly socket: string;
  /** `GET /v1.41/containers/json?all=true`, in order. */
  readonly calls: string[] = [];
  /** From now on whoever listens for the engine's news hears nothing. */
  deaf = false;
  /** What becomes of calls that come from now on. */
  trouble: Trouble = { delayMs: 0 };
  /** Waited for before a call is handed on. */
  before: (call: string) => Promise<void> = async () => undefined;
  readonly #engine: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(socket: string, engine: string) {
    this.socket = socket;
    this.#engine = engine;
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(engine: string): Promise<EngineProxy> {
    const folder = await mkdtemp(join(tmpdir(), 'engine-proxy-'));
    const proxy = new EngineProxy(join(folder, 'docker.sock'), engine);
    await proxy.listen();
    return proxy;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.socket, resolve));
  }

  /** All that was asked but for the engine's news. */
  get writes(): string[] {
    return this.calls.filter((call) => !call.startsWith('GET '));
  }

  async close(): Promise<void> {
    this.#open.forEach((socket) => socket.destroy());
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(join(this.socket, '..'), { recursive: true, force: true });
  }

  #join(client: Socket): void {
    this.#keep(client);
    client.once('data', (first) => {
      const line = first.toString('latin1').split('\r\n')[0] ?? '';
      const call = line.replace(/ HTTP.*$/, '');
      this.calls.push(call);
      client.pause();
      void this.before(call).then(() => this.#treat(client, first));
    });
  }

  async #treat(client: Socket, first: Buffer): Promise<void> {
    const { trouble } = this;
    if (trouble === 'hangs') return;
    if (trouble === 'fails') return void client.end(refusal);
    await new Promise((resolve) => setTimeout(resolve, trouble.delayMs));
    const engine = connect(this.#engine);
    this.#keep(engine);
    client.once('close', () => engine.destroy());
    engine.once('close', () => client.destroy());
    engine.write(first);
    client.pipe(engine);
    if (this.deaf && this.calls.at(-1)?.includes('/events') === true) engine.resume();
    else engine.pipe(client);
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#open.delete(socket));
  }
}

const said = '{"message":"something is wrong here"}\n';
const refusal = [
  ...[
    'HTTP/1.1 500 Internal Server Error',
    'Content-Type: application/json',
    `Content-Length: ${said.length}`,
  ],
  ...['Connection: close', '', said],
].join('\r\n');
