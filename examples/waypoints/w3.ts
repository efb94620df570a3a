// `npm run validate:w3`: with the default timings a crash and a hang are seen, and both servers are brought back.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Report } from '../../src/plan/report.ts';
import { builtProgram } from '../stage/built-program.ts';
import { Claims, secondsSince } from '../stage/claims.ts';
import { buildEcosystem, ecosystemEntries, ecosystemServers } from '../stage/ecosystem.ts';
import { readEvents, type LoggedEvent } from '../stage/events.ts';
import { crash, hang } from '../stage/faults.ts';
import { Gateway } from '../stage/gateway.ts';
import { manifestOf, manifestPath } from '../stage/manifest.ts';
import { Screen } from '../stage/screen.ts';
import { openStage, type Stage, type Watching } from '../stage/stage.ts';
import { isReady } from '../stage/status.ts';

const crashed = 'mcp-server-coda';
const hung = 'mcp-server-lightrag';
const others = ecosystemServers.filter((name) => name !== crashed && name !== hung);
const crashSeconds = 1;
const hangSeconds = 45;
const recoverySeconds = 120;
/** The first wait before an attempt, and what writing takes. */
const attemptSeconds = 3;

const screen = new Screen();
const claims = new Claims();
screen.heading('Waypoint 3: health is watched, and what fell is brought back');
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

async function validate(stage: Stage): Promise<void> {
  const { engine, repository } = stage;
  await buildEcosystem(engine, '1.0.0', (line) => screen.say(line));
  const servers = ecosystemEntries(engine, '1.0.0');
  await repository.commit({
    subject: 'Begin',
    files: { [manifestPath]: manifestOf(servers) },
    traceId: 'waypoint-3',
  });
  screen.command(`mcp-orchestration run --manifest ${repository.url}`);
  const watching = await stage.watch();
  for (const name of ecosystemServers) await watching.status.server(name, isReady, 120_000);
  const gateway = await new Gateway(watching.url).open();
  for (const name of others) gateway.load(name, 50, '/health');
  screen.say(`50 requests a second to each of ${others.join(' and ')} from now on`);
  try {
    await fall(crashed, 'crash', () => crash(stage, crashed), watching);
    await fall(hung, 'hang', () => hang(stage, hung), watching);
  } finally {
    await gateway.close();
  }
  for (const name of others) {
    const { answered, failed } = gateway.traffic(name, 'short');
    const measured = `${answered} answered, ${failed.length} failed`;
    claims.holds(`${name} is not disturbed`, failed.length === 0, measured, '0 failed');
  }
  await figures(watching);
}

async function fall(
  name: string,
  fault: 'crash' | 'hang',
  commit: () => Promise<void>,
  watching: Watching,
): Promise<void> {
  screen.say(`${name}: ${fault}`);
  await commit();
  const started = Date.now();
  const limit = fault === 'crash' ? crashSeconds : hangSeconds;
  const down = await next('server_down', name, watching);
  claims.within(`${fault}: from the fault to server_down`, (down.time_ms - started) / 1_000, limit);
  const attempt = await next('recovery_started', name, watching);
  const waited = (attempt.time_ms - down.time_ms) / 1_000;
  claims.within(`${fault}: from server_down to recovery_started`, waited, attemptSeconds);
  await next('recovery_successful', name, watching);
  claims.within(`${fault}: from the fault until it is back`, secondsSince(started), recoverySeconds);
}

/** The event of a server, now or later; throws after two minutes. */
async function next(type: string, name: string, { orchestrator }: Watching): Promise<LoggedEvent> {
  for (const end = Date.now() + 120_000; Date.now() < end;) {
    const events = await readEvents(orchestrator.eventsFile);
    const found = events.find((event) => event.event_type === type && event.server_name === name);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no ${type} of ${name} within two minutes`);
}

/** What the command says of it. */
async function figures({ orchestrator }: Watching): Promise<void> {
  screen.command(`mcp-orchestration report --state ${orchestrator.state}`);
  const report = async (...more: string[]): Promise<string> => {
    const command = [builtProgram(), 'report', '--state', orchestrator.state, ...more];
    return (await promisify(execFile)(process.execPath, command)).stdout;
  };
  screen.say(await report());
  const { overall } = JSON.parse(await report('--json')) as Report;
  const itself = overall.recovered_by_itself_within_2_minutes ?? 0;
  claims.holds('recovered by itself within two minutes', itself >= 0.9, `${itself * 100} %`, 'at least 90 %');
}
