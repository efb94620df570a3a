import { createServer, type AddressInfo, type Server } from 'node:net';
import { test } from 'vitest';
import { askEngine } from '../../examples/engine/engine-call.ts';
import { crash } from '../../examples/stage/faults.ts';
import { isReady } from '../../examples/stage/status.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import {
  allReady,
  eventsOf,
  isLive,
  isOf,
  onStage,
  theServer,
  untilEvent,
  type TestStage,
} from '../support/stage.ts';

/** What an engine in trouble may never be taken for. */
const BLAME = ['version_quarantined', 'update_failed', 'server_removed', 'drift_detected'];

async function inFront<T>(stage: TestStage, play: (proxy: EngineProxy) => Promise<T>): Promise<T> {
  const proxy = await EngineProxy.open(stage.engine.docker.socket);
  try {
    return await play(proxy);
  } finally {
    proxy.trouble = { delayMs: 0 };
    await stage.close();
    await proxy.close();
  }
}

test.concurrent(
  'with an engine that takes 5 s for each answer a server comes up, is updated and recovered, only later',
  onStage((stage, { expect }) =>
    inFront(stage, async (proxy) => {
      await theServer(stage.engine, '1.1.0');
      const a = stage.name('a');
      const update = { min_healthy_seconds: 1, healthy_deadline_seconds: 60, soak_seconds: 1 };
      const watching = await stage.watch({ dockerSocket: proxy.socket });
      proxy.trouble = { delayMs: 5_000 };
      await allReady(watching, await stage.merge([stage.entry('a', { update })]), [a], 170_000);
      // The rest is the same, and waits less.
      proxy.trouble = { delayMs: 1_000 };
      await stage.merge([stage.entry('a', { update }, '1.1.0')]);
      await watching.status.server(a, isLive('1.1.0'), 170_000);
      await untilEvent(watching, isOf(a, 'update_completed', '1.1.0'), 170_000);
      await crash(stage, a);
      await untilEvent(watching, isOf(a, 'recovery_successful'), 170_000);
      for (const blame of BLAME) expect(await eventsOf(watching, blame), blame).toEqual([]);
    }),
  ),
  600_000,
);

test.concurrent(
  'an engine that answers 500, and then nothing, is said to be away; what runs is routed, and it goes on by itself',
  onStage((stage, { expect }) =>
    inFront(stage, async (proxy) => {
      const a = stage.name('a');
      const watching = await stage.watch({ dockerSocket: proxy.socket });
      await allReady(watching, await stage.merge([stage.entry('a')]), [a]);
      const engineSays = async (): Promise<unknown> => {
        const answer = await fetch(`${watching.url}/health`);
        return ((await answer.json()) as { checks: { engine: unknown } }).checks.engine;
      };
      for (const trouble of ['fails', 'hangs'] as const) {
        proxy.trouble = trouble;
        const revision = await stage.merge([stage.entry('a'), stage.entry(trouble)]);
        await expect.poll(engineSays, { timeout: 60_000 }).not.toBe('ok');
        expect((await watching.status.server(a, () => true)).routable).toBe(true);
        proxy.trouble = { delayMs: 0 };
        await allReady(watching, revision, [a, stage.name(trouble)], 90_000);
        await stage.merge([stage.entry('a')], { subject: `Take it out\n\nAllow-Removal: all` });
        await untilEvent(watching, isOf(stage.name(trouble), 'server_removed'));
      }
      await watching.status.server(a, isReady);
      expect(await eventsOf(watching, 'server_down')).toEqual([]);
      for (const blame of BLAME.filter((one) => one !== 'server_removed'))
        expect(await eventsOf(watching, blame), blame).toEqual([]);
    }),
  ),
  600_000,
);

test.concurrent(
  'a port that somebody takes between its choice and the start is left to them: another one is chosen, and nobody is blamed',
  onStage((stage, { expect }) =>
    inFront(stage, async (proxy) => {
      const thieves: Server[] = [];
      proxy.before = async (call) => {
        const [, id] = /POST .*\/containers\/(\w+)\/start/.exec(call) ?? [];
        if (id !== undefined && thieves.length === 0) thieves.push(await listenOn(await portOf(stage, id)));
      };
      const a = stage.name('a');
      const watching = await stage.watch({ dockerSocket: proxy.socket });
      await allReady(watching, await stage.merge([stage.entry('a')]), [a]);
      expect(thieves).toHaveLength(1);
      const { url } = await watching.status.server(a, isReady);
      expect(Number(new URL(url ?? '').port)).not.toBe((thieves[0]?.address() as AddressInfo).port);
      for (const blame of [...BLAME, 'server_down', 'recovery_started'])
        expect(await eventsOf(watching, blame), blame).toEqual([]);
      thieves.forEach((thief) => thief.close());
    }),
  ),
);

/** The port of this machine that a container is to have. */
async function portOf({ engine }: TestStage, id: string): Promise<number> {
  const { text } = await askEngine(engine.docker.socket, `/containers/${id}/json`);
  const { HostConfig } = JSON.parse(text) as {
    readonly HostConfig: { readonly PortBindings: Readonly<Record<string, readonly { HostPort: string }[]>> };
  };
  return Number(Object.values(HostConfig.PortBindings)[0]?.[0]?.HostPort);
}

async function listenOn(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}
