import { request, type ClientRequest } from 'node:http';

export interface ContainerNews {
  readonly id: string;
  /** `create`, `die`, `destroy`, `network connect`... */
  readonly action: string;
  /** Unix ms, by the engine. */
  readonly at: number;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Line {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly timeNano: number;
}

const againAfterMs = 300;

/** What an engine tells of all its containers, from now on. An engine that went away is listened to again, without a gap. */
export class EngineNews {
  readonly heard: ContainerNews[] = [];
  readonly #socket: string;
  readonly #known = new Set<string>();
  #lastMs = Date.now();
  #asked: ClientRequest | null = null;
  #closed = false;

  constructor(socket: string) {
    this.#socket = socket;
    this.#listen();
  }

  close(): void {
    this.#closed = true;
    this.#asked?.destroy();
  }

  #listen(): void {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'] }));
    const path = `/events?since=${Math.floor(this.#lastMs / 1_000)}&filters=${filters}`;
    this.#asked = request({ socketPath: this.#socket, path }, (answer) => {
      let rest = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        const lines = (rest + part).split('\n');
        rest = lines.pop() ?? '';
        lines.filter((line) => line !== '').forEach((line) => this.#hear(line));
      });
      answer.on('error', () => undefined).on('close', () => this.#again());
    });
    this.#asked.on('error', () => this.#again()).end();
  }

  #again(): void {
    if (!this.#closed) setTimeout(() => !this.#closed && this.#listen(), againAfterMs).unref();
  }

  /** What was told before is told again, as `since` knows whole seconds only. */
  #hear(text: string): void {
    if (this.#known.has(text)) return;
    this.#known.add(text);
    const { Action, Actor, timeNano } = JSON.parse(text) as Line;
    this.#lastMs = Math.floor(timeNano / 1e6);
    this.heard.push({ id: Actor.ID, action: Action, at: this.#lastMs, attributes: Actor.Attributes });
  }
}
