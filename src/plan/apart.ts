import type { Decision, Plan } from '../model/step.ts';
import type { World } from '../model/world.ts';
import { makePlan } from './plan.ts';

/** A server about which we made a mistake: nothing is decided for it, and what runs of it stays as it is. */
export interface Mistaken {
  readonly server: string;
  readonly error: unknown;
}

/** A plan, and the part of the world that it was made of. */
export interface PlannedApart {
  /** Without those that are set apart: whoever reads on in it meets no mistake again. */
  readonly world: World;
  readonly plan: Plan;
  readonly apart: readonly Mistaken[];
}

/**
 * The plan of all about whom a plan can be made. Each server is tried alone where that of all throws, so that a mistake
 * about one is nobody else's. Throws where none can be found to blame.
 */
export function planApart(world: World): PlannedApart {
  try {
    return { world, plan: makePlan(world), apart: [] };
  } catch (error) {
    const apart = namesIn(world).flatMap((server) => mistakeAbout(server, world) ?? []);
    if (apart.length === 0) throw error;
    const names = new Set(apart.map(({ server }) => server));
    const sound = partOf(world, (name) => !names.has(name));
    const plan = makePlan(sound);
    const decisions = [...plan.decisions.map(keepingImages), ...apart.map(undecided)];
    return { world: sound, plan: { ...plan, decisions }, apart };
  }
}

function mistakeAbout(server: string, world: World): Mistaken | null {
  try {
    makePlan(partOf(world, (name) => name === server));
    return null;
  } catch (error) {
    return { server, error };
  }
}

const namesIn = ({ desired, sighting, memory }: World): readonly string[] => [
  ...new Set([
    ...desired.servers.map(({ name }) => name),
    ...sighting.instances.map(({ server }) => server),
    ...Object.keys(memory.servers),
  ]),
];

const partOf = (world: World, isIn: (server: string) => boolean): World => ({
  ...world,
  desired: { ...world.desired, servers: world.desired.servers.filter(({ name }) => isIn(name)) },
  wanted: named(world.wanted, isIn),
  blocked: named(world.blocked, isIn),
  sighting: { ...world.sighting, instances: world.sighting.instances.filter(({ server }) => isIn(server)) },
  memory: { ...world.memory, servers: named(world.memory.servers, isIn) },
});

const named = <V>(
  record: Readonly<Record<string, V>>,
  isIn: (server: string) => boolean,
): Readonly<Record<string, V>> => Object.fromEntries(Object.entries(record).filter(([name]) => isIn(name)));

/** Nobody knows which images those need that are set apart. */
const keepingImages = (decision: Decision): Decision =>
  decision.step?.kind === 'remove_image' ? { ...decision, step: null } : decision;

const undecided = ({ server }: Mistaken): Decision => ({
  ...{ server, step: null, pull: null, wakeAt: null, held: null },
  why: 'a mistake in mcp-orchestration itself: nothing is decided for it',
});
