import { secondsSince } from '../../stage/claims.ts';
import { ecosystemEntries, ecosystemServers } from '../../stage/ecosystem.ts';
import { manifestOf, manifestPath } from '../../stage/manifest.ts';
import { isReady, type HealthStatus } from '../../stage/status.ts';
import type { Scene, Scenery } from '../scene.ts';

/** Short, so that the demo is; what is left out has the defaults of a real manifest. */
export const timings = {
  update: { min_healthy_seconds: 3, drain_min_seconds: 2, soak_seconds: 20 },
  health_check: {
    interval_seconds: 5,
    timeout_seconds: 2,
    suspect_interval_seconds: 2,
    start_period_seconds: 10,
  },
};

export const merge: Scene = {
  title: 'A change is merged, and the servers come up',
  async play({ stage, watching, screen, claims, traceId }: Scenery) {
    const content = manifestOf(ecosystemEntries(stage.engine, '1.0.0'), { defaults: timings });
    const started = Date.now();
    const revision = await stage.repository.merge({
      subject: 'Add the four servers of the ecosystem',
      files: { [manifestPath]: content },
      traceId,
    });
    screen.command('git log --graph --oneline');
    screen.say(await stage.repository.git('log', '--graph', '--oneline'));
    screen.say('');
    const show = changes((row) => screen.say(row), started);
    const status = await watching.status.until(
      'all servers are ready',
      (seen) => {
        show(seen);
        return seen.source.applied_revision === revision && everyReady(seen);
      },
      60_000,
    );
    claims.within('from the merge until all servers are ready', secondsSince(started), 60);
    claims.holds(
      'servers ready',
      status.servers.length === ecosystemServers.length,
      `${status.servers.length} of 4`,
      '4',
    );
  },
};

const everyReady = (status: HealthStatus): boolean =>
  ecosystemServers.every((name) => status.servers.some((server) => server.name === name && isReady(server)));

/** Says once what is new about a server, with the seconds since the merge. */
function changes(say: (row: string) => void, started: number): (status: HealthStatus) => void {
  const before = new Map<string, string>();
  return ({ servers }) => {
    for (const { name, phase, health, why } of servers) {
      const now = `${phase.padEnd(8)}  ${health.padEnd(9)}  ${why}`;
      if (before.get(name) === now) continue;
      before.set(name, now);
      say(`${secondsSince(started).toFixed(1).padStart(5)} s  ${name.padEnd(20)}  ${now}`);
    }
  };
}
