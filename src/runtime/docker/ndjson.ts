import type { Readable } from 'node:stream';
import { Failure } from '../../model/failure.ts';
import type { Clock } from '../../lib/clock.ts';

interface NdjsonOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Most milliseconds between two pieces; absent: silence is no fault. */
  readonly stallMs?: number;
  /** Told of a line that is not JSON, which is then passed over; absent: it is a Failure. */
  readonly unreadable?: () => void;
}

/** Longest line that is believed; what is longer is no message of an engine. */
const LONGEST_LINE = 1024 * 1024;

/**
 * JSON values, one a line. Pieces are not lines, and characters may be cut in two. Throws a Failure for a line that is not
 * JSON and when it stalls, the stream's own error when it is cut; ends when the signal aborts.
 */
export async function* ndjson(body: Readable, options: NdjsonOptions): AsyncGenerator<unknown> {
  const watch = new Watch(body, options);
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      watch.heard();
      const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE)
        throw new Failure('engine_refused', 'the engine sent a line without end');
      yield* lines.flatMap((line) => valuesOf(line, options));
    }
    yield* valuesOf(rest, options);
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    watch.end();
  }
}

function valuesOf(line: string, { unreadable }: NdjsonOptions): unknown[] {
  if (line.trim() === '') return [];
  try {
    return [JSON.parse(line)];
  } catch (cause) {
    if (unreadable === undefined)
      throw new Failure('engine_refused', `the engine sent what is not JSON: ${line.slice(0, 80)}`, {
        cause,
      });
    unreadable();
    return [];
  }
}

/** Destroys a stream that is silent for too long, or when the signal aborts. */
class Watch {
  readonly #options: NdjsonOptions;
  readonly #ended = new AbortController();
  readonly #abort: () => void;
  #heardAt: number;

  constructor(body: Readable, options: NdjsonOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#abort = () => body.destroy();
    options.signal.addEventListener('abort', this.#abort);
    if (options.signal.aborted) this.#abort();
    if (options.stallMs !== undefined) void this.#watch(body, options.stallMs);
  }

  heard(): void {
    this.#heardAt = this.#options.clock.now();
  }

  end(): void {
    this.#ended.abort();
    this.#options.signal.removeEventListener('abort', this.#abort);
  }

  async #watch(body: Readable, stallMs: number): Promise<void> {
    const { clock } = this.#options;
    while (!this.#ended.signal.aborted) {
      await clock.sleep(this.#heardAt + stallMs - clock.now(), this.#ended.signal);
      if (clock.now() - this.#heardAt < stallMs) continue;
      body.destroy(new Failure('engine_timeout', `nothing came for ${stallMs / 1000} s`));
      return;
    }
  }
}
