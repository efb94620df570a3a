import type { Event } from '../../../src/model/event.ts';
import type { Step } from '../../../src/model/step.ts';
import type { World } from '../../../src/model/world.ts';
import { isBarred } from '../../../src/plan/choice.ts';
import { innocent, type Engine } from './engine.ts';
import { timings } from './model.ts';

/** A law of safety was broken. */
export class Broken extends Error {}

const must = (holds: boolean, law: string): void => {
  if (!holds) throw new Broken(law);
};

/** What may never happen, asked at every step before it is done. */
export function checkStep(step: Step, world: World, engine: Engine): void {
  if ('instance' in step) {
    const { instance, server } = step;
    const there = world.sighting.instances.some(({ id }) => id === instance.id);
    const isCopy = engine.copies.some(({ id }) => id === instance.id);
    must(there && instance.server === server && !isCopy, 'S3: only what is ours is ever named in a step');
  }
  const remembered = world.memory.servers[step.server];
  const setAside = (spec: string): boolean =>
    spec !== remembered?.stable && (remembered?.quarantined.some((one) => one.spec === spec) ?? false);
  if (step.kind === 'create') {
    must(!setAside(step.spec.digest), 'S6: a quarantined version is not begun');
    must(engine.has(step.spec), 'nothing is created without its image');
  }
  if (step.kind === 'start' || step.kind === 'promote') {
    must(!setAside(step.instance.specDigest), `S6: a quarantined version is not ${step.kind}ed`);
  }
  if (step.kind === 'stop' || step.kind === 'remove') {
    must(
      !(step.instance.joined && step.instance.state === 'running'),
      'S9: what answers is drained before it is stopped',
    );
  }
  if (step.kind === 'leave') checkLeave(step, world, engine);
  checkPrune(step, world);
}

/** S1, S8: what answers well leaves only when another answers. */
function checkLeave(step: Extract<Step, { kind: 'leave' }>, world: World, engine: Engine): void {
  const { instance, server, outcome } = step;
  const entry = world.desired.servers.find(({ name }) => name === server);
  const own = world.sighting.instances.filter((one) => one.server === server);
  if (outcome !== 'sick') {
    const began = Math.max(world.memory.servers[server]?.drains[instance.id] ?? Infinity, world.bootAt);
    must(world.now >= began + timings.drainMinSeconds * 1_000, 'S9: the drain lasts its minimum');
  }
  const exclusive =
    own.some(({ spec }) => spec?.order === 'stop-first') || world.wanted[server]?.order === 'stop-first';
  if (entry?.desiredState !== 'running' || exclusive || outcome === 'sick') return;
  if (engine.answer(instance, world.now) !== 'ok') return;
  const another = own.some(
    (one) =>
      one.id !== instance.id &&
      one.joined &&
      one.state === 'running' &&
      world.pulses[one.id]?.state === 'healthy',
  );
  must(another, 'S1: what answers leaves only when another answers');
}

/** S4, and the limit on removals. */
function checkPrune(step: Step, world: World): void {
  if (step.kind !== 'remove' && step.kind !== 'leave' && step.kind !== 'stop') return;
  const names = new Set(world.desired.servers.map(({ name }) => name));
  if (names.has(step.server)) return;
  must(names.size > 0, 'S4: an empty manifest removes nothing');
  const there = new Set(world.sighting.instances.map(({ server }) => server));
  const leaving = [...there].filter((server) => !names.has(server)).length;
  const all = new Set([...there, ...names]).size;
  must(leaving <= Math.max(1, Math.floor(0.3 * all)), 'no more servers go at once than may');
}

/** S2: how many run. Asked after every deed. */
export function checkCopies(engine: Engine): void {
  const running = new Map<string, number>();
  const exclusive = new Set<string>();
  for (const { server, state, spec } of engine.list()) {
    if (state !== 'running') continue;
    running.set(server, (running.get(server) ?? 0) + 1);
    if (spec?.order === 'stop-first') exclusive.add(server);
  }
  for (const [server, count] of running) {
    must(count <= (exclusive.has(server) ? 1 : 2), `S2: ${count} copies of ${server} run`);
  }
}

/** What may never be written down. */
export function checkEvent(event: Event, world: World, engine: Engine): void {
  const server = world.memory.servers[event.server_name ?? ''];
  if (event.event_type === 'version_resolved' && server?.resolved?.entry === event.entry) {
    must(!isBarred(server, event.image_digest), 'S6: what was set aside is not chosen again');
  }
  if (event.event_type === 'version_quarantined' && event.gate !== 'reverted') {
    must(event.spec !== server?.stable, 'S7: the stable version is never set aside');
    must(
      !innocent.has(engine.traits.get(event.spec) ?? 'good'),
      'no version is quarantined that did nothing wrong',
    );
  }
  if (event.event_type === 'recovery_started') {
    checkPace(event, world);
    const inFlight = Object.entries(world.memory.servers).filter(
      ([name, { recovery }]) =>
        name !== event.server_name &&
        recovery.open !== null &&
        recovery.open + timings.healthyDeadlineSeconds * 1_000 > world.now,
    ).length;
    const all = new Set([
      ...world.sighting.instances.map(({ server: one }) => one),
      ...world.desired.servers.map(({ name }) => name),
    ]);
    must(inFlight < Math.max(1, Math.floor(0.2 * all.size)), 'S15: the recovery budget holds');
  }
}

/** S10: after the last attempt only slow ones. */
function checkPace(event: Event<'recovery_started'>, { memory, now }: World): void {
  const recovery = memory.servers[event.server_name ?? '']?.recovery;
  if (recovery === undefined || event.attempt <= timings.maxAttempts || recovery.lastAt === null) return;
  must(now - recovery.lastAt >= timings.slowRetrySeconds * 1_000, 'S10: worn out servers are tried slowly');
}
