import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { Clock } from '../../lib/clock.ts';
import { Failure } from '../../model/failure.ts';
import { connectTo } from './connection.ts';
import type { EngineAddress } from './connection.ts';
import { fromDockerError } from './failures.ts';
import { agree } from './version.ts';
import type { EngineVersion } from './version.ts';

export interface ClientOptions extends EngineAddress {
  readonly clock: Clock;
  /** Most milliseconds for one answer; 30,000 by default. */
  readonly callMs?: number;
}

/** An open answer that goes on; `close` ends it and its connection. */
interface OpenStream {
  readonly body: Readable;
  close(): void;
}

type Call<T> = (docker: Docker) => Promise<T>;

const CALL_MS = 30_000;

/**
 * The one door to the engine. Each call has a connection of its own, which dies with it: dockerode leaves a promise
 * pending for ever when an answer is cut in its middle, and passes no abort signal in half of its methods.
 */
export class EngineClient {
  readonly #options: ClientOptions;
  #agreed: EngineVersion | null = null;
  #agreeing: Promise<EngineVersion> | null = null;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Rejects with a Failure by the deadline. `doing` completes "could not ...". */
  async ask<T>(doing: string, call: Call<T>, signal: AbortSignal, ms = this.#callMs): Promise<T> {
    const { ApiVersion } = await this.version(signal);
    return this.#attempt(doing, call, { signal, ms, version: `v${ApiVersion}` });
  }

  /** The same for an answer that goes on: the deadline is for its beginning. The caller closes it. */
  async open(
    doing: string,
    call: Call<NodeJS.ReadableStream>,
    signal: AbortSignal,
    ms = this.#callMs,
  ): Promise<OpenStream> {
    const { ApiVersion } = await this.version(signal);
    const { docker, close } = connectTo(this.#options, `v${ApiVersion}`);
    try {
      const body = await this.#settled(() => call(docker), { signal, ms });
      return { body: body as Readable, close };
    } catch (error) {
      close();
      throw this.#failure(doing, error);
    }
  }

  /** What was agreed upon with the engine: its newest API version that we know. Rejects with `engine_too_old` where there is none. */
  async version(signal: AbortSignal): Promise<EngineVersion> {
    if (this.#agreed !== null) return this.#agreed;
    const agreeing = (this.#agreeing ??= this.#negotiate());
    agreeing.catch(ignore); // each who waits for it hears of it
    try {
      this.#agreed = await this.#settled(() => agreeing, { signal, ms: this.#callMs });
      return this.#agreed;
    } catch (error) {
      throw this.#failure('agree with the engine on a version', error);
    }
  }

  /** The engine may be another one now: agree anew at the next call. */
  forgetVersion(): void {
    this.#agreed = null;
    this.#agreeing = null;
  }

  get #callMs(): number {
    return this.#options.callMs ?? CALL_MS;
  }

  /** For all who wait for it: nobody's signal ends it but its own deadline. */
  async #negotiate(): Promise<EngineVersion> {
    const call: Call<unknown> = (docker) => docker.version();
    const { signal } = new AbortController();
    return agree(await this.#attempt('ask the engine for its version', call, { signal, ms: this.#callMs }));
  }

  async #attempt<T>(doing: string, call: Call<T>, how: Attempt): Promise<T> {
    const { docker, close } = connectTo(this.#options, how.version);
    try {
      return readable(await this.#settled(() => call(docker), how));
    } catch (error) {
      throw this.#failure(doing, error);
    } finally {
      close();
    }
  }

  /**
   * Rejects with TOO_LATE when the time is over or the signal aborts first, and asks nothing once it has; leaves neither
   * timer nor listener behind.
   */
  async #settled<T>(ask: () => Promise<T>, { signal, ms }: Attempt): Promise<T> {
    if (signal.aborted) return tooLate();
    const over = new AbortController();
    const end = (): void => over.abort();
    setMaxListeners(0, signal); // one look asks many things at once
    signal.addEventListener('abort', end);
    const answer = ask();
    const deadline = this.#options.clock.sleep(ms, over.signal).then(tooLate);
    for (const second of [answer, deadline]) second.catch(ignore); // whoever comes second is heard by nobody
    return Promise.race([answer, deadline]).finally(() => {
      signal.removeEventListener('abort', end);
      end();
    });
  }

  #failure(doing: string, error: unknown): Failure {
    this.forgetVersion();
    return error === TOO_LATE
      ? new Failure('engine_timeout', `could not ${doing}: no whole answer in time`, {
          suggestedAction: 'look whether the Docker Engine is overloaded or hangs',
        })
      : fromDockerError(doing, error);
  }
}

interface Attempt {
  readonly signal: AbortSignal;
  readonly ms: number;
  readonly version?: string;
}

const TOO_LATE = Symbol('too late');

function tooLate(): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw TOO_LATE;
}

const ignore = (): void => undefined;

/** dockerode gives the bytes of an answer that is not JSON; an engine's are JSON or nothing. */
function readable<T>(answer: T): T {
  if (!Buffer.isBuffer(answer) || answer.length === 0) return answer;
  throw new Failure('engine_refused', `the answer is not an engine's: ${answer.toString('utf8', 0, 80)}`, {
    suggestedAction: 'look whether --docker leads to a Docker Engine',
  });
}
