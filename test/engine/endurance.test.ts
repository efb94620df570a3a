import { rename } from 'node:fs/promises';
import { test } from 'vitest';
import { containersOf } from '../../examples/stage/containers.ts';
import { readEvents } from '../../examples/stage/events.ts';
import { serveGit } from '../../examples/stage/git-server.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { isReady } from '../../examples/stage/status.ts';
import { program } from '../support/program.ts';
import { allReady, eventsOf, onStage, theServer, type TestStage } from '../support/stage.ts';

/** One container a server, each running, each of the version that is wanted. */
async function nothingTwice(stage: TestStage, servers: readonly string[]): Promise<boolean> {
  const containers = await containersOf(stage.engine, stage.owner);
  const owners = containers.map(({ Labels }) => Labels['io.liminalcommons.mcp-orchestration.server']).sort();
  return (
    containers.every(({ State }) => State === 'running') &&
    JSON.stringify(owners) === JSON.stringify([...servers].sort())
  );
}

test.concurrent(
  'killed at any moment of a deploy and of an update, it ends right: no doubles, no orphans',
  onStage(async (stage, { expect }) => {
    await theServer(stage.engine, '1.1.0');
    const servers = ['a', 'b'];
    const names = servers.map(stage.name);
    for (const version of ['1.0.0', '1.1.0']) {
      const revision = await stage.merge(servers.map((short) => stage.entry(short, {}, version)));
      let watching: Watching | undefined;
      for (let death = 0; death < 3; death += 1) {
        watching = await stage.watch();
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 3_000));
        await watching.orchestrator.kill();
      }
      watching = await stage.watch();
      await allReady(watching, revision, names);
      await watching.status.until('the version that is wanted, alone', ({ servers: seen }) =>
        seen.every((server) => server.version === version && server.endpoints.length === 1),
      );
      await expect.poll(() => nothingTwice(stage, names)).toBe(true);
      const events = await readEvents(watching.orchestrator.eventsFile);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, position) => position + 1));
      expect(events.filter(({ event_type }) => /quarantined|recovery/.test(event_type))).toEqual([]);
      expect(await watching.orchestrator.stop()).toEqual({ code: 0, signal: null });
    }
  }),
);

test.concurrent(
  'the remote is away for a while: what runs goes on, and the next commit is taken up',
  onStage(async (stage, { expect }) => {
    const remote = await serveGit(stage.folder);
    const a = stage.name('a');
    try {
      const revision = await stage.merge([stage.entry('a')]);
      const watching = await stage.watch({
        manifest: remote.urlOf('manifest.git'),
        options: ['--interval', '1'],
      });
      await allReady(watching, revision, [a]);
      await rename(stage.repository.bare, `${stage.repository.bare}.away`);
      const away = await watching.status.until('away', ({ source }) => source.state === 'unreachable');
      expect(away.source).toMatchObject({ applied_revision: revision, error: expect.any(String) as string });
      expect(away.servers.every(isReady)).toBe(true);
      await watching.orchestrator.stop();
      const again = await stage.watch({
        manifest: remote.urlOf('manifest.git'),
        options: ['--interval', '1'],
      });
      await again.status.server(a, isReady);
      await rename(`${stage.repository.bare}.away`, stage.repository.bare);
      const next = await stage.merge([stage.entry('a'), stage.entry('b')]);
      await allReady(again, next, [a, stage.name('b')]);
      expect(await eventsOf(again, 'server_ready', a)).toHaveLength(1);
    } finally {
      await remote.close();
    }
  }),
);

test.concurrent(
  'a paused orchestrator watches and does nothing, until it is told to go on',
  onStage(async (stage, { expect }) => {
    const watching = await stage.watch();
    const { state } = watching.orchestrator;
    const a = stage.name('a');
    await allReady(watching, await stage.merge([stage.entry('a')]), [a]);
    const paused = await program(['pause', '--for', '1h', '--reason', 'a look around', '--state', state]);
    expect(paused).toMatchObject({ code: 0 });
    await stage.merge([stage.entry('a'), stage.entry('b')]);
    const held = await watching.status.server(stage.name('b'), ({ phase }) => phase === 'held');
    expect(held.reason).toBe('paused');
    expect(await containersOf(stage.engine, stage.owner)).toHaveLength(1);
    expect(await program(['resume', '--state', state])).toMatchObject({ code: 0 });
    await watching.status.server(stage.name('b'), isReady);
  }),
);
