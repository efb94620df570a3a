import type Docker from 'dockerode';
import type { Sighting } from '../../model/observed.ts';
import { loose, readInfo, text } from './answers.ts';
import type { EngineInfo } from './answers.ts';
import type { EngineClient } from './client.ts';
import { isStatus } from './failures.ts';
import type { News } from './news.ts';

export interface EngineFacts {
  readonly engine: Sighting['engine'];
  readonly enforces: EngineInfo['limits'];
}

/** Who the engine is and when it started. Asked again only when events may have been missed. */
export class EngineIdentity {
  readonly #client: EngineClient;
  readonly #news: News;
  #known: { readonly mark: number; readonly facts: EngineFacts } | null = null;

  constructor(client: EngineClient, news: News) {
    this.#client = client;
    this.#news = news;
  }

  async facts(signal: AbortSignal): Promise<EngineFacts> {
    const { mark } = this.#news;
    if (this.#known !== null && this.#known.mark === mark) return this.#known.facts;
    const facts = await this.#ask(signal);
    this.#known = mark === null ? null : { mark, facts };
    return facts;
  }

  async #ask(signal: AbortSignal): Promise<EngineFacts> {
    const [info, startedAt] = await Promise.all([
      this.#client.ask('ask the engine who it is', (docker): Promise<unknown> => docker.info(), signal),
      this.#client.ask('ask when the engine started', bridgeCreated, signal),
    ]);
    const version = (await this.#client.version(signal)).Version;
    const { id, limits } = readInfo(info);
    return { engine: { id, startedAt, version }, enforces: limits };
  }
}

/** The engine makes its network `bridge` anew at each start; 0 where it has none. */
async function bridgeCreated(docker: Docker): Promise<number> {
  const bridge: unknown = await docker.getNetwork('bridge').inspect().catch(nullIfAbsent);
  return Date.parse(text(loose(bridge)['Created'])) || 0;
}

function nullIfAbsent(error: unknown): null {
  if (isStatus(error, 404)) return null;
  throw error as Error;
}
