import { askEngine } from '../../examples/engine/engine-call.ts';

const label = 'io.liminalcommons.mcp-orchestration';

/** A container as the engine has it. */
export interface SeenContainer {
  readonly id: string;
  readonly name: string;
  readonly server: string;
  readonly running: boolean;
  /** On the network of those that answer. */
  readonly joined: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly imageId: string;
  /** Loopback port that is published; null when it does not run. */
  readonly port: number | null;
}

interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly ImageID: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Ports: readonly { readonly PublicPort?: number }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
}

/** Reads what an engine has, by its own API: no code of the orchestrator takes part. */
export class Sight {
  readonly #socket: string;
  readonly #environments = new Map<string, Readonly<Record<string, string>>>();

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** The containers of an owner, those that do not run too. Rejects while the engine is away. */
  async containers(owner: string): Promise<SeenContainer[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`${label}.owner=${owner}`] }));
    const rows = await this.#ask<readonly Row[]>(`/containers/json?all=1&filters=${filters}`);
    const seen = await Promise.all(rows.map((row) => this.#seen(row)));
    return seen.filter((one) => one !== null);
  }

  /** `repository@digest` of every image whose name begins so, and its id. */
  async images(prefix: string): Promise<{ readonly name: string; readonly id: string }[]> {
    const all =
      await this.#ask<readonly { readonly Id: string; readonly RepoDigests: readonly string[] | null }[]>(
        '/images/json',
      );
    return all.flatMap(({ Id, RepoDigests }) =>
      (RepoDigests ?? []).filter((name) => name.startsWith(prefix)).map((name) => ({ name, id: Id })),
    );
  }

  /** Volumes without a name of their own that no container has. */
  async lostVolumes(): Promise<string[]> {
    const filters = encodeURIComponent(JSON.stringify({ dangling: ['true'] }));
    const { Volumes } = await this.#ask<{ readonly Volumes: readonly { readonly Name: string }[] | null }>(
      `/volumes?filters=${filters}`,
    );
    return (Volumes ?? []).map(({ Name }) => Name).filter((name) => /^[0-9a-f]{64}$/.test(name));
  }

  /** One that went while we looked is not there. */
  async #seen(row: Row): Promise<SeenContainer | null> {
    const env = await this.#environment(row.Id);
    if (env === null) return null;
    return {
      ...{ id: row.Id, name: (row.Names[0] ?? '').slice(1), env, imageId: row.ImageID },
      server: row.Labels[`${label}.server`] ?? '',
      running: row.State === 'running',
      joined: 'mcp-network-live' in row.NetworkSettings.Networks,
      port: row.Ports.find(({ PublicPort }) => PublicPort !== undefined)?.PublicPort ?? null,
    };
  }

  async #environment(id: string): Promise<Readonly<Record<string, string>> | null> {
    const known = this.#environments.get(id);
    if (known !== undefined) return known;
    const inspected = await this.#ask<{ readonly Config: { readonly Env: readonly string[] | null } }>(
      `/containers/${id}/json`,
    ).catch((error: unknown) => {
      if (String(error).includes('404')) return null;
      throw error;
    });
    if (inspected === null) return null;
    const env = Object.fromEntries((inspected.Config.Env ?? []).map(pair));
    this.#environments.set(id, env);
    return env;
  }

  async #ask<T>(path: string): Promise<T> {
    return JSON.parse((await askEngine(this.#socket, path)).text) as T;
  }
}

const pair = (assignment: string): [name: string, value: string] => {
  const at = assignment.indexOf('=');
  return [assignment.slice(0, at), assignment.slice(at + 1)];
};
