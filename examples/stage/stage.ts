import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openEngine, type OpenedEngine } from '../engine/engine.ts';
import { removeAllOf } from './containers.ts';
import { makeManifestRepository, type ManifestRepository } from './manifest-repository.ts';
import { startOrchestrator, type OrchestratorOrder, type OrchestratorProcess } from './orchestrator.ts';
import { StatusFollower } from './status.ts';

/** An engine with a registry, a manifest repository, and later an orchestrator that watches it. */
export interface Stage {
  readonly engine: OpenedEngine;
  readonly repository: ManifestRepository;
  /** Whose containers these are: nobody else's are touched. */
  readonly owner: string;
  readonly folder: string;
  /** Starts an orchestrator on this stage's repository, if nothing else is said, and waits until it listens. */
  readonly watch: (order?: Partial<OrchestratorOrder>) => Promise<Watching>;
  /** Ends all that was started, and takes away all that was made. */
  readonly close: () => Promise<void>;
}

export interface Watching {
  readonly orchestrator: OrchestratorProcess;
  readonly status: StatusFollower;
  readonly url: string;
}

/** Opens an engine and a stage on it; `say` is told what takes long. */
export const openStage = async (say: (line: string) => void): Promise<Stage> =>
  stageOn(await openEngine({ say }));

/** A stage on an engine, which is stopped with it if it was opened here. */
export async function stageOn(engine: OpenedEngine): Promise<Stage> {
  // Inside the engine's folder, because that is deleted in any case, even when we are killed.
  const folder = await mkdtemp(join(engine.directory, 'stage-'));
  const repository = await makeManifestRepository(folder);
  const owner = `stage-${randomBytes(3).toString('hex')}`;
  const started: OrchestratorProcess[] = [];
  return {
    ...{ engine, owner, folder, repository },
    async watch(order = {}) {
      const orchestrator = startOrchestrator({ engine, manifest: repository.url, folder, owner, ...order });
      started.push(orchestrator);
      const url = await orchestrator.url();
      return { orchestrator, url, status: new StatusFollower(url) };
    },
    async close() {
      await Promise.all(started.map((one) => one.stop()));
      await removeAllOf(engine, owner);
      await engine.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
