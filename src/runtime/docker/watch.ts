import type { Clock } from '../../lib/clock.ts';
import type { RuntimeHint } from '../runtime.ts';
import type { EngineClient } from './client.ts';
import { eventFilters, readEvent, takeIn } from './events.ts';
import { fromDockerError } from './failures.ts';
import { ndjson } from './ndjson.ts';
import type { News } from './news.ts';

interface WatchOptions {
  readonly client: EngineClient;
  readonly news: News;
  readonly clock: Clock;
  readonly owner: string;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** Asked for again after a break, since times lose their last digits on the way; what came before is left out by its key. */
const OVERLAP_MS = 1;
const KEYS_KEPT = 200;

/** Follows the engine's events until its signal aborts; a break is told once, then tried to mend for ever. */
export class Watching {
  readonly #options: WatchOptions;
  readonly #hint: (hint: RuntimeHint) => void;
  readonly #seen: string[] = [];
  #lastAt: number | null = null;
  #broken = false;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(options: WatchOptions, hint: (hint: RuntimeHint) => void) {
    this.#options = options;
    this.#hint = hint;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#follow(signal).catch((error: unknown) => this.#breakOff(error));
      if (signal.aborted) break;
      this.#breakOff('the engine ended its events');
      await this.#options.clock.sleep(this.#pauseMs, signal);
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    }
    this.#options.news.disconnected();
  }

  /** The engine may have been replaced by a newer one, so the version is agreed upon anew. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    client.forgetVersion();
    const wanted = { filters: JSON.stringify(eventFilters), ...this.#since() };
    const stream = await client.open('follow its events', (docker) => docker.getEvents(wanted), signal);
    try {
      this.#begin();
      const unreadable = (): void => this.#missed();
      for await (const raw of ndjson(stream.body, { clock, signal, unreadable })) this.#take(raw);
    } finally {
      stream.close();
    }
  }

  #since(): { readonly since?: number } {
    return this.#lastAt === null ? {} : { since: (this.#lastAt - OVERLAP_MS) / 1000 };
  }

  #begin(): void {
    this.#broken = false;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#options.news.connected();
    this.#hint({ kind: 'connected' });
  }

  /** It may have been about anything: all is asked for anew. */
  #missed(): void {
    this.#options.news.connected();
    this.#hint({ kind: 'look', server: null, what: 'unreadable' });
  }

  #take(raw: unknown): void {
    const event = readEvent(raw);
    if (event === null || this.#seen.includes(event.key)) return;
    this.#seen.push(event.key);
    if (this.#seen.length > KEYS_KEPT) this.#seen.shift();
    this.#lastAt = event.at;
    for (const hint of takeIn(event, this.#options.news, this.#options.owner)) this.#hint(hint);
  }

  #breakOff(error: unknown): void {
    this.#options.news.disconnected();
    if (this.#broken) return;
    this.#broken = true;
    const why =
      typeof error === 'string' ? error : fromDockerError('follow the events of the engine', error).message;
    this.#hint({ kind: 'disconnected', error: why });
  }
}
