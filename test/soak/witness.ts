import { readdir, readFile } from 'node:fs/promises';
import { EngineNews } from './engine-news.ts';
import { Sight, type SeenContainer } from './sight.ts';

const everyMs = 250;

/** What was seen of the orchestrator's own process over its lives. */
interface Appetite {
  readonly residentMb: number;
  readonly openFiles: number;
}

/** Watches a history from outside: the engine's news, its containers a few times a second, and the process. */
export class Witness {
  readonly news: EngineNews;
  readonly sight: Sight;
  /** Server -> the most copies that ran at one time. */
  readonly mostRunning = new Map<string, number>();
  /** Container -> server, of all that were ever seen. */
  readonly ours = new Map<string, string>();
  #most: Appetite = { residentMb: 0, openFiles: 0 };
  #pid: number | null = null;
  #timer: NodeJS.Timeout;
  #looking = false;
  #lastTrouble = '';
  readonly #owner: string;

  constructor(socket: string, owner: string) {
    this.#owner = owner;
    this.news = new EngineNews(socket);
    this.sight = new Sight(socket);
    this.#timer = setInterval(() => void this.#look(), everyMs);
  }

  /** Why it could not look the last time it could not. */
  get lastTrouble(): string {
    return this.#lastTrouble;
  }

  get appetite(): Appetite {
    return this.#most;
  }

  /** From now on this process is the orchestrator; null while there is none. */
  follow(pid: number | null): void {
    this.#pid = pid;
  }

  close(): void {
    clearInterval(this.#timer);
    this.news.close();
  }

  /** While the engine is away nothing is seen. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#weigh();
      this.#note(await this.sight.containers(this.#owner));
    } catch (error) {
      this.#lastTrouble = String(error);
    } finally {
      this.#looking = false;
    }
  }

  #note(containers: readonly SeenContainer[]): void {
    const running = new Map<string, number>();
    for (const { id, server, running: runs } of containers) {
      this.ours.set(id, server);
      if (runs) running.set(server, (running.get(server) ?? 0) + 1);
    }
    for (const [server, count] of running)
      this.mostRunning.set(server, Math.max(count, this.mostRunning.get(server) ?? 0));
  }

  /** One that ended while we looked weighs nothing. */
  async #weigh(): Promise<void> {
    if (this.#pid === null) return;
    const status = await readFile(`/proc/${this.#pid}/status`, 'utf8').catch(() => '');
    const files = await readdir(`/proc/${this.#pid}/fd`).catch(() => []);
    const residentMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
    this.#most = {
      residentMb: Math.max(this.#most.residentMb, residentMb),
      openFiles: Math.max(this.#most.openFiles, files.length),
    };
  }
}
