import { oncePer } from '../lib/once.ts';
import { ownValue } from '../lib/own-value.ts';
import type { DesiredServer } from '../model/desired.ts';
import { emptyServerMemory, type ServerMemory } from '../model/memory.ts';
import type { Instance, Pulse } from '../model/observed.ts';
import { imageRefOf, type Spec } from '../model/spec.ts';
import type { View, World } from '../model/world.ts';

/** A view for every server wanted, there or remembered: those of the manifest in its order, then the others by name. */
export function viewsOf(world: World): View[] {
  const shared = share(world);
  const wanted = world.desired.servers.map(({ name }) => name);
  const known = new Set([...shared.instances.keys(), ...Object.keys(world.memory.servers)]);
  const others = [...known].filter((name) => !shared.entries.has(name)).sort();
  return [...wanted, ...others].map((name) => viewOf(world, name, shared));
}

export const memoryOf = ({ memory }: Pick<World, 'memory'>, server: string): ServerMemory =>
  ownValue(memory.servers, server) ?? emptyServerMemory;

/** Its entry in the manifest; undefined: it has none. */
export const entryOf = ({ desired }: Pick<World, 'desired'>, server: string): DesiredServer | undefined =>
  entriesOf(desired.servers).get(server);

export const instancesOf = ({ sighting }: Pick<World, 'sighting'>, server: string): readonly Instance[] =>
  byServer(sighting.instances).get(server) ?? [];

/** The pulse that belongs to the instance's present start; null: nothing was asked since. */
export function pulseOf(world: { readonly pulses: World['pulses'] }, instance: Instance): Pulse | null {
  const pulse = ownValue(world.pulses, instance.id);
  return pulse?.startedAt === instance.startedAt ? pulse : null;
}

const entriesOf = oncePer(
  (servers: readonly DesiredServer[]): ReadonlyMap<string, DesiredServer> =>
    new Map(servers.map((entry) => [entry.name, entry])),
);

const byServer = oncePer(groupByServer);

/** What is the same for every server, worked out once a look. */
interface Shared {
  readonly entries: ReadonlyMap<string, DesiredServer>;
  readonly instances: ReadonlyMap<string, readonly Instance[]>;
  readonly ready: ReadonlySet<string>;
  readonly images: ReadonlySet<string>;
  readonly imagesInUse: ReadonlySet<string>;
  /** The one that also removes the images of servers that are gone; null: none is well. */
  readonly caretaker: string | null;
  /** Unwanted servers that are still there -> what they depend on. */
  readonly unwanted: ReadonlyMap<string, readonly string[]>;
}

function share(world: World): Shared {
  const entries = entriesOf(world.desired.servers);
  const instances = byServer(world.sighting.instances);
  const unwanted = [...instances].filter(([name]) => !entries.has(name));
  const ready = new Set(
    [...instances].filter(([, own]) => own.some((one) => isReady(world, one))).map(([name]) => name),
  );
  return {
    entries,
    instances,
    ready,
    images: new Set(world.sighting.images),
    imagesInUse: imagesInUse(world),
    caretaker: world.desired.servers.find(({ name }) => ready.has(name))?.name ?? null,
    unwanted: new Map(unwanted.map(([name, own]) => [name, dependenciesOf(own)])),
  };
}

function viewOf(world: World, name: string, shared: Shared): View {
  const { now, bootAt, sighting, pulses, killRequests, specs } = world;
  const entry = shared.entries.get(name) ?? null;
  const depsMissing = (entry?.dependsOn ?? []).filter((dependency) => !shared.ready.has(dependency));
  const mayBegin = entry !== null && entry.refusal === null;
  return {
    name,
    now,
    bootAt,
    engineStartedAt: sighting.engine.startedAt,
    entry,
    wanted: mayBegin ? (ownValue(world.wanted, name) ?? null) : null,
    blocked: mayBegin ? (ownValue(world.blocked, name) ?? null) : null,
    check: mayBegin ? (world.checks.get(name) ?? null) : null,
    instances: shared.instances.get(name) ?? [],
    pulses,
    killRequests,
    memory: memoryOf(world, name),
    specs,
    images: shared.images,
    depsReady: depsMissing.length === 0,
    depsMissing,
    strangers: sighting.strangers,
    brought: broughtBy(world, name, shared),
    imagesInUse: shared.imagesInUse,
    dependantsGone: dependantsOf(name, shared.unwanted).length === 0,
  };
}

function groupByServer(instances: readonly Instance[]): Map<string, Instance[]> {
  const groups = new Map<string, Instance[]>();
  for (const instance of instances) {
    const group = groups.get(instance.server);
    if (group === undefined) groups.set(instance.server, [instance]);
    else group.push(instance);
  }
  return groups;
}

/** It answers, and we know it from an answer of its own. */
function isReady(world: World, instance: Instance): boolean {
  if (instance.state !== 'running' || !instance.joined) return false;
  const pulse = pulseOf(world, instance);
  return pulse !== null && pulse.fresh && (pulse.state === 'healthy' || pulse.state === 'degraded');
}

function imagesInUse({ sighting, wanted, memory, specs }: World): Set<string> {
  const labelled = sighting.instances.map(({ spec }) => spec);
  const remembered = Object.values(memory.servers)
    .flatMap(({ stable, promoted }) => [stable, promoted?.spec])
    .map((digest) => ownValue(specs, digest ?? ''));
  const all: (Spec | null | undefined)[] = [...labelled, ...Object.values(wanted), ...remembered];
  return new Set([...all.flatMap((spec) => (spec ? [imageRefOf(spec)] : [])), ...keptImages(memory)]);
}

/** Of the last versions that were proven, whoever brought them here: going back to one needs no registry. */
function keptImages({ servers, orphans }: World['memory']): string[] {
  const all = Object.values(servers);
  const stable = new Set(all.flatMap(({ stableImages }) => stableImages));
  const brought = [...all.flatMap(({ pulled }) => pulled), ...Object.keys(orphans)];
  return brought.filter((ref) => stable.has(ref.slice(ref.indexOf('@') + 1)));
}

function broughtBy(world: World, name: string, { caretaker }: Shared): View['brought'] {
  const { pulled, pulledAt } = memoryOf(world, name);
  const own = Object.fromEntries(pulled.map((ref) => [ref, ownValue(pulledAt, ref) ?? 0]));
  return name === caretaker ? { ...world.memory.orphans, ...own } : own;
}

const dependenciesOf = (instances: readonly Instance[]): string[] => [
  ...new Set(instances.flatMap(({ spec }) => spec?.settings.dependsOn ?? [])),
];

/** Unwanted servers that must go before this one. Those it depends on itself, over however many, do not wait for it. */
function dependantsOf(name: string, unwanted: Shared['unwanted']): string[] {
  const own = reachable(name, unwanted);
  return [...unwanted]
    .filter(([other, needs]) => needs.includes(name) && !own.has(other))
    .map(([other]) => other);
}

function reachable(name: string, unwanted: Shared['unwanted']): Set<string> {
  const found = new Set<string>([name]);
  for (const one of found) for (const need of unwanted.get(one) ?? []) found.add(need);
  return found;
}
