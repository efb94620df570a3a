import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { toLine } from '../../src/journal/line.ts';
import type { Event } from '../../src/model/event.ts';
import { emptyMemory, type Memory } from '../../src/model/memory.ts';
import { planApart } from '../../src/plan/apart.ts';
import { toStatus } from '../../src/plan/describe.ts';
import { rememberLine } from '../../src/plan/remember.ts';
import type { Rooms } from '../../src/reconcile/rooms.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { sampleEvents } from '../support/sample-log.ts';
import { entry, liveOf, manifest, publish } from './stories.ts';

let stage: Stage;
afterEach(() => stage.close());

async function begun(wrap?: (rooms: Rooms) => Rooms): Promise<void> {
  stage = await openStage(wrap === undefined ? {} : { wrap });
  publish(stage, '1.0.0');
  await stage.start();
  await stage.commit(manifest({ a: entry('1.0.0'), b: entry('1.0.0') }));
}

/** What another program, an older one or a disk put into the log while nobody ran. */
async function written(line: (seq: number, memory: Memory) => Event): Promise<void> {
  const { memory } = stage.orchestrator().recorder;
  await stage.stop();
  const { seq } = (await stage.events()).at(-1) ?? { seq: 0 };
  await appendFile(join(stage.directory, 'events.jsonl'), `${toLine(line(seq + 1, memory))}\n`);
}

const stamped = (seq: number, fields: object): Event =>
  ({
    ...{ trace_id: 't', timestamp: '2030-03-17T17:46:40Z', repo: 'mcp-orchestration', seq },
    ...{ time_ms: stage.clock.now(), ...fields },
  }) as unknown as Event;

const mistakes = async () => (await stage.events()).filter((event) => event.event_type === 'internal_error');

const statusOf = (server: string) => {
  const { world, plan, aside, ...work } = stage.published();
  const around = { source, ...work, advertise: null };
  const { servers } = toStatus(world, plan, around, { servers: aside, before: null });
  return servers.find(({ name }) => name === server);
};

/** It falls, and is brought back. */
async function isLookedAfter(server: string): Promise<void> {
  stage.engine.controls.crash(liveOf(stage, server), 1);
  await stage.pass(60_000);
  expect(statusOf(server)).toMatchObject({ phase: 'ready', health: 'healthy' });
}

describe('a mistake about one server is nobody else’s', () => {
  it('where nothing can be decided about it: it is told once, is failed, and the others are looked after', async () => {
    await begun();
    await stage.settled();
    await written((seq, memory) => {
      const { b } = memory.servers;
      const servers = { ...memory.servers, b: { ...b, quarantined: null } };
      return stamped(seq, { event_type: 'memory_checkpoint', memory: { ...memory, servers } });
    });
    await stage.start();
    await stage.pass(30_000);
    await isLookedAfter('a');
    await stage.pass(600_000);
    expect(statusOf('b')).toMatchObject({ phase: 'failed', reason: 'internal_error' });
    expect((await mistakes()).map(({ server_name, doing }) => `${server_name} ${doing}`)).toEqual([
      'b decision',
    ]);
    expect(stage.engine.controls.instances().filter(({ state }) => state === 'running')).toHaveLength(2);
  });

  it('where a deed of it goes wrong: it is tried again with pauses and told once', async () => {
    let tries = 0;
    await begun((rooms) => ({
      ...rooms,
      runtime: {
        ...rooms.runtime,
        create: async (birth, signal) => {
          if (birth.spec.server === 'a') return rooms.runtime.create(birth, signal);
          tries += 1;
          throw new TypeError('cannot read properties of undefined');
        },
      },
    }));
    await stage.pass(30_000);
    await isLookedAfter('a');
    await stage.pass(180_000);
    expect(statusOf('b')).toMatchObject({ phase: 'failed', reason: 'internal_error' });
    expect(await mistakes()).toMatchObject([{ server_name: 'b', doing: 'deed' }]);
    expect(tries).toBeGreaterThan(4);
    expect(tries).toBeLessThan(15);
  });

  it('where its health cannot be asked for: the others are asked', async () => {
    await begun((rooms) => ({
      ...rooms,
      probe: {
        check: async (probe, target, timeoutMs, signal) => {
          if (target.server === 'b') throw new TypeError('cannot read properties of undefined');
          return rooms.probe.check(probe, target, timeoutMs, signal);
        },
      },
    }));
    await stage.pass(30_000);
    await isLookedAfter('a');
    expect(await mistakes()).toMatchObject([{ server_name: 'b', doing: 'watching' }]);
  });
});

it('a line of the log that cannot be remembered is set aside and told once, and run starts', async () => {
  await begun();
  await stage.settled();
  const about = { instance: 'i-1', container_id: 'c', spec: 's', version: null };
  await written((seq) =>
    stamped(seq, {
      event_type: 'drift_detected',
      server_name: 'b',
      ...about,
      drift: [{ toString: 1, valueOf: 1 }],
    }),
  );
  const { seq: line } = (await stage.events()).at(-1) ?? { seq: 0 };
  for (const _start of [1, 2]) {
    await stage.start();
    await stage.pass(30_000);
    await isLookedAfter('b');
    expect(await mistakes()).toMatchObject([{ server_name: 'b', doing: 'memory', line }]);
    await stage.stop();
  }
  await stage.start();
});

it('no line of the log, whatever is in it, ends memory or the plan of the others', async () => {
  await begun();
  await stage.settled();
  const { world } = stage.published();
  const known = await stage.events();
  const lines = [...known, ...sampleEvents].map((one) => one as unknown as Record<string, unknown>);
  const odd = fc.oneof(fc.anything(), fc.constantFrom(null, '', '__proto__', 'constructor', [], {}, NaN));
  const change = fc.record({
    line: fc.constantFrom(...lines),
    at: fc.nat(),
    value: odd,
    server: fc.constantFrom('b', 'constructor', '__proto__'),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const memory = changes.reduce<Memory>((before, { line, at, value, server }) => {
        const keys = Object.keys(line).filter(
          (key) => !['event_type', 'seq', 'time_ms', 'server_name'].includes(key),
        );
        const key = keys[at % keys.length] ?? 'spec';
        // Whole lines are about one server: what is odd in them must not reach another.
        if (line['event_type'] === 'manifest_synced' || line['event_type'] === 'memory_checkpoint')
          return before;
        return rememberLine(before, { ...line, server_name: server, [key]: value } as unknown as Event)
          .memory;
      }, world.memory ?? emptyMemory);
      const { plan } = planApart({ ...world, memory });
      expect(plan.decisions.find(({ server }) => server === 'a')?.why).not.toContain('a mistake');
    }),
    { numRuns: 150 },
  );
});

const source = {
  ...{ url: 'u', branch: 'main', attempted_revision: 'r', applied_revision: 'r' },
  ...{ state: 'synced' as const, last_successful_sync_at: null, error: null },
};
