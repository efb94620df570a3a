import { askEngine, callEngine } from '../../examples/engine/engine-call.ts';
import { removeAllOf } from '../../examples/stage/containers.ts';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { testServerImage } from '../support/test-server-image.ts';

/** What somebody else has on the engine: a container, a network and a volume, named almost as ours are. */
export interface Neighbour {
  readonly container: string;
  /** Unix ms; what was done to it before was done by its maker. */
  readonly madeAt: number;
  /** What of it is gone or another one; empty when all is as it was made. */
  changed(): Promise<string[]>;
  remove(): Promise<void>;
}

/** Makes it before a history begins. `restart` is the engine's own, so that it outlives an engine that restarts. */
export async function neighbourOf(engine: OpenedEngine, server: string): Promise<Neighbour> {
  const { socket } = engine.docker;
  const image = await testServerImage(engine);
  const post = async (path: string, body: object): Promise<string> =>
    (await askEngine(socket, path, { method: 'POST', body: JSON.stringify(body), deadlineMs: 60_000 })).text;
  const named = { Name: `${server}-theirs` };
  await post('/volumes/create', named);
  await post('/networks/create', named);
  const host = {
    RestartPolicy: { Name: 'always' },
    Binds: [`${named.Name}:/theirs`],
    NetworkMode: named.Name,
  };
  const made = await post(`/containers/create?name=${named.Name}`, { Image: image, HostConfig: host });
  const { Id } = JSON.parse(made) as { readonly Id: string };
  await post(`/containers/${Id}/start`, {});
  const things = [`/containers/${Id}/json`, `/volumes/${named.Name}`, `/networks/${named.Name}`];
  return {
    container: Id,
    madeAt: Date.now(),
    async changed() {
      const answers = await Promise.all(things.map(async (path) => callEngine(socket, path)));
      return things
        .filter((_, position) => answers[position]?.status !== 200)
        .map((path) => `${path} is gone`);
    },
    async remove() {
      await callEngine(socket, `/containers/${Id}?force=1&v=1`, { method: 'DELETE', deadlineMs: 30_000 });
      for (const path of things.slice(1)) await callEngine(socket, path, { method: 'DELETE' });
    },
  };
}

/** Takes away all that a history made: containers, named volumes of its servers, and images of its repository. */
export async function clearAway(
  engine: OpenedEngine,
  {
    owner,
    image,
    servers,
  }: { readonly owner: string; readonly image: string; readonly servers: readonly string[] },
): Promise<void> {
  const { socket } = engine.docker;
  await removeAllOf(engine, owner);
  for (const server of servers) await callEngine(socket, `/volumes/${server}_data`, { method: 'DELETE' });
  const { text } = await askEngine(socket, '/images/json');
  const images = JSON.parse(text) as readonly {
    readonly Id: string;
    readonly RepoTags: readonly string[] | null;
  }[];
  for (const { Id, RepoTags } of images)
    if (RepoTags?.some((tag) => tag.includes(`/${image}:`)) === true)
      await callEngine(socket, `/images/${Id}?force=1`, { method: 'DELETE' });
}
