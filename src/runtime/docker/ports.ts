import { createServer } from 'node:net';
import { Failure } from '../../model/failure.ts';

const TRIES = 50;
/** Ports given out lately are not given again, though their container may not have taken them yet. */
const REMEMBERED = 100;

/** Finds concrete free ports: one that the engine chose would change at every restart. */
export class Ports {
  readonly #address: string;
  readonly #given: number[] = [];

  constructor(address: string) {
    this.#address = address;
  }

  /** A port that nobody listens on now, none of `taken`. Rejects with `port_taken` when there is none. */
  async choose(taken: ReadonlySet<number>): Promise<number> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const port = await freePort(this.#address);
      if (taken.has(port) || this.#given.includes(port)) continue;
      this.#given.push(port);
      if (this.#given.length > REMEMBERED) this.#given.shift();
      return port;
    }
    throw new Failure('port_taken', `found no free port on ${this.#address}`, {
      suggestedAction: 'see what holds the ports of this machine',
    });
  }
}

/** The engine may be on another machine: then its address is none of ours, and a port free here is as good a guess as any. */
async function freePort(address: string): Promise<number> {
  return listenOnce(address).catch((error: unknown) => {
    if ((error as { code?: string }).code === 'EADDRNOTAVAIL') return listenOnce('0.0.0.0');
    throw new Failure('port_taken', `no free port on ${address}: ${String(error)}`, { cause: error });
  });
}

function listenOnce(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port: 0 }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
