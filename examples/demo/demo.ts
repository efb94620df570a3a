// `npm run demo`: from nothing to running servers, and what else was promised. `--keep` stays until Ctrl-C.
import { Claims, secondsSince } from '../stage/claims.ts';
import { buildEcosystem } from '../stage/ecosystem.ts';
import { manifestOf, manifestPath } from '../stage/manifest.ts';
import { Screen } from '../stage/screen.ts';
import { openStage, type Stage, type Watching } from '../stage/stage.ts';
import { lookAround } from './look-around.ts';
import type { Scene, Scenery } from './scene.ts';
import { drift } from './scenes/drift.ts';
import { events } from './scenes/events.ts';
import { merge } from './scenes/merge.ts';
import { crashed, hung } from './scenes/recovery.ts';
import { tools } from './scenes/tools.ts';
import { undo, upgrade } from './scenes/upgrade.ts';

const scenes: readonly Scene[] = [merge, events, tools, drift, crashed, hung, upgrade, undo];
const limitSeconds = 180;

const screen = new Screen();
const claims = new Claims();
const started = Date.now();
screen.heading('From nothing: an engine, a registry, four images, a manifest repository, an orchestrator');
const stage = await openStage((line) => screen.say(line));
try {
  await play(stage);
} catch (error) {
  claims.failed('the demo plays to its end', error);
} finally {
  await stage.close();
}
screen.heading('Measured');
process.exitCode = claims.show(screen);

async function play(stage: Stage): Promise<void> {
  const watching = await prepare(stage);
  const scenery: Scenery = { stage, watching, screen, claims, traceId: 'demo-first-merge' };
  for (const scene of scenes) {
    screen.heading(scene.title);
    await scene.play(scenery);
  }
  claims.within('the whole demo', secondsSince(started), limitSeconds);
  if (process.argv.includes('--keep')) await lookAround(scenery);
}

async function prepare(stage: Stage): Promise<Watching> {
  await buildEcosystem(stage.engine, '1.0.0', (line) => screen.say(line));
  const files = { [manifestPath]: manifestOf([]) };
  await stage.repository.commit({ subject: 'Begin the manifest', files });
  screen.command(`mcp-orchestration run --manifest ${stage.repository.url}`);
  const watching = await stage.watch();
  screen.say(`its status is at ${watching.url}`);
  return watching;
}
