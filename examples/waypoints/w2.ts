// `npm run validate:w2`: a new version in the registry takes over by itself and nobody notices; a bad one undoes itself.
import { randomBytes } from 'node:crypto';
import { buildServerImage } from '../images/build.ts';
import { Claims, secondsSince } from '../stage/claims.ts';
import { readEvents } from '../stage/events.ts';
import { Gateway } from '../stage/gateway.ts';
import { entryOf, manifestOf, manifestPath } from '../stage/manifest.ts';
import { Screen } from '../stage/screen.ts';
import { openStage, type Stage, type Watching } from '../stage/stage.ts';
import { isReady } from '../stage/status.ts';

/** A name of its own: what others push to the same registry is no version of it. */
const name = `mcp-server-github-${randomBytes(2).toString('hex')}`;
const checkSeconds = 10;
const deploymentSeconds = 30;
const perSecond = { promised: 200, sent: 215 };
/** A pause that people would call an outage; less is the noise of a busy machine. */
const pauseSeconds = 0.5;
/** A gateway that polls every second has learned of a change long before 5 s. */
const update = {
  ...{ min_healthy_seconds: 5, healthy_deadline_seconds: 30, soak_seconds: 15 },
  ...{ drain_min_seconds: 5, drain_timeout_seconds: 10 },
};
const health_check = {
  ...{ interval_seconds: 5, timeout_seconds: 2 },
  ...{ suspect_interval_seconds: 2, start_period_seconds: 10 },
};

const screen = new Screen();
const claims = new Claims();
screen.heading('Waypoint 2: updates that nobody notices, and bad versions that undo themselves');
const stage = await openStage((line) => screen.say(line));
try {
  await validate(stage);
} catch (error) {
  claims.failed('the waypoint is reached', error);
} finally {
  await stage.close();
}
screen.heading('Figures');
process.exitCode = claims.show(screen);

async function validate({ engine, repository, watch }: Stage): Promise<void> {
  await buildServerImage({ engine, name, version: '1.0.0' });
  const entry = entryOf(engine, name, '1.0.0', {
    version_strategy: 'semantic',
    auto_update: true,
    update,
    health_check,
  });
  const files = { [manifestPath]: manifestOf([entry]) };
  await repository.commit({ subject: 'Begin', files, traceId: 'waypoint-2' });
  screen.command(`mcp-orchestration run --manifest ${repository.url} --update-interval ${checkSeconds}`);
  const watching = await watch({ options: ['--update-interval', String(checkSeconds)] });
  await watching.status.server(name, isReady);
  const gateway = await new Gateway(watching.url).open();
  gateway.load(name, perSecond.sent, '/health');
  for (let session = 0; session < 5; session += 1) gateway.mcpSession(name, 'whoami');
  screen.say(`${perSecond.sent} requests a second and 5 MCP sessions from now on`);
  try {
    await goodVersion(watching, engine);
    await badVersion(watching, engine);
  } finally {
    await gateway.close();
  }
  nobodyNoticed(gateway);
}

async function goodVersion({ status, orchestrator }: Watching, engine: Stage['engine']): Promise<void> {
  await buildServerImage({ engine, name, version: '1.1.0' });
  const pushed = Date.now();
  screen.say('version 1.1.0 is in the registry');
  await status.server(name, (server) => isReady(server) && server.version === '1.1.0');
  const found = (await readEvents(orchestrator.eventsFile)).find(
    ({ event_type, version }) => event_type === 'version_resolved' && version === '1.1.0',
  );
  const foundAt = found?.time_ms ?? Infinity;
  claims.within('from the push until the version is found', (foundAt - pushed) / 1_000, checkSeconds + 1);
  claims.within('from finding it until it answers (deployment)', secondsSince(foundAt), deploymentSeconds);
  await status.server(name, ({ endpoints }) => endpoints.length === 1);
}

async function badVersion({ status, orchestrator }: Watching, engine: Stage['engine']): Promise<void> {
  await untilProven(status);
  // It reports another version than its tag says, as an image does that was built from the wrong commit.
  await buildServerImage({ engine, name, version: '1.1.9', tag: '1.2.0' });
  screen.say('a bad version 1.2.0 is in the registry');
  const seen = await status.server(name, ({ update: seenUpdate }) => seenUpdate.quarantined.length > 0);
  const [verdict] = seen.update.quarantined;
  screen.say(
    `set aside: ${verdict?.version ?? '-'}, gate ${verdict?.gate ?? '-'}, ${verdict?.reason ?? '-'}`,
  );
  claims.holds('the bad version is set aside', verdict?.version === '1.2.0', `gate ${verdict?.gate ?? '-'}`);
  const back = await status.server(name, (server) => isReady(server) && server.endpoints.length === 1);
  claims.holds('what answers is the version before', back.version === '1.1.0', back.version ?? '-', '1.1.0');
  const told = await readEvents(orchestrator.eventsFile);
  const traces = new Set(
    told.filter(({ server_name }) => server_name === name).map(({ trace_id }) => trace_id),
  );
  claims.holds('one trace tells the whole story', traces.size === 1, [...traces].join(', '), 'waypoint-2');
}

async function untilProven(status: Watching['status']): Promise<void> {
  await status.server(name, (server) => isReady(server) && server.update.state === 'none');
}

function nobodyNoticed(gateway: Gateway): void {
  const [requests, sessions] = [gateway.traffic(name, 'short'), gateway.traffic(name, 'session')];
  const rate = requests.answered / requests.seconds;
  const { promised } = perSecond;
  claims.holds('requests answered a second', rate >= promised, rate.toFixed(0), `at least ${promised}`);
  const lost = `${requests.failed.length} of ${requests.sent}`;
  claims.holds('requests lost', requests.failed.length === 0, lost, '0');
  const cut = `${sessions.failed.length} of ${sessions.sent}`;
  claims.holds('calls lost in MCP sessions', sessions.failed.length === 0, cut, '0');
  claims.holds('both versions answered', requests.versions.length === 2, requests.versions.join(', then '));
  claims.within('downtime: longest time without an answer', requests.downtimeSeconds, pauseSeconds);
  for (const line of gateway.failed.slice(0, 5)) screen.say(line);
}
