import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { crash } from '../../examples/stage/faults.ts';
import { allReady, eventsOf, isOf, onStage, untilEvent } from '../support/stage.ts';

/** What floods, and with how many connections. */
const floods = [
  ['pipelined', 500],
  ['eager', 500],
  ['fleeting', 200],
] as const;

const program = fileURLToPath(new URL('../support/flood.js', import.meta.url));

async function flood(url: string, kind: string, connections: number): Promise<ChildProcess> {
  const child = fork(program, [url, kind, String(connections)]);
  await once(child, 'message');
  return child;
}

const peakMb = async (pid: number): Promise<number> => {
  const [, kb = '0'] = /VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kb) / 1_000);
};

test(
  'while the status endpoint is flooded a crash is seen within 1.5 s and mended in time, and nobody else is taken for down',
  onStage(async (stage) => {
    const watching = await stage.watch();
    const names = [...floods.map(([kind]) => kind), 'well'];
    const servers = names.map(stage.name);
    await allReady(watching, await stage.merge(names.map((name) => stage.entry(name))), servers);
    for (const [kind, connections] of floods) {
      const server = stage.name(kind);
      const child = await flood(watching.url, kind, connections);
      try {
        await crash(stage, server);
        const down = await untilEvent(watching, isOf(server, 'server_down'));
        const begun = await untilEvent(watching, isOf(server, 'recovery_started'));
        await untilEvent(watching, isOf(server, 'recovery_successful'));
        expect(child.exitCode, 'it floods still').toBeNull();
        const seconds = Number(down['seconds_to_detect']);
        console.log(
          `${kind}: seen after ${seconds} s, at most ${await peakMb(watching.orchestrator.pid)} MB`,
        );
        expect(seconds).toBeLessThanOrEqual(1.5);
        // backoff_seconds[0] is 1.
        expect((begun.time_ms - down.time_ms) / 1_000).toBeLessThanOrEqual(2);
      } finally {
        child.kill('SIGKILL');
      }
    }
    for (const [at, server] of servers.entries())
      expect(await eventsOf(watching, 'server_down', server)).toHaveLength(at < floods.length ? 1 : 0);
  }),
);
