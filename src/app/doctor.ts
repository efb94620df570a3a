import type { DesiredState } from '../model/desired.ts';
import { Failure } from '../model/failure.ts';
import type { Reached } from '../registry/index.ts';
import type { EngineAbout } from '../runtime/runtime.ts';
import type { AppIo } from './app.ts';
import type { Config } from './config.ts';
import { clockFinding, type OtherClock } from './doctor/clock.ts';
import { engineFinding } from './doctor/engine.ts';
import { unknown, well, within, type Finding } from './doctor/finding.ts';
import { hostPortsOf, portFindings } from './doctor/ports.ts';
import { registriesOf, registryFinding } from './doctor/registries.ts';
import { stateFinding } from './doctor/state-folder.ts';
import { engineRooms, type EngineRooms } from './engine.ts';
import { readAddress } from './listen.ts';
import { readAt } from './read-at.ts';

export type { Finding } from './doctor/finding.ts';

export type DoctorConfig = Pick<
  Config,
  | 'manifest'
  | 'branch'
  | 'path'
  | 'gitTokenFile'
  | 'sshKey'
  | 'state'
  | 'runtime'
  | 'docker'
  | 'owner'
  | 'publishAddress'
  | 'policy'
  | 'trust'
  | 'listen'
>;

/** Seconds for each check, counted for itself. */
const ENGINE_S = 10;
const GIT_S = 60;
const REGISTRY_S = 20;
const OTHERS_S = 10;

/** Looks at all that a run needs, all at once, and writes nothing. One finding or more for each check, in their order. */
export async function examine(config: DoctorConfig, io: AppIo): Promise<readonly Finding[]> {
  const engine = await openEngine(config, io);
  try {
    const examination = new Examination(config, io, engine);
    return await examination.findings();
  } finally {
    await engine.close();
  }
}

/** Nothing is made, so nothing of the host is given. */
const nothing = { allowHostPaths: [], engineSockets: [], ownPaths: [] };

/** What keeps the engine from being asked at all is told where it is asked. */
async function openEngine(config: DoctorConfig, io: AppIo): Promise<EngineRooms> {
  try {
    return await engineRooms({ ...config, given: nothing }, io);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const rooms = await engineRooms({ ...config, runtime: 'memory', given: nothing }, io);
    const refuse = (): Promise<never> => Promise.reject(error);
    return { ...rooms, runtime: { ...rooms.runtime, about: refuse }, reach: refuse };
  }
}

class Examination {
  readonly #config: DoctorConfig;
  readonly #io: AppIo;
  readonly #engine: EngineRooms;
  #about: EngineAbout | null = null;
  #desired: DesiredState | null = null;
  readonly #clocks: OtherClock[] = [];

  constructor(config: DoctorConfig, io: AppIo, engine: EngineRooms) {
    this.#config = config;
    this.#io = io;
    this.#engine = engine;
  }

  async findings(): Promise<readonly Finding[]> {
    const engine = this.#within(ENGINE_S, 'engine', (signal) => this.#lookAtEngine(signal));
    const git = this.#within(GIT_S, 'git', () => this.#lookAtGit());
    const state = this.#within(OTHERS_S, 'state', async () => [await stateFinding(this.#config.state)]);
    // These need what the others found, and say so where those found nothing.
    const registries = git.then(() => this.#lookAtRegistries());
    const ports = Promise.all([git, engine]).then(() =>
      this.#within(OTHERS_S, 'ports', (signal) => this.#lookAtPorts(signal)),
    );
    const clock = Promise.all([engine, registries]).then(() => [
      clockFinding(this.#io.clock.now(), this.#clocks),
    ]);
    return (await Promise.all([engine, git, registries, state, ports, clock])).flat();
  }

  #within(
    seconds: number,
    check: string,
    look: (signal: AbortSignal) => Promise<readonly Finding[]>,
  ): Promise<readonly Finding[]> {
    return within(seconds, check, { clock: this.#io.clock, look });
  }

  async #lookAtEngine(signal: AbortSignal): Promise<readonly Finding[]> {
    const { runtime } = this.#engine;
    this.#about = await runtime.about(signal);
    if (this.#about.time !== null) this.#noteClock('the engine', this.#about.time);
    return [engineFinding(this.#about)];
  }

  async #lookAtGit(): Promise<readonly Finding[]> {
    const desired = await readAt(this.#config, null, this.#io);
    this.#desired = desired;
    const { source, revision, servers } = desired;
    return [well('git', `${source}: ${revision.slice(0, 19)}, ${servers.length} servers`)];
  }

  async #lookAtRegistries(): Promise<readonly Finding[]> {
    if (this.#desired === null) return [unknown('registry', 'the manifest cannot be read')];
    if (this.#config.runtime === 'memory') return [well('registry', 'in memory none is asked')];
    const wanted = [...registriesOf(this.#desired)];
    const found = wanted.map(([host, repository]) =>
      this.#within(REGISTRY_S, 'registry', (signal) => this.#lookAtRegistry(host, repository, signal)),
    );
    return (await Promise.all(found)).flat();
  }

  async #lookAtRegistry(host: string, repository: string, signal: AbortSignal): Promise<readonly Finding[]> {
    const reached: Reached = await this.#engine.reach(repository, signal);
    if (reached.time !== null) this.#noteClock(host, reached.time);
    return [registryFinding(reached)];
  }

  async #lookAtPorts(signal: AbortSignal): Promise<readonly Finding[]> {
    const listen = readAddress(this.#config.listen);
    const ours = this.#about === null ? null : await this.#portsOfOurs(signal);
    return portFindings({
      ...{ listen, ours, publishAddress: this.#config.publishAddress },
      hostPorts: this.#desired === null ? [] : hostPortsOf(this.#desired),
      isOrchestrator: () => answersAsWe(listen, signal),
    });
  }

  /** null: the engine does not say. */
  async #portsOfOurs(signal: AbortSignal): Promise<ReadonlySet<number> | null> {
    try {
      const { instances } = await this.#engine.runtime.observe([], signal);
      return new Set(
        instances.flatMap(({ hostAddress }) => (hostAddress === null ? [] : [hostAddress.port])),
      );
    } catch (error) {
      if (error instanceof Failure) return null;
      throw error;
    }
  }

  #noteClock(whose: string, time: number): void {
    // Told a moment ago; what passed since is less than what matters.
    this.#clocks.push({ whose, time });
  }
}

/** By its own health answer; one that wants TLS says so, and is none of a stranger's. */
async function answersAsWe(at: { host: string; port: number }, signal: AbortSignal): Promise<boolean> {
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  for (const scheme of ['http', 'https']) {
    const answer = await fetch(`${scheme}://${host}:${at.port}/health`, { signal }).catch(() => null);
    const body = await answer?.json().catch(() => null);
    if (isOurHealth(body)) return true;
  }
  return false;
}

function isOurHealth(body: unknown): boolean {
  const { checks } = (body ?? {}) as { checks?: object };
  return ['manifest', 'engine', 'journal'].every((name) => Object.hasOwn(checks ?? {}, name));
}
