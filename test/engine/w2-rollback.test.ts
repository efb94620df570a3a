import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containersOf } from '../../examples/stage/containers.ts';
import type { LoggedEvent } from '../../examples/stage/events.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { Gateway } from '../../examples/stage/gateway.ts';
import {
  allReady,
  behave,
  eventsOf,
  isLive,
  isOf,
  openTestStage,
  theServer,
  untilEvent,
  type TestStage,
} from '../support/stage.ts';
import type { TestServerBehaviour } from '../support/test-server-image.ts';

/** Longer healthy than a version is that ends itself after 5 s, or it would be live by then. */
const update = {
  ...{ min_healthy_seconds: 8, healthy_deadline_seconds: 14, soak_seconds: 40 },
  ...{ drain_min_seconds: 3, drain_timeout_seconds: 30 },
};
/** The old one still drains when the new one falls ill 20 s after its promotion. */
const drainsLong = { ...update, drain_min_seconds: 25 };
/** What the orchestrator gives to one that is asked to end. */
const graceMs = 10_000;

interface Bad {
  readonly does: string;
  readonly server: string;
  readonly version: string;
  readonly behaviour: TestServerBehaviour;
  readonly gate: string;
  readonly reason: RegExp;
  readonly exitCode?: number;
  /** What its log says, where it wrote any. */
  readonly writes?: RegExp;
  readonly timings?: Readonly<Record<string, number>>;
  /** Made ill so long after its promotion. */
  readonly illAfterMs?: number;
}

const bad: readonly Bad[] = [
  {
    ...{ does: 'exits at once', server: 'a', version: '2.0.1', behaviour: 'exit-at-once' },
    ...{ gate: 'start', reason: /^exited_1$/, exitCode: 1, writes: /cannot begin/ },
  },
  {
    ...{ does: 'exits after 5 s', server: 'b', version: '2.0.2', behaviour: 'exit-after-5s' },
    ...{ gate: 'start', reason: /^exited_1$/, exitCode: 1, writes: /listens/ },
  },
  {
    ...{ does: 'never listens', server: 'c', version: '2.0.3', behaviour: 'never-listen' },
    ...{ gate: 'health', reason: /./ },
  },
  {
    ...{ does: 'answers 503', server: 'd', version: '2.0.4', behaviour: 'answer-503' },
    ...{ gate: 'health', reason: /^status_503$/, writes: /listens/ },
  },
  {
    ...{ does: 'answers with another version', server: 'e', version: '2.0.5', behaviour: 'wrong-version' },
    ...{ gate: 'version', reason: /^reports_version_2\.0\.5-wrong$/, writes: /listens/ },
  },
  {
    ...{ does: 'falls ill 20 s after its promotion', server: 'f', version: '2.0.6', behaviour: 'ok' },
    ...{ gate: 'soak', reason: /./, writes: /listens/, timings: drainsLong, illAfterMs: 20_000 },
  },
  {
    ...{ does: 'falls ill and ignores SIGTERM', server: 'h', version: '2.0.8', behaviour: 'ignore-sigterm' },
    ...{ gate: 'soak', reason: /./, writes: /listens/, illAfterMs: 2_000 },
  },
];

describe('new versions that are bad, each under load', () => {
  let stage: TestStage;
  let watching: Watching;
  let gateway: Gateway;

  beforeAll(async () => {
    stage = await openTestStage();
    for (const { version, behaviour } of bad) await theServer(stage.engine, version, behaviour);
    await theServer(stage.engine, '1.0.7', 'ignore-sigterm');
    await theServer(stage.engine, '2.0.7');
    watching = await stage.watch();
    const names = [...bad.map(({ server }) => server), 'g'].map(stage.name);
    await allReady(watching, await stage.merge([...bad.map((one) => entryOf(one)), deaf('1.0.7')]), names);
    gateway = await new Gateway(watching.url).open();
    for (const name of names) gateway.load(name, 15);
    gateway.session(stage.name('f'));
    for (const name of ['b', 'f', 'h'].map(stage.name)) {
      gateway.long(name, 4_000, 500);
      gateway.streams(name, 3_000, 500);
    }
    await stage.merge([...bad.map((one) => entryOf(one, one.version)), deaf('2.0.7')]);
    await Promise.all([...bad.map(fallsIll), ...bad.map(isSetAside), isGone('g', '1.0.7')]);
    await Promise.all(bad.map(({ server, version }) => isGone(server, version)));
    await gateway.close();
  });

  afterAll(async () => {
    await gateway.close();
    await stage.close();
  });

  test.each(bad)('one that $does is set aside, and the old one answers all the time', async (one) => {
    const name = stage.name(one.server);
    expect(gateway.failed.filter((line) => line.startsWith(name))).toEqual([]);
    expect(gateway.traffic(name, 'short').answered).toBeGreaterThan(100);
    const fallen = await eventsOf(watching, 'server_down', name);
    const begun = (await eventsOf(watching, 'update_started', name)).at(-1)?.seq ?? 0;
    expect(fallen.filter(({ version, seq }) => version === '1.0.0' && seq > begun)).toEqual([]);
    const left = await containersOf(stage.engine, stage.owner, name);
    expect(left.filter(({ State }) => State === 'running')).toHaveLength(1);
  });

  test.each(bad)(
    'what is told of one that $does: the gate, the evidence, the way back, in one rollout',
    async (one) => {
      const name = stage.name(one.server);
      const [verdict, ...more] = await eventsOf(watching, 'version_quarantined', name);
      expect(more).toEqual([]);
      expect(verdict).toMatchObject({ version: one.version, gate: one.gate });
      const evidence = verdict?.['evidence'] as {
        reason: string;
        exit_code?: number;
        log: readonly string[];
      };
      expect(evidence.reason).toMatch(one.reason);
      expect(evidence.exit_code ?? undefined).toBe(one.exitCode);
      if (one.writes === undefined) expect(evidence.log).toEqual([]);
      else expect(evidence.log.join('\n')).toMatch(one.writes);
      const types = ['update_started', 'update_gate_failed', 'version_quarantined', 'rollback_started'];
      const told = await rolloutOf(name, [...types, 'rollback_completed'], verdict);
      expect(told.map(({ event_type }) => event_type)).toEqual([...types, 'rollback_completed']);
      expect(told[1]).toMatchObject({ gate: one.gate, class: 'version', version: one.version });
      expect(told[3]).toMatchObject({ from_version: one.version, to_version: '1.0.0' });
    },
  );

  test('long requests, streams and sessions go over to the new one and back, and none is cut', () => {
    for (const server of ['f', 'h'].map(stage.name))
      for (const kind of ['short', 'long', 'stream'] as const)
        expect(gateway.traffic(server, kind).versions.length, `${server} ${kind}`).toBe(2);
    expect(gateway.failed).toEqual([]);
  });

  test('a new one that ignores SIGTERM is killed when its grace is over, long after the old one is back', async () => {
    const name = stage.name('h');
    const [asked] = await eventsOf(watching, 'instance_removing', name);
    const [gone] = await eventsOf(watching, 'instance_removed', name);
    const [back] = await eventsOf(watching, 'rollback_completed', name);
    expect(asked?.version).toBe('2.0.8');
    expect((gone?.time_ms ?? 0) - (asked?.time_ms ?? 0)).toBeGreaterThanOrEqual(graceMs);
    expect(back?.seq).toBeLessThan(asked?.seq ?? 0);
  });

  test('an old one that ignores SIGTERM is forced to end, and nobody notices', async () => {
    const name = stage.name('g');
    expect(gateway.failed.filter((line) => line.startsWith(name))).toEqual([]);
    expect(gateway.traffic(name, 'short').versions).toEqual(['1.0.7', '2.0.7']);
    expect(await containersOf(stage.engine, stage.owner, name)).toHaveLength(1);
  });

  test('a version set aside is not tried again after a restart', async () => {
    await watching.orchestrator.stop();
    const again = await stage.watch();
    await again.status.until(
      'looked',
      ({ servers }) => servers.filter(({ routable }) => routable).length === bad.length + 1,
    );
    const started = (await eventsOf(again, 'update_started')).length;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await eventsOf(again, 'update_started')).toHaveLength(started);
    const { servers } = await again.status.until('now', () => true);
    for (const { server, version } of bad) {
      const record = servers.find(({ name }) => name === stage.name(server));
      expect(record).toMatchObject({ version: '1.0.0', update: { quarantined: [{ version }] } });
    }
  });

  const entryOf = ({ server, timings = update }: Bad, version?: string): ReturnType<TestStage['entry']> =>
    stage.entry(server, { update: timings }, version);

  const deaf = (version: string): ReturnType<TestStage['entry']> =>
    stage.entry('g', { update: { ...update, drain_timeout_seconds: 3 } }, version);

  async function fallsIll({ server, version, illAfterMs }: Bad): Promise<void> {
    if (illAfterMs === undefined) return;
    const live = await watching.status.server(stage.name(server), isLive(version));
    await new Promise((resolve) => setTimeout(resolve, illAfterMs));
    await behave(live, 'unhealthy');
  }

  async function isSetAside({ server }: Bad): Promise<void> {
    const name = stage.name(server);
    await untilEvent(watching, isOf(name, 'rollback_completed'), 60_000);
    await watching.status.server(name, isLive('1.0.0'));
  }

  async function isGone(server: string, version: string): Promise<void> {
    await untilEvent(watching, isOf(stage.name(server), 'instance_removed', version), 60_000);
  }

  /** Events of these types that are of one rollout with another, in their order. */
  async function rolloutOf(
    name: string,
    types: readonly string[],
    of: LoggedEvent | undefined,
  ): Promise<LoggedEvent[]> {
    const all = await Promise.all(types.map((type) => eventsOf(watching, type, name)));
    const told = all.flat().filter((event) => event['rollout_id'] === of?.['rollout_id']);
    return told.sort((a, b) => a.seq - b.seq);
  }
});
