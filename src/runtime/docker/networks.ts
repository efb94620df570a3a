import { Failure } from '../../model/failure.ts';
import type { Instance } from '../../model/observed.ts';
import type { Spec } from '../../model/spec.ts';
import { loose, readContainer } from './answers.ts';
import type { InspectedContainer } from './answers.ts';
import type { EngineClient } from './client.ts';
import { isStatus } from './failures.ts';
import { ourLabels } from './labels.ts';
import { isJoined, LIVE_NETWORK, NETWORK, networksOf } from './names.ts';

/** The two networks that are ours to make, and who is on them. Others are never made. */
export class Networks {
  readonly #client: EngineClient;
  readonly #owner: string;
  /** By name: many first instances begin at once, and an engine lets two networks have one name. */
  readonly #making = new Map<string, Promise<string>>();

  constructor(client: EngineClient, owner: string) {
    this.#client = client;
    this.#owner = owner;
  }

  /**
   * Rejects with `network_missing` when one that is not ours to make is not there, `network_ambiguous` when a name stands
   * for two, `container_rejected` for one that must never be used.
   */
  async ensureFor(spec: Spec, signal: AbortSignal): Promise<void> {
    await this.admit(spec, signal);
    await this.#ensure(NETWORK, signal);
  }

  /** The same without making any: whether a container of this spec could be on all its networks, and go live. */
  async admit(spec: Spec, signal: AbortSignal): Promise<void> {
    const others = othersOf(spec);
    others.forEach(refuseForbidden);
    const known = await this.#known(signal);
    for (const network of [NETWORK, LIVE_NETWORK]) theOnly(network, known);
    for (const network of others) existing(network, known);
  }

  /** Beside `mcp-network`, which a container is on from its creation. Before it starts, so that nothing is in flight. */
  async joinOthers(spec: Spec, container: string, signal: AbortSignal): Promise<void> {
    const others = othersOf(spec);
    const known = others.length === 0 ? noNetworks : await this.#known(signal);
    for (const network of others) {
      const to = { network, id: existing(network, known) };
      await this.#connect(to, { Container: container }, signal);
    }
  }

  async joinLive(instance: Instance, signal: AbortSignal): Promise<void> {
    const inspected = await this.#inspect(instance, signal);
    if (isJoined(inspected, instance.server)) return;
    const to = { network: LIVE_NETWORK, id: await this.#ensure(LIVE_NETWORK, signal) };
    await this.#disconnect(inspected, instance, signal);
    const endpoint = { Container: instance.id, EndpointConfig: { Aliases: [instance.server] } };
    await this.#connect(to, endpoint, signal);
  }

  async leaveLive(instance: Instance, signal: AbortSignal): Promise<void> {
    const inspected = await this.#inspect(instance, signal).catch(nullIfGone);
    if (inspected !== null) await this.#disconnect(inspected, instance, signal);
  }

  async #inspect(instance: Instance, signal: AbortSignal): Promise<InspectedContainer> {
    const answer: unknown = await this.#client.ask(
      `look at ${instance.name}`,
      (docker) => docker.getContainer(instance.id).inspect(),
      signal,
    );
    const inspected = readContainer(answer);
    if (inspected !== null) return inspected;
    throw new Failure('engine_refused', `what the engine says of ${instance.name} cannot be read`, {
      suggestedAction: `see what docker inspect ${instance.name} says`,
    });
  }

  /** Its id. */
  #ensure(network: string, signal: AbortSignal): Promise<string> {
    const begun = this.#making.get(network);
    if (begun !== undefined) return begun;
    const making = this.#make(network, signal).finally(() => this.#making.delete(network));
    this.#making.set(network, making);
    return making;
  }

  async #make(network: string, signal: AbortSignal): Promise<string> {
    const found = theOnly(network, await this.#known(signal));
    if (found !== null) return found;
    const options = {
      Name: network,
      CheckDuplicate: true,
      Driver: 'bridge',
      Internal: network === LIVE_NETWORK,
      Labels: { ...ourLabels(this.#owner) },
    };
    const made = await this.#client.ask(
      `create network ${network}`,
      (docker) => docker.createNetwork(options).catch(nullIfThere),
      signal,
    );
    return made?.id ?? existing(network, await this.#known(signal));
  }

  /** The engine takes the beginning of an id for a name: whatever it is told to do to a network, it is told by the whole id. */
  async #known(signal: AbortSignal): Promise<Known> {
    const found: unknown = await this.#client.ask(
      'list the networks',
      (docker) => docker.listNetworks(),
      signal,
    );
    const known = new Map<string, string[]>();
    for (const { Name, Id } of Array.isArray(found) ? found.filter(isNetwork) : [])
      known.set(Name, [...(known.get(Name) ?? []), Id]);
    return known;
  }

  async #connect(
    { network, id }: { readonly network: string; readonly id: string },
    endpoint: { Container: string },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#client.ask(
      `join network ${network}`,
      (docker) => docker.getNetwork(id).connect(endpoint).catch(nullIfThere),
      signal,
    );
  }

  /** Off the very network it is on, whatever else bears the name by now. */
  async #disconnect(
    { networks }: InspectedContainer,
    instance: Instance,
    signal: AbortSignal,
  ): Promise<void> {
    const endpoint = networks.get(LIVE_NETWORK);
    if (endpoint === undefined) return;
    await this.#client.ask(
      `take ${instance.name} off network ${LIVE_NETWORK}`,
      (docker) => docker.getNetwork(endpoint.id || LIVE_NETWORK).disconnect({ Container: instance.id }),
      signal,
    );
  }
}

/** Ids by name. */
type Known = ReadonlyMap<string, readonly string[]>;

const noNetworks: Known = new Map();

function isNetwork(found: unknown): found is { readonly Name: string; readonly Id: string } {
  const { Name, Id } = loose(found);
  return typeof Name === 'string' && typeof Id === 'string';
}

const othersOf = (spec: Spec): readonly string[] => networksOf(spec).filter((network) => network !== NETWORK);

/** Its id; null: it is not there. */
function theOnly(network: string, known: Known): string | null {
  const [id = null, ...others] = known.get(network) ?? [];
  if (id === null || others.length === 0) return id;
  const ids = [id, ...others].map((each) => each.slice(0, 12)).join(', ');
  throw new Failure('network_ambiguous', `more than one network is named ${network}: ${ids}`, {
    suggestedAction: `remove all but one: docker network inspect <id> shows who is on it, docker network rm <id> removes it`,
  });
}

function existing(network: string, known: Known): string {
  const id = theOnly(network, known);
  if (id !== null) return id;
  throw new Failure('network_missing', `there is no network ${network}`, {
    suggestedAction: `create it (docker network create ${network}), or take it out of docker.networks`,
  });
}

/** Policy refuses these long before; whatever comes, nothing gets the host's network, nor goes live unasked. */
function refuseForbidden(network: string): void {
  if (!['host', 'none', LIVE_NETWORK].includes(network) && !network.startsWith('container:')) return;
  throw new Failure('container_rejected', `network ${network} is not for servers`, {
    class: 'version',
    suggestedAction: 'take it out of docker.networks',
  });
}

function nullIfGone(error: unknown): null {
  if (error instanceof Failure && error.code === 'not_found') return null;
  throw error as Error;
}

/** Somebody else made it, or joined it, in the same moment. */
function nullIfThere(error: unknown): null {
  if (isStatus(error, 409) || (isStatus(error, 403) && /already exists/.test(String(error)))) return null;
  throw error as Error;
}
