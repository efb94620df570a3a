import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../examples/engine/registry.ts';
import type { LoggedEvent } from '../../examples/stage/events.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { isReady } from '../../examples/stage/status.ts';
import { Gateway } from '../../examples/stage/gateway.ts';
import { moveTag, tagOnlyFor } from '../support/move-tag.ts';
import { RegistryProxy } from '../support/registry-proxy.ts';
import {
  allReady,
  eventsOf,
  isLive,
  isOf,
  openTestStage,
  untilEvent,
  type TestStage,
} from '../support/stage.ts';
import { buildTestServerImage, type TestServerBehaviour } from '../support/test-server-image.ts';

const intervalSeconds = 5;
const follows = { version_strategy: 'semantic', auto_update: true };
const update = {
  ...{ min_healthy_seconds: 1, healthy_deadline_seconds: 60, soak_seconds: 3 },
  ...{ drain_min_seconds: 2, drain_timeout_seconds: 2 },
};

describe('versions that are followed', () => {
  const many = Array.from({ length: 10 }, (_one, number) => `many-${number}`);
  let stage: TestStage;
  let watching: Watching;
  let proxy: RegistryProxy;
  let port: number;

  const push = (
    image: string,
    version: string,
    more: { behaviour?: TestServerBehaviour; tag?: string } = {},
  ) => buildTestServerImage({ engine: stage.engine, name: stage.name(image), version, ...more });
  const imageOf = (image: string): string => `${proxy.host}/liminalcommons/${stage.name(image)}`;
  const of = (server: string, ...types: readonly string[]): Promise<string[]> =>
    Promise.all(types.map((type) => eventsOf(watching, type, stage.name(server)))).then((all) =>
      all
        .flat()
        .sort((a, b) => a.seq - b.seq)
        .map(({ event_type, version }) => `${event_type} ${version ?? '-'}`),
    );

  beforeAll(async () => {
    stage = await openTestStage();
    proxy = await RegistryProxy.open(stage.engine.registry.port);
    port = await freePort();
    for (const image of ['many', 'alone']) await push(image, '1.0.0');
    await push('told', '1.0.0');
    await push('moves', '1.0.0', { tag: 'latest' });
    const options = [
      '--update-interval',
      String(intervalSeconds),
      '--trust',
      `${proxy.host}/liminalcommons/*`,
    ];
    watching = await stage.watch({ options });
    const entry = (name: string, image: string, more: object, docker: object = {}) =>
      stage.entry(name, { update, ...follows, ...more, docker: { image: imageOf(image), ...docker } });
    const { version: _any, ...moves } = entry('moves', 'moves', { version_strategy: 'latest' });
    const entries = [
      ...many.map((name) => entry(name, 'many', {})),
      entry('alone', 'alone', {}, { host_port: port }),
      entry('told', 'told', { auto_update: false }),
      moves,
    ];
    const names = [...many, 'alone', 'told', 'moves'].map(stage.name);
    await allReady(watching, await stage.merge(entries, { traceId: 'followed' }), names, 120_000);
  });

  afterAll(async () => {
    await stage.close();
    await proxy.close();
  });

  test('ten servers of one image are updated at once, within a check and 30 s, with one question for all', async () => {
    const gateway = await new Gateway(watching.url).open();
    for (const name of many) gateway.load(stage.name(name), 10);
    proxy.calls.length = 0;
    const list = `GET /v2/liminalcommons/${stage.name('many')}/tags/list?n=1000`;
    const questions = (since: number, until: number): number =>
      proxy.calls.filter(({ what, at }) => what === list && at > since && at <= until).length;
    const asked = Date.now();
    await push('many', '1.1.0');
    const pushed = Date.now();
    const found = (event: LoggedEvent): boolean =>
      event.event_type === 'version_resolved' && event.version === '1.1.0';
    const first = await untilEvent(watching, found);
    expect(questions(pushed, first.time_ms), 'found by the first question after it').toBeLessThanOrEqual(1);
    await Promise.all(many.map((name) => watching.status.server(stage.name(name), isLive('1.1.0'))));
    const seconds = (Date.now() - pushed) / 1_000;
    await gateway.close();
    expect(seconds, 'from the new tag until all ten are promoted').toBeLessThanOrEqual(intervalSeconds + 30);
    expect(gateway.failed).toEqual([]);
    const now = Date.now();
    const checks = Math.ceil((now - asked) / (intervalSeconds * 0.8 * 1_000)) + 1;
    expect(questions(0, now)).toBeGreaterThan(0);
    expect(questions(0, now), 'one question a check, not ten').toBeLessThanOrEqual(checks);
    expect(first.trace_id).toBe('followed');
  });

  test('with a fixed port the old one is kept until the new one is proven, and comes back when it is bad', async () => {
    await push('alone', '1.1.0');
    await untilEvent(watching, isOf(stage.name('alone'), 'update_completed', '1.1.0'));
    const told = await of(
      'alone',
      'drain_started',
      'server_stopped',
      'server_starting',
      'server_ready',
      'update_completed',
    );
    expect(told.slice(told.indexOf('drain_started 1.0.0'))).toEqual([
      ...['drain_started 1.0.0', 'server_stopped 1.0.0', 'server_starting 1.1.0', 'server_ready 1.1.0'],
      'update_completed 1.1.0',
    ]);
    await push('alone', '1.2.0', { behaviour: 'exit-at-once' });
    await untilEvent(watching, isOf(stage.name('alone'), 'version_quarantined', '1.2.0'));
    const back = await watching.status.server(stage.name('alone'), isLive('1.1.0'));
    expect(back.url).toBe(`http://127.0.0.1:${port}`);
    expect(back.update).toMatchObject({ quarantined: [{ version: '1.2.0', gate: 'start' }] });
  });

  test('a tag that moves twice during a rollout ends with what it stands for last', async () => {
    const name = stage.name('moves');
    const bad = { behaviour: 'never-listen' } as const;
    await push('moves', '1.2.0', { ...bad, tag: 'second' });
    const last = await push('moves', '1.3.0', { tag: 'third' });
    const first = await push('moves', '1.1.0', { ...bad, tag: 'latest' });
    const started = (type: string, digest: string) => (event: LoggedEvent) =>
      event.event_type === type && event.server_name === name && event['image_digest'] === digest;
    const { spec } = await untilEvent(watching, started('update_started', first.digest));
    await untilEvent(
      watching,
      (event) =>
        event.event_type === 'server_started' && event['spec'] === spec && event.server_name === name,
    );
    for (const from of ['second', 'third'])
      await moveTag(stage.engine, last.repository, { from, to: 'latest' });
    await watching.status.server(name, (one) => isReady(one) && one.image_digest === last.digest);
    const rollouts = (await eventsOf(watching, 'update_started', name)).map((one) => one['image_digest']);
    expect([rollouts[1], rollouts.at(-1)]).toEqual([first.digest, last.digest]);
    expect(await eventsOf(watching, 'version_quarantined', name)).toEqual([]);
    expect(await eventsOf(watching, 'server_ready', name)).toHaveLength(2);
  });

  test('an update that nobody allowed is told once, in the status and in the log, if the engine can run it', async () => {
    const { repository } = await push('told', '1.1.0');
    await tagOnlyFor('s390x', stage.engine, repository, { from: '1.1.0', to: '1.2.0' });
    const record = await watching.status.server(
      stage.name('told'),
      ({ why }) => why === 'as desired; 1.1.0 is available',
    );
    expect(record).toMatchObject({ version: '1.0.0', update: { available: '1.1.0', state: 'none' } });
    await new Promise((resolve) => setTimeout(resolve, intervalSeconds * 1_000));
    expect(await of('told', 'update_available', 'update_started')).toEqual([
      'update_started 1.0.0',
      'update_available 1.1.0',
    ]);
  });
});
