import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import type { Clock } from '../lib/clock.ts';
import { lockEngine, type Writer } from '../state/index.ts';
import type { WriterLock } from '../state/state.ts';
import { EXIT, StartError, type Config } from './config.ts';
import type { Ending } from './ending.ts';

/** Of all orchestrators with one owner only one may act on an engine. */
export class EngineClaim {
  readonly #deps: {
    readonly config: Config;
    readonly clock: Clock;
    readonly ending: Ending;
  };
  readonly #locks = new Map<string, WriterLock>();

  constructor(deps: { readonly config: Config; readonly clock: Clock; readonly ending: Ending }) {
    this.#deps = deps;
  }

  async take(engineId: string): Promise<void> {
    const { config, clock, ending } = this.#deps;
    if (config.runtime === 'memory' || this.#locks.has(engineId)) return;
    const engine = { directory: await sharedFolder(), engineId, owner: config.owner };
    const lock = await lockEngine(engine, { who: whoWeAre(clock), clock }).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      const unusable = `the lock on the engine cannot be kept in ${engine.directory}: ${why}`;
      ending.end(new StartError(EXIT.stateUnusable, unusable));
      throw error;
    });
    if (!lock.ok) {
      const refusal = new StartError(EXIT.lockHeld, lock.error);
      ending.end(refusal);
      throw refusal;
    }
    this.#locks.set(engineId, lock.value);
    lock.value.onLost((why) =>
      ending.end(new StartError(EXIT.lockHeld, `the lock on the engine was lost: ${why}`)),
    );
  }

  async release(): Promise<void> {
    for (const lock of this.#locks.values()) await lock.release();
  }
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
