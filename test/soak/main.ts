// Random histories of commits, releases, faults and kills on an engine of their own, judged from outside:
//   npm run soak -- --minutes 30          as many histories as begin in that time
//   npm run soak -- --histories 100       so many
//   npm run soak -- --seed 7 --histories 1 --alone     one again, with nothing beside it
import { cp, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEngine, type PrivateEngine } from '../../examples/engine/engine.ts';
import { testServerImage } from '../support/test-server-image.ts';
import { Random, seedOf } from '../support/random.ts';
import { Gathering } from './gathering.ts';
import { playHistory, type Told, type Weather } from './history.ts';
import { scriptOf } from './script.ts';
import { Sight } from './sight.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    histories: { type: 'string' },
    seed: { type: 'string' },
    /** How many are played at a time. */
    beside: { type: 'string', default: '4' },
    alone: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const beside = values.alone ? 1 : Number(values.beside);
const most = Number(values.histories ?? (values.minutes === undefined ? 8 : Infinity));
const until = values.minutes === undefined ? Infinity : Date.now() + Number(values.minutes) * 60_000;

const env = { ...process.env, MCP_ORCHESTRATION_TEST_ENGINE: '' };
const engine = (await openEngine({ env, say: console.log, alwaysPrivate: true })) as PrivateEngine;
try {
  process.exitCode = await soak();
} finally {
  await engine.stop();
}

async function soak(): Promise<number> {
  console.log(`seed ${seed}, ${beside} histories at a time`);
  await testServerImage(engine);
  const all: Told[] = [];
  for (let round = 0; all.length < most && Date.now() < until; round += 1)
    all.push(...(await playRound(round, all.length)));
  const lost = await new Sight(engine.docker.socket).lostVolumes();
  summary(all, lost);
  return all.some(({ broken }) => broken.length > 0) || lost.length > 0 ? 1 : 0;
}

/** Some histories beside each other; in some rounds the engine restarts under all of them. */
async function playRound(round: number, done: number): Promise<Told[]> {
  const random = new Random(seedOf(seed, 1_000_000 + round));
  const open = new Gathering(Math.min(beside, most - done));
  let restarted = false;
  const restarts = random.chance(0.35);
  const played = Array.from({ length: open.size }, (_, position) => {
    const mayBegin = (): void => open.come(position);
    return playOne(done + position, { mayBegin, restarted: () => restarted }).finally(mayBegin);
  });
  const hurt = open.complete.then(() =>
    restarts ? restartAfter(random, () => (restarted = true)) : undefined,
  );
  const told = await Promise.all(played);
  await hurt;
  return told;
}

async function playOne(nth: number, weather: Weather): Promise<Told> {
  const script = scriptOf(values.alone ? seed : seedOf(seed, nth));
  const told = await playHistory(engine, script, weather).catch((error: unknown) =>
    notPlayed(script.seed, error),
  );
  await tell(nth, told, weather.restarted());
  return told;
}

function notPlayed(seed: number, error: unknown): Told {
  const nothing = {
    done: [],
    seconds: 0,
    settledSeconds: 0,
    lives: 0,
    events: 0,
    residentMb: 0,
    openFiles: 0,
  };
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { ...nothing, seed, broken: [`could not be played: ${why}`], folder: '' };
}

async function restartAfter(random: Random, tell: () => void): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, random.whole(3_000, 30_000)));
  tell();
  if (random.chance(0.5)) return engine.restartEngine();
  await engine.killEngine();
  await new Promise((resolve) => setTimeout(resolve, random.whole(0, 3_000)));
  await engine.startEngine();
}

async function tell(nth: number, told: Told, restarted: boolean): Promise<void> {
  const { broken, done, seconds, settledSeconds, lives, events, residentMb, openFiles } = told;
  const figures = [
    `${seconds.toFixed(0)} s, at rest after ${settledSeconds.toFixed(1)} s`,
    `${lives} lives, ${events} events, ${residentMb.toFixed(0)} MB, ${openFiles} files`,
  ];
  const verdict = broken.length === 0 ? 'held  ' : 'BROKEN';
  console.log(
    `${verdict} #${nth} seed ${told.seed}${restarted ? ' engine restart' : ''}: ${figures.join('; ')}; ${done.join(', ')}`,
  );
  for (const one of broken) console.log(`         ${one}`);
  if (broken.length === 0 || told.folder === '') return;
  const kept = join(tmpdir(), 'mcp-orchestration-soak', String(told.seed));
  await mkdir(kept, { recursive: true });
  await cp(told.folder, kept, { recursive: true });
  console.log(
    `         its log and repository: ${kept}; again: npm run soak -- --alone --histories 1 --seed ${told.seed}`,
  );
}

function summary(all: readonly Told[], lostVolumes: readonly string[]): void {
  const broken = all.filter((told) => told.broken.length > 0);
  const highest = (of: (told: Told) => number): number => Math.max(0, ...all.map(of));
  console.log(
    [
      `${all.length} histories, ${all.length - broken.length} held, ${broken.length} broken (seed ${seed})`,
      `${all.reduce((sum, { lives }) => sum + lives, 0)} lives of the orchestrator, ${all.reduce((sum, { events }) => sum + events, 0)} events`,
      `at rest after at most ${highest(({ settledSeconds }) => settledSeconds).toFixed(1)} s`,
      `at most ${highest(({ residentMb }) => residentMb).toFixed(0)} MB and ${highest(({ openFiles }) => openFiles)} open files`,
      `${lostVolumes.length} volumes without an owner`,
    ].join('\n'),
  );
}
