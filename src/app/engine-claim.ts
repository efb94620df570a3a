import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import type { Clock } from '../lib/clock.ts';
import type { Sighting } from '../model/observed.ts';
import { lockEngine, type Writer } from '../state/index.ts';
import type { WriterLock } from '../state/state.ts';
import { EXIT, StartError, type Config } from './config.ts';
import type { Ending } from './ending.ts';

type Engine = Sighting['engine'];

/** Of all orchestrators with one owner only one may act on an engine. */
export class EngineClaim {
  readonly #deps: ClaimDeps;
  /** By what tells the engine from others. */
  readonly #locks = new Map<string, WriterLock>();

  constructor(deps: ClaimDeps) {
    this.#deps = deps;
  }

  /** Rejects when the engine is another's: once `signal` has aborted, for that ends the program. */
  async take(engine: Engine, signal: AbortSignal): Promise<void> {
    if (this.#deps.config.runtime === 'memory') return;
    const names = await namesOf(engine, this.#deps.address);
    for (const name of names) if (!this.#locks.has(name)) await this.#lock(name, signal);
    for (const [name, lock] of this.#locks) if (!names.includes(name)) await this.#giveUp(name, lock);
  }

  async release(): Promise<void> {
    for (const lock of this.#locks.values()) await lock.release();
  }

  async #lock(name: string, signal: AbortSignal): Promise<void> {
    const { config, clock, ending } = this.#deps;
    const engine = { directory: await sharedFolder(), engineId: name, owner: config.owner };
    const lock = await lockEngine(engine, { who: whoWeAre(clock), clock }).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      const unusable = `the lock on the engine cannot be kept in ${engine.directory}: ${why}`;
      return this.#refuse(new StartError(EXIT.stateUnusable, unusable), signal);
    });
    if (!lock.ok) return this.#refuse(new StartError(EXIT.lockHeld, lock.error), signal);
    this.#locks.set(name, lock.value);
    lock.value.onLost((why) =>
      ending.end(new StartError(EXIT.lockHeld, `the lock on the engine was lost: ${why}`)),
    );
  }

  /** It was another start of the engine, or another socket. */
  async #giveUp(name: string, lock: WriterLock): Promise<void> {
    this.#locks.delete(name);
    await lock.release();
  }

  /** The program ends with this one sentence: whoever asked hears of it when all is over, and has nothing to add. */
  async #refuse(refusal: StartError, signal: AbortSignal): Promise<never> {
    this.#deps.ending.end(refusal);
    if (!signal.aborted) await once(signal, 'abort');
    throw refusal;
  }
}

interface ClaimDeps {
  readonly config: Config;
  /** How we reach the engine. */
  readonly address: string;
  readonly clock: Clock;
  readonly ending: Ending;
}

/**
 * What tells an engine from every other; two that share one of these names are one engine. Its id alone does not: a
 * machine that was cloned has that of the first. The same socket has many paths, and the same engine many ways to it
 * (a proxy, the network): those see that it started at the same moment.
 */
async function namesOf({ id, startedAt }: Engine, address: string): Promise<readonly string[]> {
  const started = startedAt === 0 ? [] : [`${id} started ${startedAt}`];
  return [`${id} at ${await placeOf(address)}`, ...started];
}

async function placeOf(address: string): Promise<string> {
  const path = address.replace(/^unix:\/\//, '');
  if (!path.startsWith('/')) return address;
  return stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    // It is gone for now: the next look finds it again, or nothing.
    () => path,
  );
}

/** Where locks lie on Linux: all of a machine share it, also services and containers with a temporary folder of their own. */
const LOCKS = '/run/lock';

const sharedFolder = (): Promise<string> =>
  access(LOCKS, constants.W_OK).then(
    () => LOCKS,
    () => tmpdir(),
  );

/** For the sentence that refuses the next one. */
export const whoWeAre = (clock: Clock): Writer => ({
  pid: process.pid,
  host: hostname(),
  started: new Date(clock.now()).toISOString(),
});
