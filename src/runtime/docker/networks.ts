import type Docker from 'dockerode';
import { Failure } from '../../model/failure.ts';
import type { Instance } from '../../model/observed.ts';
import type { Spec } from '../../model/spec.ts';
import type { EngineClient } from './client.ts';
import { isStatus } from './failures.ts';
import { ourLabels } from './labels.ts';
import { aliases, isJoined, LIVE_NETWORK, NETWORK, networksOf } from './names.ts';

/** The two networks that are ours to make, and who is on them. Others are never made. */
export class Networks {
  readonly #client: EngineClient;
  readonly #owner: string;
  /** By name: many first instances begin at once, and an engine lets two networks have one name. */
  readonly #making = new Map<string, Promise<void>>();

  constructor(client: EngineClient, owner: string) {
    this.#client = client;
    this.#owner = owner;
  }

  /** Rejects with `network_missing` when one that is not ours to make is not there, `container_rejected` for one that must never be used. */
  async ensureFor(spec: Spec, signal: AbortSignal): Promise<void> {
    const others = networksOf(spec).filter((network) => network !== NETWORK);
    others.forEach(refuseForbidden);
    await this.#ensure(NETWORK, signal);
    await Promise.all(others.map((network) => this.#mustExist(network, signal)));
  }

  /** Beside `mcp-network`, which a container is on from its creation. Before it starts, so that nothing is in flight. */
  async joinOthers(spec: Spec, container: string, signal: AbortSignal): Promise<void> {
    for (const network of networksOf(spec).filter((each) => each !== NETWORK)) {
      await this.#connect(network, { Container: container }, signal);
    }
  }

  async joinLive(instance: Instance, signal: AbortSignal): Promise<void> {
    const inspected = await this.#inspect(instance, signal);
    if (isJoined(inspected, instance.server)) return;
    await this.#ensure(LIVE_NETWORK, signal);
    if (aliases(inspected, LIVE_NETWORK) !== null) await this.#disconnect(instance, signal);
    const endpoint = { Container: instance.id, EndpointConfig: { Aliases: [instance.server] } };
    await this.#connect(LIVE_NETWORK, endpoint, signal);
  }

  async leaveLive(instance: Instance, signal: AbortSignal): Promise<void> {
    const inspected = await this.#inspect(instance, signal).catch(nullIfGone);
    if (inspected === null || aliases(inspected, LIVE_NETWORK) === null) return;
    await this.#disconnect(instance, signal);
  }

  #inspect(instance: Instance, signal: AbortSignal): Promise<Docker.ContainerInspectInfo> {
    return this.#client.ask(
      `look at ${instance.name}`,
      (docker) => docker.getContainer(instance.id).inspect(),
      signal,
    );
  }

  #ensure(network: string, signal: AbortSignal): Promise<void> {
    const begun = this.#making.get(network);
    if (begun !== undefined) return begun;
    const making = this.#make(network, signal).finally(() => this.#making.delete(network));
    this.#making.set(network, making);
    return making;
  }

  async #make(network: string, signal: AbortSignal): Promise<void> {
    if (await this.#exists(network, signal)) return;
    const options = {
      Name: network,
      CheckDuplicate: true,
      Driver: 'bridge',
      Internal: network === LIVE_NETWORK,
      Labels: { ...ourLabels(this.#owner) },
    };
    await this.#client.ask(
      `create network ${network}`,
      (docker) => docker.createNetwork(options).catch(nullIfThere),
      signal,
    );
  }

  async #mustExist(network: string, signal: AbortSignal): Promise<void> {
    if (await this.#exists(network, signal)) return;
    throw new Failure('network_missing', `there is no network ${network}`, {
      suggestedAction: `create it (docker network create ${network}), or take it out of docker.networks`,
    });
  }

  #exists(network: string, signal: AbortSignal): Promise<boolean> {
    const inspect = (docker: Docker): Promise<boolean> =>
      docker
        .getNetwork(network)
        .inspect()
        .then(() => true, falseIfAbsent);
    return this.#client.ask(`look for network ${network}`, inspect, signal);
  }

  async #connect(network: string, endpoint: { Container: string }, signal: AbortSignal): Promise<void> {
    await this.#client.ask(
      `join network ${network}`,
      (docker) => docker.getNetwork(network).connect(endpoint).catch(nullIfThere),
      signal,
    );
  }

  async #disconnect(instance: Instance, signal: AbortSignal): Promise<void> {
    await this.#client.ask(
      `take ${instance.name} off network ${LIVE_NETWORK}`,
      (docker) => docker.getNetwork(LIVE_NETWORK).disconnect({ Container: instance.id }),
      signal,
    );
  }
}

/** Policy refuses these long before; whatever comes, nothing gets the host's network, nor goes live unasked. */
function refuseForbidden(network: string): void {
  if (!['host', 'none', LIVE_NETWORK].includes(network) && !network.startsWith('container:')) return;
  throw new Failure('container_rejected', `network ${network} is not for servers`, {
    class: 'version',
    suggestedAction: 'take it out of docker.networks',
  });
}

function falseIfAbsent(error: unknown): boolean {
  if (isStatus(error, 404)) return false;
  throw error as Error;
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
