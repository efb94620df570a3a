import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventDraft } from '../../src/model/event.ts';
import { Failure } from '../../src/model/failure.ts';
import { emptyMemory, emptyServerMemory } from '../../src/model/memory.ts';
import type { Instance, ProbeResult } from '../../src/model/observed.ts';
import { createProbe } from '../../src/probe/index.ts';
import type { Probe } from '../../src/probe/probe.ts';
import { Monitor } from '../../src/reconcile/monitor.ts';
import type { Recorder } from '../../src/reconcile/recorder.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { answer, instance, settings, spec } from '../support/world.ts';

const SECOND = 1_000;
const mute = answer({ outcome: 'failed', reason: 'timeout', silent: true });
const down = answer({ outcome: 'failed', reason: 'body_down' });
const blind = answer({ outcome: 'unknown', reason: 'probe_error' });

let clock: FakeClock;
let monitor: Monitor;
let begin = 0;
/** What each server answers; those not named are well. */
let says: Record<string, ProbeResult> = {};
/** Container id -> when we began to stop it. */
let ending: Readonly<Record<string, number>> = {};
let isFull = false;
let written: { readonly at: number; readonly draft: EventDraft }[] = [];
let troubles: unknown[] = [];
let asked: { readonly at: number; readonly server: string }[] = [];

const answering: Probe = {
  check: async (_settings, { server }) => {
    asked.push({ at: clock.now(), server });
    return says[server] ?? answer();
  },
};

function open(probe: (clock: FakeClock) => Probe = () => answering, spread = [0.5]): void {
  let drawn = 0;
  const recorder = {
    get memory() {
      return { ...emptyMemory, servers: { a: { ...emptyServerMemory, ending } } };
    },
    record: async (draft: EventDraft) => {
      if (isFull) throw new Failure('disk_full', 'the disk is full');
      written.push({ at: clock.now(), draft });
    },
  } as unknown as Recorder;
  monitor = new Monitor({
    ...{ clock, recorder, probe: probe(clock), hint: () => undefined, recordChecks: false },
    random: () => spread[drawn++ % spread.length] ?? 0,
    report: (error) => troubles.push(error),
    targetOf: (one) => ({
      ...{ container: one.id, server: one.server, address: null, version: null },
      engineHealth: one.engineHealth,
    }),
  });
}

const one = (server: string, change: Partial<Instance> = {}): Instance =>
  instance(spec(server), `${server}-1`, { startedAt: begin, ...change });

const watch = (instances: readonly Instance[], health = settings().health): void =>
  monitor.watch(
    instances.map((each) => ({
      ...{ instance: each, settings: health, startsWithinSeconds: 120, draining: false, askAt: null },
    })),
  );

/** The changes of health in the log: seconds since the beginning, when, what, and since when where it came late. */
const changes = () =>
  written
    .filter(({ draft }) => draft.event !== 'health_check_completed')
    .map(({ at, draft }) => {
      const late = 'at' in draft.fields ? ` of ${(Number(draft.fields.at) - begin) / SECOND}` : '';
      return `${(at - begin) / SECOND} ${draft.event}${late}`;
    });

beforeEach(() => {
  clock = fakeClock();
  begin = clock.now();
  [says, ending, isFull, written, troubles, asked] = [{}, {}, false, [], [], []];
});
afterEach(() => monitor.stop());

describe('an instance that we are stopping', () => {
  it('is not degraded by the 503 that it answers meanwhile, and is asked again where the stop did not end it', async () => {
    open();
    watch([one('a')]);
    await clock.advance(10 * SECOND);
    ending = { [one('a').id]: clock.now() };
    says = { a: answer({ outcome: 'failed', reason: 'status_503' }) };
    await clock.advance(50 * SECOND);
    expect(changes()).toEqual(['0.5 server_healthy']);
    await clock.advance(60 * SECOND);
    expect(changes().map((line) => line.split(' ')[1])).toEqual([
      'server_healthy',
      'server_degraded',
      'server_down',
    ]);
  });

  it('is not degraded by an answer to a question that was asked just before', async () => {
    let reply: (result: ProbeResult) => void = () => undefined;
    open(() => ({ check: () => new Promise((resolve) => (reply = resolve)) }));
    watch([one('a')]);
    await clock.advance(SECOND);
    reply(answer());
    await clock.advance(40 * SECOND);
    ending = { [one('a').id]: clock.now() };
    reply(answer({ outcome: 'failed', reason: 'status_503' }));
    await clock.advance(SECOND);
    expect(changes().map((line) => line.split(' ')[1])).toEqual(['server_healthy']);
  });
});

describe('when the log cannot be written', () => {
  it('what was found is written as soon as it can be, in order and with its time', async () => {
    open();
    watch([one('a')]);
    await clock.advance(20 * SECOND);
    says = { a: down };
    isFull = true;
    await clock.advance(40 * SECOND);
    expect(changes()).toEqual(['0.5 server_healthy']);
    expect(troubles.length).toBeGreaterThan(0);
    isFull = false;
    await clock.advance(5 * SECOND);
    expect(changes()).toEqual([
      '0.5 server_healthy',
      '60.75 server_degraded of 45.75',
      '60.75 server_down of 55.75',
    ]);
  });

  it('a look writes it too, before anything is decided', async () => {
    open();
    watch([one('a')]);
    isFull = true;
    await clock.advance(2 * SECOND);
    isFull = false;
    watch([one('a')]);
    await clock.rest();
    expect(changes()).toEqual(['2 server_healthy of 0.5']);
    await clock.advance(60 * SECOND);
    expect(changes()).toHaveLength(1);
  });

  it('a start anew loses nothing of the life before', async () => {
    open();
    watch([one('a')]);
    isFull = true;
    await clock.advance(2 * SECOND);
    watch([one('a', { startedAt: begin + 2 * SECOND })]);
    isFull = false;
    await clock.advance(2 * SECOND);
    expect(changes().map((line) => line.split(' ')[1])).toEqual(['server_healthy', 'server_healthy']);
  });

  it('a day of that takes no more memory than an hour: swings that led back are forgotten', async () => {
    open();
    watch([one('a')]);
    isFull = true;
    for (let hour = 0; hour < 3; hour += 1) {
      for (let swing = 0; swing < 60; swing += 1) {
        says = swing % 2 === 0 ? { a: down } : {};
        await clock.advance(60 * SECOND);
      }
    }
    says = { a: down };
    await clock.advance(60 * SECOND);
    isFull = false;
    watch([one('a')]);
    await clock.advance(SECOND);
    const told = written.flatMap(({ draft }) =>
      'from' in draft.fields && draft.event !== 'health_check_completed' ? [draft.fields] : [],
    );
    expect(told.length).toBeLessThanOrEqual(100);
    expect(told.at(0)).toMatchObject({ from: 'unknown' });
    expect(told.at(-1)).toMatchObject({ to: 'unhealthy' });
    for (const [index, { from }] of told.entries()) if (index > 0) expect(from).toBe(told[index - 1]?.to);
  });
});

describe('everybody keeps an own place in the interval', () => {
  const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
  const places = names.map((_, index) => index / 30);
  const most = (from: number, to: number): number => {
    const at = asked.filter((one) => one.at >= begin + from * SECOND && one.at < begin + to * SECOND);
    const seconds = at.map((one) => Math.floor(one.at / SECOND));
    return Math.max(...seconds.map((second) => seconds.filter((other) => other === second).length));
  };

  it('also after all were asked at once because one fell silent', async () => {
    open(undefined, places);
    watch(names.map((name) => one(name)));
    await clock.advance(100 * SECOND);
    expect(most(60, 100)).toBeLessThanOrEqual(2);
    says = { s0: mute };
    await clock.advance(100 * SECOND);
    expect(most(100, 200), 'all at once').toBeGreaterThanOrEqual(30);
    expect(most(160, 200)).toBeLessThanOrEqual(3);
  });

  it('one whose silences come and go does not make all be asked each time', async () => {
    open(undefined, places);
    watch(names.map((name) => one(name)));
    await clock.advance(60 * SECOND);
    asked = [];
    for (let turn = 0; turn < 20; turn += 1) {
      says = turn % 2 === 0 ? { s0: mute } : {};
      await clock.advance(15 * SECOND);
    }
    const others = asked.filter(({ server }) => server !== 's0').length;
    expect(others).toBeLessThan(29 * 10 + 2 * 29 + 1);
  });

  it('one that has never answered yet alarms nobody', async () => {
    says = { s0: mute };
    open(undefined, places);
    watch(names.map((name) => one(name)));
    await clock.advance(60 * SECOND);
    expect(asked.filter(({ server }) => server === 's1').length).toBeLessThanOrEqual(4);
  });
});

describe("the image's own health check", () => {
  const health = { ...settings().health, probe: { docker: {} } };
  const engineSays = (engineHealth: Instance['engineHealth']) => [one('a', { engineHealth })];

  it('is read off each look: what is new counts at once', async () => {
    open((clock) => createProbe({ clock }));
    watch(engineSays('healthy'), health);
    await clock.advance(20 * SECOND);
    watch(engineSays('unhealthy'), health);
    await clock.advance(12 * SECOND);
    expect(changes()).toEqual(['0.5 server_healthy', '20 server_degraded', '30 server_down']);
  });

  it('is unknown when the engine could not be looked at for a while', async () => {
    open((clock) => createProbe({ clock }));
    watch(engineSays('healthy'), health);
    await clock.advance(80 * SECOND);
    expect(monitor.pulses()['a-1']).toMatchObject({ fresh: true, state: 'healthy' });
    await clock.advance(60 * SECOND);
    expect(monitor.pulses()['a-1']).toMatchObject({
      fresh: false,
      state: 'healthy',
      reason: 'engine_unseen',
    });
    watch(engineSays('healthy'), health);
    await clock.advance(6 * SECOND);
    expect(monitor.pulses()['a-1']).toMatchObject({ fresh: true });
  });
});

describe('how long a hang went unseen', () => {
  it('counts from the last good answer', async () => {
    open();
    watch([one('a')]);
    await clock.advance(20 * SECOND);
    says = { a: down };
    await clock.advance(60 * SECOND);
    expect(written.at(-1)?.draft).toMatchObject({
      event: 'server_down',
      fields: { seconds_to_detect: expect.any(Number) as number },
    });
  });

  it('is not known where we could not see in between', async () => {
    open();
    watch([one('a')]);
    await clock.advance(60 * SECOND);
    says = { a: blind };
    await clock.advance(540 * SECOND);
    expect(changes().at(-1)).toMatch(/server_unseen of \d+/);
    says = { a: down };
    await clock.advance(60 * SECOND);
    const last = written.at(-1)?.draft;
    expect(last?.event).toBe('server_down');
    expect(last?.fields).not.toHaveProperty('seconds_to_detect');
    expect(changes().map((line) => line.split(' ')[1])).toEqual([
      ...['server_healthy', 'server_unseen', 'server_seen', 'server_degraded', 'server_down'],
    ]);
  });
});
