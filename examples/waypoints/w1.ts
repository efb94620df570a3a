// `npm run validate:w1`: a merge of a manifest with mcp-server-github becomes a running server, with no other step.
import { Claims, secondsSince } from '../stage/claims.ts';
import { buildEcosystem, ecosystemEntries, ecosystemServers } from '../stage/ecosystem.ts';
import { serveGit } from '../stage/git-server.ts';
import { manifestOf, manifestPath } from '../stage/manifest.ts';
import { callTool } from '../stage/mcp.ts';
import { Screen } from '../stage/screen.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { isReady, type StatusFollower } from '../stage/status.ts';

const pollSeconds = 15;
/** The poll has a jitter of a tenth, so that many orchestrators do not ask at one moment; asking and reading take a moment. */
const onePollSeconds = pollSeconds * 1.1 + 3;
const readySeconds = 60;
const wholeSeconds = 300;

const screen = new Screen();
const claims = new Claims();
const started = Date.now();
screen.heading('Waypoint 1: a merge becomes running servers');
const stage = await openStage((line) => screen.say(line));
try {
  await validate(stage);
} catch (error) {
  claims.failed('the waypoint is reached', error);
} finally {
  await stage.close();
}
claims.within('end to end, from an empty machine', secondsSince(started), wholeSeconds);
screen.heading('Figures');
process.exitCode = claims.show(screen);

async function validate({ engine, repository, watch, folder }: Stage): Promise<void> {
  await buildEcosystem(engine, '1.0.0', (line) => screen.say(line));
  claims.holds('engine, registry and images at hand', true, `${secondsSince(started).toFixed(1)} s`, '-');
  await repository.commit({ subject: 'Begin', files: { [manifestPath]: manifestOf([]) } });
  const remote = await serveGit(folder);
  try {
    const url = remote.urlOf('manifest.git');
    screen.command(`mcp-orchestration run --manifest ${url} --interval ${pollSeconds}`);
    const { status } = await watch({
      manifest: url,
      options: ['--interval', String(pollSeconds)],
    });
    await status.until('the first manifest is in force', ({ source }) => source.applied_revision !== null);
    await measure(status, { engine, repository });
  } finally {
    await remote.close();
  }
}

async function measure(
  status: StatusFollower,
  { engine, repository }: Pick<Stage, 'engine' | 'repository'>,
): Promise<void> {
  const change = {
    subject: 'Add the servers of the ecosystem',
    files: { [manifestPath]: manifestOf(ecosystemEntries(engine, '1.0.0')) },
    traceId: 'waypoint-1',
  };
  const revision = await repository.merge(change);
  const merged = Date.now();
  screen.say(`merged ${revision.slice(0, 12)} with ${ecosystemServers.join(', ')}`);
  await status.until('the new revision is known', ({ source }) => source.attempted_revision === revision);
  claims.within('from the merge until the revision is known', secondsSince(merged), onePollSeconds);
  const github = await status.server('mcp-server-github', isReady, 120_000);
  claims.within('from the merge until mcp-server-github is ready', secondsSince(merged), readySeconds);
  const { tools, text } = await callTool(github.mcp_url ?? '', 'whoami');
  claims.within(
    `from the merge until its tools answer (${tools.join(', ')})`,
    secondsSince(merged),
    readySeconds,
  );
  claims.holds(
    'the answer is the version that was merged',
    text === 'mcp-server-github 1.0.0',
    text,
    'mcp-server-github 1.0.0',
  );
  await status.until(
    'all servers are ready',
    ({ servers }) =>
      ecosystemServers.every((name) => servers.some((one) => one.name === name && isReady(one))),
    120_000,
  );
  claims.within(
    `from the merge until all ${ecosystemServers.length} servers are ready`,
    secondsSince(merged),
    readySeconds,
  );
}
