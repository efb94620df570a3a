import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { RegistryProxy } from '../support/registry-proxy.ts';
import { unfinished } from './ends.ts';
import { clearAway, neighbourOf, type Neighbour } from './foreign.ts';
import { brokenLaws } from './laws.ts';
import { wholeLog } from './log.ts';
import { Scene, type Place } from './scene.ts';
import type { Script } from './script.ts';
import { Witness } from './witness.ts';

export interface Told {
  readonly seed: number;
  /** Steps in words, as they were done. */
  readonly done: readonly string[];
  readonly seconds: number;
  /** From the last step until all was as git says. */
  readonly settledSeconds: number;
  readonly lives: number;
  readonly events: number;
  readonly residentMb: number;
  readonly openFiles: number;
  /** Each in a sentence; empty when every law held. */
  readonly broken: readonly string[];
  readonly folder: string;
}

/** Slow retries, pauses after failures of the world and a busy machine all fit in. */
const PATIENCE_MS = 120_000;
const MOST_RESIDENT_MB = 300;
const MOST_OPEN_FILES = 150;

/** What happens to the engine under a history. */
export interface Weather {
  /** Called when everything is built, and the engine may be hurt. */
  readonly mayBegin: () => void;
  /** True from the moment on at which the engine is restarted. */
  readonly restarted: () => boolean;
}

/** Plays one history on an engine and judges it. Rejects where the history itself could not be played. */
export async function playHistory(engine: OpenedEngine, script: Script, weather: Weather): Promise<Told> {
  const run = script.seed.toString(36);
  const registry = await RegistryProxy.open(engine.registry.port);
  const owner = `soak-${run}`;
  const place: Place = {
    ...{ engine, registry, owner, image: `soak-${run}` },
    witness: new Witness(engine.docker.socket, owner),
    folder: await mkdtemp(join(engine.directory, `soak-${run}-`)),
    nameOf: (server) => `${server}-${run}`,
  };
  const servers = ['a', 'b', 'c'].map(place.nameOf);
  try {
    const neighbour = await neighbourOf(engine, place.nameOf('a'));
    try {
      return await play(place, { script, neighbour, weather });
    } finally {
      await neighbour.remove();
    }
  } finally {
    place.witness.close();
    await registry.close();
    await clearAway(engine, { owner, image: place.image, servers });
  }
}

interface Played {
  readonly script: Script;
  readonly neighbour: Neighbour;
  readonly weather: Weather;
}

async function play(place: Place, { script, neighbour, weather }: Played): Promise<Told> {
  const begun = Date.now();
  const scene = await Scene.open(place, script);
  weather.mayBegin();
  const done: string[] = [];
  try {
    for (const { afterMs, step } of script.steps) {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      done.push(await scene.play(step));
    }
    await scene.heal();
    const healed = Date.now();
    const open = await comesToRest(place, scene);
    const settledSeconds = (Date.now() - healed) / 1_000;
    const fallen = await scene.fallen();
    const events = await wholeLog(scene.state);
    const { appetite } = place.witness;
    const past = {
      ...{ owner: place.owner, events, news: place.witness.news.heard, byHand: scene.byHand },
      ...{ foreign: neighbour, mostRunning: place.witness.mostRunning },
      ...{ exclusive: exclusiveOf(script, place), engineRestarted: weather.restarted() },
    };
    const broken = [...open, ...(fallen === null ? [] : [fallen]), ...brokenLaws(past)];
    return {
      ...{ seed: script.seed, done, seconds: (Date.now() - begun) / 1_000, settledSeconds },
      ...{ lives: scene.lives, events: events.length, ...appetite, folder: place.folder },
      broken: [...broken, ...(await neighbour.changed()), ...tooHungry(appetite)],
    };
  } finally {
    await scene.close();
  }
}

/** What is still not as git says after all patience; nothing is found twice, a moment apart, before it is believed. */
async function comesToRest(place: Place, scene: Scene): Promise<string[]> {
  const end = Date.now() + PATIENCE_MS;
  let quiet = 0;
  for (;;) {
    const open = await openEnds(place, scene).catch((error: unknown) => [`could not look: ${String(error)}`]);
    quiet = open.length === 0 ? quiet + 1 : 0;
    if (quiet === 3 || Date.now() > end) return open;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function openEnds({ witness, registry, owner, image }: Place, scene: Scene): Promise<string[]> {
  return unfinished({
    ...{ wanted: scene.wanted, offers: scene.offers, events: await wholeLog(scene.state) },
    containers: await witness.sight.containers(owner),
    images: await witness.sight.images(`${registry.host}/liminalcommons/${image}@`),
  });
}

/** Those that have a volume of their own in every commit. */
function exclusiveOf({ steps }: Script, { nameOf }: Place): Set<string> {
  const entries = steps.flatMap(({ step }) => (step.kind === 'commit' ? step.entries : []));
  const shared = new Set(entries.filter(({ exclusive }) => !exclusive).map(({ server }) => server));
  return new Set(entries.filter(({ server }) => !shared.has(server)).map(({ server }) => nameOf(server)));
}

function tooHungry({ residentMb, openFiles }: { residentMb: number; openFiles: number }): string[] {
  return [
    ...(residentMb > MOST_RESIDENT_MB ? [`the orchestrator had ${Math.round(residentMb)} MB`] : []),
    ...(openFiles > MOST_OPEN_FILES ? [`the orchestrator had ${openFiles} files open`] : []),
  ];
}
