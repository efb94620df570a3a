import { buildServerImage } from '../../images/build.ts';
import { secondsSince } from '../../stage/claims.ts';
import { ecosystemEntries } from '../../stage/ecosystem.ts';
import { Gateway } from '../../stage/gateway.ts';
import { manifestOf, manifestPath } from '../../stage/manifest.ts';
import { isReady } from '../../stage/status.ts';
import type { Scene, Scenery } from '../scene.ts';
import { timings } from './merge.ts';

const name = 'mcp-server-n8n';
const perSecond = 100;
/** A session holds the old version until its drain ends, which for people takes five minutes. */
const update = { drain_timeout_seconds: 8 };

export const upgrade: Scene = {
  title: 'A new version takes over under constant load',
  async play(scenery: Scenery) {
    const { stage, watching, screen, claims } = scenery;
    await buildServerImage({ engine: stage.engine, name, version: '1.1.0' });
    const gateway = await underLoad(scenery, async () => {
      const started = Date.now();
      await mergeVersion(scenery, '1.1.0');
      await watching.status.server(name, (server) => isReady(server) && server.version === '1.1.0');
      claims.within('from the merge until the new version answers', secondsSince(started), 30);
      await watching.status.server(name, ({ endpoints }) => endpoints.length === 1);
    });
    const { versions } = gateway.traffic(name, 'short');
    screen.say(`answered by ${versions.join(', then ')}`);
    claims.holds('both versions answered', versions.length === 2, versions.join(', then '));
  },
};

export const undo: Scene = {
  title: 'A bad version undoes itself',
  async play(scenery: Scenery) {
    const { stage, watching, screen, claims } = scenery;
    // An image that was built from the wrong commit: it says that it is another version than its tag.
    await buildServerImage({ engine: stage.engine, name, version: '1.1.9', tag: '1.2.0' });
    const gateway = await underLoad(scenery, async () => {
      await mergeVersion(scenery, '1.2.0');
      const seen = await watching.status.server(name, ({ update }) => update.quarantined.length > 0);
      const [verdict] = seen.update.quarantined;
      screen.say(
        `${verdict?.version ?? '-'} is set aside: gate ${verdict?.gate ?? '-'}, ${verdict?.reason ?? '-'}`,
      );
      await watching.status.server(name, (server) => isReady(server) && server.endpoints.length === 1);
    });
    const { versions } = gateway.traffic(name, 'short');
    claims.holds('only the version before answered', versions.join() === '1.1.0', versions.join(), '1.1.0');
  },
};

/** Sends requests while something is done, as a gateway that reads the status every second, and counts those that fail. */
async function underLoad({ watching, screen, claims }: Scenery, work: () => Promise<void>): Promise<Gateway> {
  const gateway = await new Gateway(watching.url).open();
  gateway.load(name, perSecond, '/health');
  gateway.mcpSession(name, 'whoami');
  screen.say(`${perSecond} requests a second to ${name}, and an MCP session`);
  try {
    await work();
  } finally {
    await gateway.close();
  }
  const { sent } = gateway.traffic(name, 'short');
  screen.say(`${sent} requests, ${gateway.failed.length} failed`);
  claims.holds('failed requests', gateway.failed.length === 0, `${gateway.failed.length} of ${sent}`, '0');
  return gateway;
}

async function mergeVersion({ stage, screen }: Scenery, version: string): Promise<void> {
  const entries = ecosystemEntries(stage.engine, '1.0.0').map((entry) =>
    entry['name'] === name ? { ...entry, version, update } : entry,
  );
  screen.command(`sed -i 's/version: .*/version: ${version}/'   # of ${name}, and merge`);
  await stage.repository.merge({
    subject: `Update ${name} to ${version}`,
    files: { [manifestPath]: manifestOf(entries, { defaults: timings }) },
    traceId: `demo-${version}`,
  });
}
