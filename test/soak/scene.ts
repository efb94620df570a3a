import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { askEngine, callEngine } from '../../examples/engine/engine-call.ts';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { manifestOf, manifestPath } from '../../examples/stage/manifest.ts';
import { makeManifestRepository, type ManifestRepository } from '../../examples/stage/manifest-repository.ts';
import { startOrchestrator, type OrchestratorProcess } from '../../examples/stage/orchestrator.ts';
import { moveTag } from '../support/move-tag.ts';
import type { RegistryProxy } from '../support/registry-proxy.ts';
import { buildTestServerImage } from '../support/test-server-image.ts';
import type { Offer, Script, ScriptEntry, Step } from './script.ts';
import type { SeenContainer } from './sight.ts';
import type { Witness } from './witness.ts';

/** The shortest waits with which nothing good is taken for bad on a busy machine. */
const clocks = {
  update: {
    ...{ min_healthy_seconds: 1, healthy_deadline_seconds: 15, soak_seconds: 3 },
    ...{ drain_min_seconds: 1, drain_timeout_seconds: 2 },
  },
  health_check: {
    ...{ interval_seconds: 2, timeout_seconds: 1, suspect_interval_seconds: 1 },
    ...{ start_period_seconds: 8, failure_threshold: 2 },
  },
  recovery: { backoff_seconds: [1], slow_retry_seconds: 4 },
};

export interface Place {
  readonly engine: OpenedEngine;
  readonly registry: RegistryProxy;
  readonly witness: Witness;
  readonly owner: string;
  /** Name of the one image of this history. */
  readonly image: string;
  readonly folder: string;
  /** What a server of the script is called on this engine. */
  readonly nameOf: (server: string) => string;
}

/** Does what a script says, on a real engine, and remembers what it has done. */
export class Scene {
  readonly offers: Offer[] = [];
  /** Container -> when the history itself hurt it (Unix ms). */
  readonly byHand = new Map<string, number>();
  wanted: readonly ScriptEntry[] = [];
  /** How often the orchestrator began. */
  lives = 0;
  readonly #place: Place;
  readonly #repository: ManifestRepository;
  readonly #healing: Promise<unknown>[] = [];
  #orchestrator: OrchestratorProcess | null = null;
  #isRemoteAway = false;

  private constructor(place: Place, repository: ManifestRepository) {
    this.#place = place;
    this.#repository = repository;
  }

  /** Builds every version that the script will ever have, and publishes those that are there from the beginning. */
  static async open(place: Place, script: Script): Promise<Scene> {
    const scene = new Scene(place, await makeManifestRepository(place.folder));
    const later = script.steps.flatMap(({ step }) => (step.kind === 'publish' ? [step.offer] : []));
    for (const { version, behaviour } of [...script.offers, ...later]) {
      const order = { engine: place.engine, name: place.image, version, tag: `made-${version}` };
      await buildTestServerImage({ ...order, behaviour, instructions: ['VOLUME /cache'] });
    }
    for (const offer of script.offers) await scene.#publish(offer);
    scene.start();
    return scene;
  }

  get state(): string {
    return join(this.#place.folder, 'state');
  }

  start(): void {
    const { engine, folder, owner, registry, witness } = this.#place;
    this.lives += 1;
    this.#orchestrator = startOrchestrator({
      ...{ engine, folder, owner, manifest: this.#repository.url },
      options: [
        ...['--trust', `${registry.host}/liminalcommons/*`, '--interval', '1', '--update-interval', '2'],
        ...['--log-level', 'warn'],
      ],
    });
    witness.follow(this.#orchestrator.pid);
  }

  /** Gives in a word or two what was done; a fault that finds nothing to strike is in brackets. */
  async play(step: Step): Promise<string> {
    switch (step.kind) {
      case 'commit':
        await this.#commit(step.entries);
        return step.says;
      case 'unreadable':
        await this.#whileRemote({ [manifestPath]: 'servers: [' });
        return 'unreadable';
      case 'publish':
        await this.#publish(step.offer);
        return `publish ${step.offer.version} ${step.offer.behaviour}`;
      case 'die':
        return this.#die(step);
      case 'registry':
        this.#place.registry.vanish();
        this.#later(step.seconds, async () => this.#place.registry.heal());
        return `registry away ${step.seconds} s`;
      case 'remote':
        return this.#remoteAway(step.seconds);
      case 'kill':
      case 'crash':
      case 'hang':
      case 'sick':
      case 'remove':
      case 'stop': {
        const struck = await this.#strike(step.kind, this.#place.nameOf(step.server));
        return struck ? `${step.kind} ${step.server}` : `(${step.kind} ${step.server})`;
      }
    }
  }

  /** Whatever is away comes back, and an orchestrator runs. */
  async heal(): Promise<void> {
    await Promise.all(this.#healing);
    this.#place.registry.heal();
  }

  /** How the orchestrator ended when it should not have; null while it runs. */
  async fallen(): Promise<string | null> {
    const one = this.#orchestrator;
    const end = await Promise.race([
      one?.ended,
      new Promise<null>((resolve) => setTimeout(resolve, 0, null)),
    ]);
    if (end === null || end === undefined) return null;
    return `the orchestrator ended by itself: ${JSON.stringify(end)} ${(await one?.log())?.slice(-600) ?? ''}`;
  }

  async close(): Promise<void> {
    await this.heal();
    this.#place.witness.follow(null);
    await this.#orchestrator?.stop();
  }

  async #commit(entries: readonly ScriptEntry[]): Promise<void> {
    this.wanted = entries.map((entry) => ({ ...entry, server: this.#place.nameOf(entry.server) }));
    const servers = this.wanted.map((entry) => this.#written(entry));
    await this.#whileRemote({ [manifestPath]: manifestOf(servers, { defaults: clocks }) });
  }

  /** A person pushes where the remote can be reached, and waits until then. */
  async #whileRemote(files: Readonly<Record<string, string>>): Promise<void> {
    while (this.#isRemoteAway) await new Promise((resolve) => setTimeout(resolve, 50));
    await this.#repository.commit({ subject: 'Change\n\nAllow-Removal: all', files });
  }

  #written(entry: ScriptEntry): Record<string, unknown> {
    const { registry, image } = this.#place;
    const volumes = entry.exclusive ? { volumes: [{ source: 'data', target: '/data' }] } : {};
    return {
      ...{ name: entry.server, version: entry.version, transport: 'http' },
      docker: { image: `${registry.host}/liminalcommons/${image}`, port: 8080, path: '/mcp', ...volumes },
      config: { env: { SOAK: String(entry.env) } },
      desired_state: entry.stopped ? 'stopped' : 'running',
      ...(entry.follows ? { auto_update: true, version_strategy: 'semantic' } : {}),
      ...(entry.stopFirst ? { update: { order: 'stop-first' } } : {}),
    };
  }

  async #publish(offer: Offer): Promise<void> {
    const { engine, image } = this.#place;
    const repository = `127.0.0.1:${engine.registry.port}/liminalcommons/${image}`;
    await moveTag(engine, repository, { from: `made-${offer.version}`, to: offer.version });
    this.offers.push(offer);
  }

  async #die({ signal, awaySeconds }: Extract<Step, { kind: 'die' }>): Promise<string> {
    this.#place.witness.follow(null);
    await (signal === 'SIGKILL' ? this.#orchestrator?.kill() : this.#orchestrator?.stop());
    await new Promise((resolve) => setTimeout(resolve, awaySeconds * 1_000));
    this.start();
    return `${signal} ${awaySeconds} s`;
  }

  async #remoteAway(seconds: number): Promise<string> {
    if (this.#isRemoteAway) return '(remote)';
    const { bare } = this.#repository;
    this.#isRemoteAway = true;
    await rename(bare, `${bare}.away`);
    this.#later(seconds, async () => {
      await rename(`${bare}.away`, bare);
      this.#isRemoteAway = false;
    });
    return `remote away ${seconds} s`;
  }

  #later(seconds: number, heal: () => Promise<void>): void {
    this.#healing.push(new Promise((resolve) => setTimeout(resolve, seconds * 1_000)).then(heal));
  }

  /** False where nothing of the server runs, or the engine is away. */
  async #strike(kind: string, server: string): Promise<boolean> {
    try {
      const all = await this.#place.witness.sight.containers(this.#place.owner);
      const running = all.filter((one) => one.server === server && one.running);
      const one = running.find(({ joined }) => joined) ?? running[0];
      if (one === undefined) return false;
      this.byHand.set(one.id, Date.now());
      return await this.#hurt(kind, one);
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  }

  async #hurt(kind: string, { id, port }: SeenContainer): Promise<boolean> {
    const { socket } = this.#place.engine.docker;
    const path = { kill: `/containers/${id}/kill`, stop: `/containers/${id}/stop?t=2` }[kind];
    if (path !== undefined) return (await callEngine(socket, path, { method: 'POST' })).status < 300;
    if (kind === 'remove') {
      await askEngine(socket, `/containers/${id}?force=1&v=1`, { method: 'DELETE' });
      return true;
    }
    const as = { crash: 'exit-at-once', hang: 'hang', sick: 'unhealthy' }[kind] ?? 'ok';
    const post = { method: 'POST', signal: AbortSignal.timeout(2_000) };
    await fetch(`http://127.0.0.1:${port}/behave?as=${as}`, post).catch(() => undefined);
    return true;
  }
}
