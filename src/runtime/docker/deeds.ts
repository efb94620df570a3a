import type Docker from 'dockerode';
import { Failure } from '../../model/failure.ts';
import type { Address, Instance } from '../../model/observed.ts';
import type { Spec } from '../../model/spec.ts';
import type { Birth } from '../runtime.ts';
import { loose, readContainer } from './answers.ts';
import type { InspectedContainer } from './answers.ts';
import type { EngineClient } from './client.ts';
import { GRACE_SECONDS, toCreateOptions } from './create-options.ts';
import { isStatus } from './failures.ts';
import type { Checked, HostPaths } from './host-paths.ts';
import type { Images } from './images.ts';
import { digestLabel, ownerLabel } from './labels.ts';
import { nameOf } from './names.ts';
import type { Networks } from './networks.ts';
import type { News } from './news.ts';
import { admitPort } from './host-ports.ts';
import type { Ports } from './ports.ts';
import type { Volumes } from './volumes.ts';

interface DeedsOptions {
  readonly client: EngineClient;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly hostPaths: HostPaths;
  readonly ports: Ports;
  readonly news: News;
  readonly owner: string;
  readonly publishAddress: string;
  readonly address: string;
  /** Host ports that no new container may get. */
  readonly takenPorts: () => ReadonlySet<number>;
}

/** What was found out before a container is made. */
interface Found {
  readonly image: string;
  readonly paths: Checked;
}

/** Tries with another free port when somebody was quicker. */
const PORT_TRIES = 3;
/** On top of the grace, for an engine that is slow to kill. */
const STOP_MS = (GRACE_SECONDS + 20) * 1000;

/** What is done to containers. Every deed may be repeated. */
export class Deeds {
  readonly #options: DeedsOptions;

  constructor(options: DeedsOptions) {
    this.#options = options;
  }

  async admit(spec: Spec, ownVolumes: readonly string[], signal: AbortSignal): Promise<void> {
    const { networks, volumes, hostPaths } = this.#options;
    await networks.admit(spec, signal);
    await volumes.admit(spec, ownVolumes, signal);
    await hostPaths.check(spec, signal);
    await admitPort(this.#options, spec, signal);
  }

  create(birth: Birth, signal: AbortSignal): Promise<{ readonly id: string }> {
    return this.#options.hostPaths.alone(birth.spec, () => this.#create(birth, signal));
  }

  /** Starting what runs is nothing. */
  start(instance: Instance, signal: AbortSignal): Promise<void> {
    return this.#guarded(instance, () => this.#start(instance.id, instance.name, signal), signal);
  }

  restart(instance: Instance, signal: AbortSignal): Promise<void> {
    const restart = (it: Docker.Container): Promise<unknown> => it.restart({ t: GRACE_SECONDS });
    const deed = (): Promise<void> => {
      this.#options.news.weStop(instance);
      return this.#do(instance.id, `restart ${instance.name}`, restart, signal);
    };
    return this.#guarded(instance, deed, signal);
  }

  /** Stopping what has stopped or is gone is nothing. */
  async stop(instance: Instance, signal: AbortSignal): Promise<void> {
    const { news } = this.#options;
    news.weStop(instance);
    const stop = (it: Docker.Container): Promise<unknown> =>
      it.stop({ t: GRACE_SECONDS }).catch((error: unknown) => {
        unless(304, 404)(error);
        news.ended(instance.id);
      });
    await this.#do(instance.id, `stop ${instance.name}`, stop, signal);
  }

  /** What still runs is asked to end first: nobody is killed before its grace is over. */
  async remove(instance: Instance, signal: AbortSignal): Promise<void> {
    if (instance.state === 'running') await this.stop(instance, signal);
    await this.#remove(instance.id, instance.name, signal);
  }

  async #create(birth: Birth, signal: AbortSignal): Promise<{ readonly id: string }> {
    const running = await this.#clearName(birth, signal);
    if (running !== null) return { id: running };
    const { images, networks, volumes, hostPaths } = this.#options;
    const image = await images.runnable(birth.spec, signal);
    await networks.ensureFor(birth.spec, signal);
    await volumes.ensureFor(birth.spec, birth.ownVolumes ?? [], signal);
    const paths = await hostPaths.check(birth.spec, signal);
    return { id: await this.#bear(birth, { image, paths }, signal) };
  }

  /** The engine follows links anew at each start: one that got another path than was looked at is ended at once. */
  #guarded({ id, name, spec }: Instance, deed: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { hostPaths } = this.#options;
    return hostPaths.alone(spec, async () => {
      const paths = await hostPaths.check(spec, signal);
      await deed();
      await hostPaths.verify({ container: id, spec }, paths, signal).catch(async (error: unknown) => {
        await this.#do(id, `kill ${name}`, (it) => it.kill().catch(unless(404, 409)), signal);
        throw error;
      });
    });
  }

  /** What an earlier try left under the name: the id of what is whole and runs, else it is removed. */
  async #clearName(birth: Birth, signal: AbortSignal): Promise<string | null> {
    const name = nameOf(birth.spec, birth.instance);
    const found = await this.#find(name, signal);
    if (found === null) return null;
    if (found.config.labels[ownerLabel] !== birth.owner) throw foreign(name);
    const isWhole =
      found.state.status === 'running' && found.config.labels[digestLabel] === birth.spec.digest;
    if (isWhole) return found.id;
    await this.#remove(found.id, name, signal);
    return null;
  }

  async #bear(birth: Birth, { image, paths }: Found, signal: AbortSignal): Promise<string> {
    const tries = birth.spec.hostPort === 0 ? PORT_TRIES : 1;
    for (let left = tries - 1; ; left -= 1) {
      const published = await this.#publish(birth);
      const id = await this.#createOnly(birth, { image, published }, signal);
      const failure = await this.#begin(birth, { id, paths }, signal);
      if (failure === null) return id;
      const isOver = failure.code !== 'port_taken' || left === 0;
      const mustGo = !isOver || failure.code.startsWith('host_path_');
      if (mustGo) await this.#remove(id, nameOf(birth.spec, birth.instance), signal);
      if (isOver) throw mustGo ? failure : leaving(failure, id);
    }
  }

  async #publish({ spec }: Birth): Promise<Address> {
    const { publishAddress: host, ports, takenPorts } = this.#options;
    return { host, port: spec.hostPort === 0 ? await ports.choose(takenPorts()) : spec.hostPort };
  }

  async #createOnly(
    birth: Birth,
    placement: { image: string; published: Address },
    signal: AbortSignal,
  ): Promise<string> {
    const options = toCreateOptions(birth, placement);
    const created: unknown = await this.#options.client.ask(
      `create ${options.name}`,
      (docker) => docker.createContainer(options),
      signal,
    );
    const { id } = loose(created);
    if (typeof id === 'string' && id !== '') return id;
    throw new Failure('engine_refused', `the engine did not say which container it made as ${options.name}`);
  }

  /** The failure that kept it from running, or null. */
  async #begin(
    { spec, instance }: Birth,
    { id, paths }: { readonly id: string; readonly paths: Checked },
    signal: AbortSignal,
  ): Promise<Failure | null> {
    const { networks, hostPaths } = this.#options;
    try {
      await networks.joinOthers(spec, id, signal);
      await hostPaths.compare(spec, paths, signal);
      await this.#start(id, nameOf(spec, instance), signal);
      await hostPaths.verify({ container: id, spec }, paths, signal);
      return null;
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
  }

  #start(id: string, name: string, signal: AbortSignal): Promise<void> {
    return this.#do(id, `start ${name}`, (it) => it.start().catch(unless(304)), signal);
  }

  /** With the volumes that nobody named: `v` takes those alone, and none that another container uses. */
  async #remove(id: string, name: string, signal: AbortSignal): Promise<void> {
    this.#options.news.weStop({ id, state: 'running' });
    const remove = (it: Docker.Container): Promise<unknown> =>
      it.remove({ force: true, v: true }).catch(unlessGoing);
    await this.#do(id, `remove ${name}`, remove, signal);
  }

  /** Whether it went well or not, what was known of the container may be so no longer. */
  async #do(
    id: string,
    doing: string,
    deed: (container: Docker.Container) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, news } = this.#options;
    try {
      await client.ask(doing, (docker) => deed(docker.getContainer(id)), signal, STOP_MS);
    } finally {
      news.touch(id);
    }
  }

  /** What cannot be read is not ours to remove. */
  async #find(name: string, signal: AbortSignal): Promise<InspectedContainer | null> {
    const answer: unknown = await this.#options.client.ask(
      `look for ${name}`,
      (docker) => docker.getContainer(name).inspect().catch(unless(404)),
      signal,
    );
    if (answer === null) return null;
    const found = readContainer(answer);
    if (found === null) throw foreign(name);
    return found;
  }
}

/** An answer that says there is nothing left to do is a success. */
const unless =
  (...codes: readonly number[]) =>
  (error: unknown): null => {
    if (isStatus(error, ...codes)) return null;
    throw error as Error;
  };

/** Somebody else may be removing it at this moment. */
function unlessGoing(error: unknown): null {
  if (isStatus(error, 409) && /already in progress/.test(String(error))) return null;
  return unless(404)(error);
}

const foreign = (name: string): Failure =>
  new Failure('foreign_container', `a container named ${name} is not ours`, {
    suggestedAction: `remove it (docker rm -f ${name}) or rename it`,
  });

function leaving(failure: Failure, container: string): Failure {
  const { code, message, class: whose, suggestedAction } = failure;
  const advice = suggestedAction === null ? {} : { suggestedAction };
  return new Failure(code, message, { class: whose, container, cause: failure, ...advice });
}
