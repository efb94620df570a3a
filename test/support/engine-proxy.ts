import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A socket in front of an engine's own, which writes down what is asked: our runtime makes one connection a call. */
export class EngineProxy {
  readonly socket: string;
  /** `GET /v1.41/containers/json?all=true`, in order. */
  readonly calls: string[] = [];
  /** From now on whoever listens for the engine's news hears nothing. */
  deaf = false;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(socket: string, engine: string) {
    this.socket = socket;
    this.#server = createServer((client) => this.#join(client, connect(engine)));
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

  #join(client: Socket, engine: Socket): void {
    client.once('data', (first) => {
      this.calls.push(
        first
          .toString('latin1')
          .split('\r\n')[0]
          ?.replace(/ HTTP.*$/, '') ?? '',
      );
      if (this.deaf && this.calls.at(-1)?.includes('/events') === true) engine.unpipe(client).resume();
    });
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      this.#open.add(from);
      from.on('error', () => to.destroy()).on('close', () => this.#open.delete(from));
      from.pipe(to);
    }
  }
}
