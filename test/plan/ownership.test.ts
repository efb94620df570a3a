import { describe, expect, it } from 'vitest';
import type { Memory } from '../../src/model/memory.ts';
import type { Instance } from '../../src/model/observed.ts';
import { withoutCopies } from '../../src/plan/ownership.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { remember } from '../../src/plan/remember.ts';
import { event, instance, memory, MINUTE, NOW, of, provenMemory, spec, world } from '../support/world.ts';

const made = spec('github');
const ours = instance(made, 'c1');
/** `docker commit`, then `docker run --name debug`: all labels are the same. */
const copy: Instance = { ...ours, id: 'x1', name: 'debug', joined: false, drift: ['name', 'image'] };
const starting = {
  ...{ instance: ours.instance, spec: made.digest, revision: 'rev1' },
  ...{ version: '1.0.0', image_digest: '' },
};
const HOUR = 60 * MINUTE;

const since = (at: number, ...more: Memory['servers']['']['made']): Memory =>
  memory({ github: provenMemory(made, 'c1', { made: more }) }, { since: at });
const knowing = since(NOW - 2 * HOUR, { instance: ours.instance, container: 'c1', spec: made.digest });
const lost = since(NOW);

const seen = (instances: readonly Instance[], log: Memory): { ours: string[]; strangers: unknown[] } => {
  const sighting = withoutCopies({ ...world().sighting, instances }, log);
  return { ours: sighting.instances.map(({ id }) => id), strangers: [...sighting.strangers] };
};

describe('ours is', () => {
  it('what the log says that we made, whatever a person made of its name', () => {
    expect(seen([{ ...ours, name: 'renamed', drift: ['name'] }], knowing).ours).toEqual(['c1']);
  });

  it('what was made of an intent whose outcome was never written', () => {
    const died = [event('server_starting', starting, { time: NOW - 2 * HOUR })].reduce(remember, memory({}));
    expect(seen([ours], died)).toEqual({ ours: ['c1'], strangers: [] });
    expect(seen([ours, copy], died).ours).toEqual(['c1']);
  });

  it('what went a moment ago, for a look that began before', () => {
    const gone = [event('instance_removed', of(ours))].reduce(remember, knowing);
    expect(seen([ours], gone).ours).toEqual(['c1']);
  });

  it('once the log is lost, what bears the name that its labels say and is of the image that they name', () => {
    expect(seen([ours, copy], lost).ours).toEqual(['c1']);
    expect(seen([ours], memory({}, { since: null })).ours).toEqual(['c1']);
  });

  it('what was made behind the end of a backup of the log that was put back, by the same signs', () => {
    const [backedUp, restored] = [NOW - 2 * HOUR, NOW];
    const began = { boot_id: 'b', owner: 'default', program_version: '1', silent_since: backedUp };
    const log = [event('orchestrator_started', began, { server: null, time: restored })].reduce(
      remember,
      since(NOW - 9 * HOUR),
    );
    const at = (createdAt: number, one: Instance = ours): Instance => ({ ...one, createdAt });
    expect(seen([at(NOW - HOUR), at(NOW - HOUR, copy)], log).ours).toEqual(['c1']);
    expect(seen([at(NOW - 3 * HOUR)], log).ours).toEqual([]);
  });
});

describe('a stranger is', () => {
  const stranger = {
    name: 'debug',
    server: 'debug',
    hostPorts: [],
    claims: { container: 'x1', server: 'github' },
  };

  it.each([
    ['with the log', knowing],
    ['without it', lost],
  ])('a copy that a person made of a container of ours, %s', (_what, log) => {
    expect(seen([ours, copy], log)).toEqual({ ours: ['c1'], strangers: [stranger] });
  });

  it.each([
    ['with the log', knowing],
    ['without it', lost],
  ])('a copy that took the name of the one it was made of, once that is gone, %s', (_what, log) => {
    const heir: Instance = { ...copy, name: ours.name, drift: ['image'] };
    expect(seen([heir], log)).toMatchObject({ ours: [], strangers: [{ server: 'github' }] });
  });

  it('what bears a name of ours and was made while the log says what we made', () => {
    const forged = { ...instance(made, 'f1'), createdAt: NOW - HOUR };
    expect(seen([forged], knowing).ours).toEqual([]);
  });

  it.each([
    ['its label cannot be read', { spec: null, drift: ['its label cannot be read'] }],
    ['the engine cannot tell of it', { drift: ['unreadable'] }],
  ])('once the log is lost, one of which nobody knows what it was made from: %s', (_what, change) => {
    expect(seen([{ ...ours, ...change }], lost).ours).toEqual([]);
  });
});

describe('a container that only claims to be ours', () => {
  const sighting = withoutCopies({ ...world().sighting, instances: [ours, copy] }, knowing);
  const scene = { github: { memory: provenMemory(made, 'c1') } };

  it('is told once, and again only with the next one', () => {
    const [note] = makePlan(world(scene, { sighting })).notes;
    const containers = [{ container_id: 'x1', name: 'debug', server: 'github' }];
    expect(note).toEqual({ event: 'foreign_container_found', fields: { containers } });
    const told = [event('foreign_container_found', { containers }, { server: null })].reduce(
      remember,
      knowing,
    );
    expect(told.foreignNoted).toEqual(['x1']);
    const quiet = world(scene, { sighting, memory: { foreignNoted: told.foreignNoted } });
    expect(makePlan(quiet).notes).toEqual([]);
    const two = {
      ...sighting,
      strangers: [
        ...sighting.strangers,
        { ...sighting.strangers[0]!, claims: { container: 'x2', server: 'github' } },
      ],
    };
    expect(makePlan(world(scene, { sighting: two, memory: { foreignNoted: ['x1'] } })).notes).toHaveLength(1);
  });

  it('holds up nothing: neither its server nor any other', () => {
    const missing = world({ github: { instances: [] } }, { sighting: { ...sighting, instances: [] } });
    expect(makePlan(missing).decisions[0]).toMatchObject({ held: null, step: { kind: 'create' } });
  });
});

describe('what the log says that we made', () => {
  const fold = (...events: Parameters<typeof remember>[1][]) =>
    events.reduce(remember, memory({})).servers['github']?.made;
  const started = event('server_started', { ...of(ours) });

  it('is an intent, then a container, and for a while one that is gone', () => {
    const intent = { instance: ours.instance, container: null, spec: made.digest };
    expect(fold(event('server_starting', starting))).toEqual([intent]);
    expect(fold(event('server_starting', starting), started)).toEqual([{ ...intent, container: 'c1' }]);
    const restarted = event('server_starting', { ...starting, container_id: 'c1' });
    expect(fold(event('server_starting', starting), started, restarted)).toHaveLength(1);
    const removed = event('instance_removed', of(ours));
    expect(fold(event('server_starting', starting), started, removed)).toEqual([
      { ...intent, container: 'c1', gone: true },
    ]);
  });

  it('never loses what may be there, however many tries came to nothing', () => {
    const tries = Array.from({ length: 100 }, (_, n) =>
      event('server_starting', { ...starting, spec: 'another', instance: `i-${n}` }),
    );
    const all = fold(started, ...tries) ?? [];
    expect(all[0]?.container).toBe('c1');
    expect(all.length).toBeLessThan(25);
  });

  it('begins with the log, or with the checkpoint of a program that did not write it down', () => {
    const first = event(
      'orchestrator_started',
      { boot_id: 'b', owner: 'o', program_version: '1' },
      { time: 7, server: null },
    );
    expect([first, event('server_starting', starting)].reduce(remember, memory({})).since).toBe(7);
    const { since: _since, ...older } = memory({});
    const checkpoint = event('memory_checkpoint', { memory: older as Memory }, { time: 9, server: null });
    expect([first, checkpoint].reduce(remember, memory({})).since).toBe(9);
  });
});
