import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containersOf } from '../../examples/stage/containers.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { isReady } from '../../examples/stage/status.ts';
import { Gateway } from '../../examples/stage/gateway.ts';
import {
  allReady,
  eventsOf,
  openTestStage,
  theServer,
  untilEvent,
  type TestStage,
} from '../support/stage.ts';
import type { TestServerBehaviour } from '../support/test-server-image.ts';

/** Longer than a version takes that ends itself after 3 s, or it would be live by then. */
const update = {
  ...{ min_healthy_seconds: 6, healthy_deadline_seconds: 12, soak_seconds: 30 },
  ...{ drain_min_seconds: 3, drain_timeout_seconds: 30 },
};

interface Bad {
  readonly does: string;
  readonly server: string;
  readonly version: string;
  readonly behaviour: TestServerBehaviour;
  readonly gate: string;
  readonly reason: RegExp;
}

const bad: readonly Bad[] = [
  {
    does: 'exits at once',
    server: 'a',
    version: '2.0.1',
    behaviour: 'exit-at-once',
    gate: 'start',
    reason: /^exited_1$/,
  },
  {
    does: 'exits after a while',
    server: 'b',
    version: '2.0.2',
    behaviour: 'exit-after-5s',
    gate: 'start',
    reason: /^exited_1$/,
  },
  {
    does: 'never listens',
    server: 'c',
    version: '2.0.3',
    behaviour: 'never-listen',
    gate: 'health',
    reason: /./,
  },
  {
    does: 'answers 503',
    server: 'd',
    version: '2.0.4',
    behaviour: 'answer-503',
    gate: 'health',
    reason: /^status_503$/,
  },
  {
    does: 'answers with another version',
    server: 'e',
    version: '2.0.5',
    behaviour: 'wrong-version',
    gate: 'version',
    reason: /^reports_version_2\.0\.5-wrong$/,
  },
  {
    does: 'falls ill after its promotion',
    server: 'f',
    version: '2.0.6',
    behaviour: 'ok',
    gate: 'soak',
    reason: /./,
  },
];

describe('new versions that are bad, each under load', () => {
  let stage: TestStage;
  let watching: Watching;
  let gateway: Gateway;

  beforeAll(async () => {
    stage = await openTestStage();
    for (const { version, behaviour } of bad) await theServer(stage.engine, version, behaviour, 3);
    await theServer(stage.engine, '1.0.7', 'ignore-sigterm');
    await theServer(stage.engine, '2.0.7');
    watching = await stage.watch();
    const entries = bad.map(({ server }) => stage.entry(server, { update }));
    const deaf = stage.entry('g', { update: { ...update, drain_timeout_seconds: 3 } }, '1.0.7');
    const names = [...bad.map(({ server }) => server), 'g'].map(stage.name);
    await allReady(watching, await stage.merge([...entries, deaf]), names);
    gateway = await new Gateway(watching.url).open();
    for (const name of names) gateway.load(name, 15);
    gateway.session(stage.name('f'));
    await stage.merge([
      ...bad.map(({ server, version }) => stage.entry(server, { update }, version)),
      stage.entry('g', { update: { ...update, drain_timeout_seconds: 3 } }, '2.0.7'),
    ]);
    await fallIll();
    await Promise.all([...bad.map(isSetAside), deafOneIsGone()]);
    await gateway.close();
  });

  afterAll(async () => {
    await gateway.close();
    await stage.close();
  });

  test.each(bad)('one that $does is set aside, and the old one answers all the time', async (one) => {
    const name = stage.name(one.server);
    const [verdict, ...more] = await eventsOf(watching, 'version_quarantined', name);
    expect(more).toEqual([]);
    expect(verdict).toMatchObject({ version: one.version, gate: one.gate });
    const { reason, log } = verdict?.['evidence'] as { reason: string; log: readonly string[] };
    expect(reason).toMatch(one.reason);
    expect(log).toBeInstanceOf(Array);
    expect(gateway.failed.filter((line) => line.startsWith(name))).toEqual([]);
    expect(gateway.traffic(name, 'short').answered).toBeGreaterThan(100);
    expect(
      await eventsOf(watching, 'server_down', name).then((all) =>
        all.filter(({ version }) => version === '1.0.0'),
      ),
    ).toEqual([]);
    const told = (await eventsOf(watching, 'rollback_started', name)).map(({ to_version }) => to_version);
    expect(told).toEqual(['1.0.0']);
    const left = await containersOf(stage.engine, stage.owner, name);
    expect(left.filter(({ State }) => State === 'running')).toHaveLength(1);
  });

  test('one that ignores SIGTERM is forced to end, and nobody notices', async () => {
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
      ({ servers }) => servers.filter(({ routable }) => routable).length === 7,
    );
    await untilEvent(again, ({ event_type }) => event_type === 'orchestrator_started');
    const started = (await eventsOf(again, 'update_started')).length;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await eventsOf(again, 'update_started')).toHaveLength(started);
    const { servers } = await again.status.until('now', () => true);
    for (const { server, version } of bad) {
      const record = servers.find(({ name }) => name === stage.name(server));
      expect(record).toMatchObject({ version: '1.0.0', update: { quarantined: [{ version }] } });
    }
  });

  async function fallIll(): Promise<void> {
    const f = stage.name('f');
    const live = await watching.status.server(f, (server) => isReady(server) && server.version === '2.0.6');
    await fetch(`${live.url ?? ''}/behave?as=unhealthy`);
  }

  async function isSetAside({ server, version }: Bad): Promise<void> {
    const name = stage.name(server);
    const isVerdict = ({ event_type, server_name }: { event_type: string; server_name?: string }): boolean =>
      event_type === 'version_quarantined' && server_name === name;
    await untilEvent(watching, isVerdict, 60_000);
    await watching.status.server(
      name,
      (seen) =>
        isReady(seen) && seen.version === '1.0.0' && seen.endpoints.length === 1 && version !== seen.version,
    );
  }

  async function deafOneIsGone(): Promise<void> {
    const name = stage.name('g');
    const isGone = ({ event_type, server_name }: { event_type: string; server_name?: string }): boolean =>
      event_type === 'instance_removed' && server_name === name;
    await untilEvent(watching, isGone, 60_000);
  }
});
