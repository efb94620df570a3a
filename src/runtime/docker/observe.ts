import type { Clock } from '../../lib/clock.ts';
import { canonicalJson } from '../../lib/digest.ts';
import { Failure } from '../../model/failure.ts';
import type { Instance, Sighting, Stranger } from '../../model/observed.ts';
import { canBeAsked, readContainer, readRow } from './answers.ts';
import type { InspectedContainer, Row } from './answers.ts';
import type { EngineClient } from './client.ts';
import type { EngineFacts, EngineIdentity } from './engine-facts.ts';
import { isStatus } from './failures.ts';
import type { Images } from './images.ts';
import { ownerLabel, serverLabel } from './labels.ts';
import type { News } from './news.ts';
import { toInstance, unreadable } from './translate.ts';

interface ObserverOptions {
  readonly client: EngineClient;
  readonly images: Images;
  readonly identity: EngineIdentity;
  readonly news: News;
  readonly clock: Clock;
  readonly owner: string;
}

/** What was once inspected is believed this long at most, events or not: what nobody told of is seen within a minute. */
const BELIEVED_MS = 25_000;

/** Looks at the engine: one list call of everything, and inspections of what may have changed since the last look. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #inspected = new Map<string, Inspected>();

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  async look(references: readonly string[], signal: AbortSignal): Promise<Sighting> {
    const rows = await this.#list(signal);
    const ours = rows.filter((row) => this.#isOurs(row));
    const facts = await this.#options.identity.facts(signal);
    const [instances, images] = await Promise.all([
      Promise.all(ours.map((row) => this.#instance(row, facts, signal))),
      this.#options.images.present(references, signal),
    ]);
    this.#forgetAllBut(ours);
    return {
      engine: facts.engine,
      instances: instances.filter((each) => each !== null),
      images,
      strangers: rows.filter((row) => !this.#isOurs(row)).map(toStranger),
    };
  }

  /** Host ports that our containers, running or not, will want again. */
  portsOfOurs(): ReadonlySet<number> {
    const instances = [...this.#inspected.values()].map((each) => each.instance);
    return new Set(instances.map((each) => each.hostAddress?.port ?? 0));
  }

  /** One that has no id cannot be asked for anything, nor be touched: that is a stranger's. */
  #isOurs({ id, labels }: Row): boolean {
    return id !== '' && labels[ownerLabel] === this.#options.owner;
  }

  async #list(signal: AbortSignal): Promise<readonly Row[]> {
    const rows: unknown = await this.#options.client.ask(
      'list the containers',
      (docker) => docker.listContainers({ all: true }),
      signal,
    );
    if (Array.isArray(rows)) return rows.map(readRow);
    throw new Failure('engine_refused', 'could not list the containers: the answer is no list', {
      suggestedAction: 'look whether --docker leads to a Docker Engine',
    });
  }

  /** null: it went between the list and the look at it. What cannot be told anew is as it was while its row is. */
  async #instance(row: Row, facts: EngineFacts, signal: AbortSignal): Promise<Instance | null> {
    const seen = this.#asNow(row);
    const before = this.#inspected.get(row.id);
    if (before !== undefined && this.#isBelieved(before, seen)) return before.instance;
    const inspected = await this.#inspect(row, signal);
    if (inspected === 'gone') return null;
    if (inspected === 'unreadable') return before?.row === seen.row ? before.instance : unreadable(row);
    const image = await this.#options.images.defaults(inspected.imageId, signal);
    const lastEvent = this.#options.news.latestOf(row.id);
    const instance = { ...toInstance(inspected, { image, enforces: facts.enforces }), lastEvent };
    this.#inspected.set(row.id, { ...seen, instance });
    return instance;
  }

  /** Taken before the inspection: whatever happens during it counts as after it. */
  #asNow(row: Row): Seen {
    const { news, clock } = this.#options;
    return { row: canonicalJson(row.look), mark: news.mark, touches: news.touches(row.id), at: clock.now() };
  }

  #isBelieved(before: Seen, now: Seen): boolean {
    return (
      now.mark !== null &&
      before.mark === now.mark &&
      before.touches === now.touches &&
      before.row === now.row &&
      now.at - before.at < BELIEVED_MS
    );
  }

  /** One container of which the engine cannot tell is that one's trouble: all others are seen. */
  async #inspect(row: Row, signal: AbortSignal): Promise<InspectedContainer | 'gone' | 'unreadable'> {
    if (!canBeAsked(row.id)) return 'unreadable';
    const { client } = this.#options;
    const doing = `look at container ${row.id.slice(0, 12)}`;
    const answer: unknown = await client
      .ask(doing, (docker) => docker.getContainer(row.id).inspect().catch(goneIfAbsent), signal)
      .catch(unreadableIfRefused);
    if (answer === 'gone') return answer;
    const inspected = readContainer(answer);
    if (inspected?.id !== row.id) return 'unreadable';
    const labels = { ...row.labels, ...inspected.config.labels };
    return { ...inspected, config: { ...inspected.config, labels } };
  }

  #forgetAllBut(rows: readonly Row[]): void {
    const there = new Map(rows.map(({ id, labels }) => [id, labels[serverLabel] ?? '']));
    for (const id of this.#inspected.keys()) if (!there.has(id)) this.#inspected.delete(id);
    this.#options.news.know(there);
  }
}

interface Seen {
  readonly row: string;
  readonly mark: number | null;
  readonly touches: number;
  readonly at: number;
}

interface Inspected extends Seen {
  readonly instance: Instance;
}

/** Its server is the one whose name it bears: by label (another owner's), by form, or as it stands. */
function toStranger({ name, labels, hostPorts }: Row): Stranger {
  const server = labels[serverLabel] ?? /^(.+)-i-[0-9a-z]+$/.exec(name)?.[1] ?? name;
  return { name, server: server === '' ? null : server, hostPorts: [...new Set(hostPorts)] };
}

function goneIfAbsent(error: unknown): 'gone' {
  if (isStatus(error, 404)) return 'gone';
  throw error as Error;
}

function unreadableIfRefused(error: unknown): null {
  if (error instanceof Failure && error.code === 'engine_refused') return null;
  throw error as Error;
}
