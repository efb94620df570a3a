// `npm run kit`: five sample servers (three healthy, one degraded, one down) behind a real orchestrator on a real engine.
import { fileURLToPath } from 'node:url';
import { deriveImage, plainImage } from '../images/build.ts';
import { entryOf, manifestOf, manifestPath } from '../stage/manifest.ts';
import { stageOn } from '../stage/stage.ts';
import { openEngine, type OpenedEngine } from '../engine/engine.ts';
import type { HealthStatus } from '../stage/status.ts';

export const kitServers = ['kit-one', 'kit-two', 'kit-three', 'kit-degraded', 'kit-down'] as const;

/** A kit that runs until it is closed. */
export interface Kit {
  /** Of the status endpoint. */
  readonly url: string;
  close(): Promise<void>;
}

const quick = {
  update: { min_healthy_seconds: 1, soak_seconds: 5, drain_min_seconds: 1, drain_timeout_seconds: 5 },
  health_check: {
    interval_seconds: 2,
    timeout_seconds: 1,
    suspect_interval_seconds: 1,
    start_period_seconds: 10,
  },
  // The one that is down stays down.
  recovery: { enabled: false },
};

/** Resolves when three are healthy, one is degraded and one is down. */
export async function startKit(engine: OpenedEngine, options: readonly string[] = []): Promise<Kit> {
  const stage = await stageOn(engine);
  const from = await plainImage(engine, 'kit-server', fileURLToPath(new URL('server', import.meta.url)));
  for (const name of kitServers) await deriveImage({ engine, name, version: '1.0.0' }, from);
  const entries = kitServers.map((name) => entryOf(engine, name, '1.0.0', quick));
  await stage.repository.commit({ subject: 'Begin', files: { [manifestPath]: manifestOf(entries) } });
  const { status, url } = await stage.watch({ options });
  const ready = await status.until(
    'all five are ready',
    ({ servers }) => servers.length === 5 && servers.every(({ phase }) => phase === 'ready'),
  );
  await Promise.all([tell(ready, 'kit-degraded', 'degraded'), tell(ready, 'kit-down', 'down')]);
  await status.until(
    'one is degraded and one is down',
    ({ servers }) =>
      healthOf(servers, 'kit-degraded') === 'degraded' && healthOf(servers, 'kit-down') === 'unhealthy',
  );
  return { url, close: () => stage.close() };
}

const healthOf = (servers: HealthStatus['servers'], wanted: string): string | undefined =>
  servers.find(({ name }) => name === wanted)?.health;

async function tell({ servers }: HealthStatus, wanted: string, status: string): Promise<void> {
  const { url } = servers.find(({ name }) => name === wanted) ?? {};
  await fetch(`${String(url)}/be?status=${status}`, { method: 'POST', signal: AbortSignal.timeout(5_000) });
}

if (process.argv[1]?.endsWith('start.ts') === true) {
  const kit = await startKit(await openEngine({ say: (line) => console.log(line) }), [
    '--listen',
    '127.0.0.1:8090',
  ]);
  console.log(`five servers are at ${kit.url}/ (Ctrl-C ends them)`);
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
  await kit.close();
}
