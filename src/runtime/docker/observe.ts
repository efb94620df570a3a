import type Docker from 'dockerode';
import type { Clock } from '../../lib/clock.ts';
import { canonicalJson } from '../../lib/digest.ts';
import { Failure } from '../../model/failure.ts';
import type { Instance, Sighting, Stranger } from '../../model/observed.ts';
import type { EngineClient } from './client.ts';
import type { EngineFacts, EngineIdentity } from './engine-facts.ts';
import { isStatus } from './failures.ts';
import type { Images } from './images.ts';
import { ownerLabel, serverLabel } from './labels.ts';
import type { News } from './news.ts';
import { toInstance } from './translate.ts';

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

type Row = Docker.ContainerInfo;

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

  #isOurs(row: Row): boolean {
    return row.Labels[ownerLabel] === this.#options.owner;
  }

  async #list(signal: AbortSignal): Promise<readonly Row[]> {
    const rows: unknown = await this.#options.client.ask(
      'list the containers',
      (docker) => docker.listContainers({ all: true }),
      signal,
    );
    if (Array.isArray(rows)) return (rows as Row[]).map(withoutNulls);
    throw new Failure('engine_refused', 'could not list the containers: the answer is no list', {
      suggestedAction: 'look whether --docker leads to a Docker Engine',
    });
  }

  /** null: it went between the list and the look at it. */
  async #instance(row: Row, facts: EngineFacts, signal: AbortSignal): Promise<Instance | null> {
    const seen = this.#asNow(row);
    const before = this.#inspected.get(row.Id);
    if (before !== undefined && this.#isBelieved(before, seen)) return before.instance;
    const inspected = await this.#inspect(row.Id, signal);
    if (inspected === null) return null;
    const image = await this.#options.images.defaults(inspected.Image, signal);
    const instance = toInstance(inspected, { image, enforces: facts.enforces });
    this.#inspected.set(row.Id, { ...seen, instance });
    return instance;
  }

  /** Taken before the inspection: whatever happens during it counts as after it. */
  #asNow(row: Row): Seen {
    const { news, clock } = this.#options;
    return { row: fingerprint(row), mark: news.mark, touches: news.touches(row.Id), at: clock.now() };
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

  #inspect(id: string, signal: AbortSignal): Promise<Docker.ContainerInspectInfo | null> {
    return this.#options.client.ask(
      `look at container ${id.slice(0, 12)}`,
      (docker) => docker.getContainer(id).inspect().catch(nullIfGone),
      signal,
    );
  }

  #forgetAllBut(rows: readonly Row[]): void {
    const there = new Map(rows.map((row) => [row.Id, row.Labels[serverLabel] ?? '']));
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

/** What is empty, some engines leave out. */
const withoutNulls = (row: Row): Row => ({
  ...row,
  Labels: row.Labels ?? {},
  Ports: row.Ports ?? [],
  Names: row.Names ?? [],
});

/** What of a row changes only when the container does; `Up 3 minutes` is not of it. */
function fingerprint(row: Row): string {
  const health = /\(([a-z: ]+)\)/.exec(row.Status)?.[1];
  return canonicalJson([row.State, row.Names, row.Image, row.NetworkSettings, health]);
}

/** Its server is the one whose name it bears: by label (another owner's), by form, or as it stands. */
function toStranger(row: Row): Stranger {
  const name = (row.Names[0] ?? '').replace(/^\//, '');
  const server = row.Labels[serverLabel] ?? /^(.+)-i-[0-9a-z]+$/.exec(name)?.[1] ?? name;
  const hostPorts = row.Ports.map((port) => (port as { PublicPort?: number }).PublicPort).filter(isPort);
  return { name, server: server === '' ? null : server, hostPorts: [...new Set(hostPorts)] };
}

const isPort = (port: number | undefined): port is number => port !== undefined;

function nullIfGone(error: unknown): null {
  if (isStatus(error, 404)) return null;
  throw error as Error;
}
