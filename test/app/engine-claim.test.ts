import { link, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { EXIT, StartError, type Config } from '../../src/app/config.ts';
import { Ending } from '../../src/app/ending.ts';
import { EngineClaim } from '../../src/app/engine-claim.ts';
import { systemClock } from '../../src/lib/clock.ts';

const owner = `claim-${process.pid}`;
const config = { runtime: 'docker', owner } as Config;
const engine = (startedAt: number) => ({ id: 'CLONED', startedAt, version: '27.0' });

async function socketFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'claim-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function listening(path: string): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return path;
}

/** An orchestrator that reaches an engine by this address; `refused` once it has to end. */
function orchestrator(address: string) {
  const ending = new Ending();
  const claim = new EngineClaim({ config, address, clock: systemClock, ending });
  onTestFinished(() => claim.release());
  const stopped = new AbortController();
  const refused = ending.reached.catch((error: unknown) => {
    stopped.abort();
    return error as StartError;
  });
  return { take: (startedAt: number) => claim.take(engine(startedAt), stopped.signal), refused };
}

it('two engines with one id, as cloned machines have them, are two', async () => {
  const folder = await socketFolder();
  const one = orchestrator(await listening(join(folder, 'one.sock')));
  const other = orchestrator(`unix://${await listening(join(folder, 'other.sock'))}`);
  const far = orchestrator('tcp://clone.example:2376');
  await one.take(1_000);
  await other.take(2_000);
  await far.take(0);
});

it('one socket is one engine by whatever path, and the next is refused with one sentence and 4', async () => {
  const folder = await socketFolder();
  const path = await listening(join(folder, 'docker.sock'));
  await symlink(path, join(folder, 'symbolic'));
  await link(path, join(folder, 'hard'));
  await orchestrator(path).take(0);
  for (const name of ['symbolic', 'hard']) {
    const next = orchestrator(join(folder, name));
    await expect(next.take(0)).rejects.toThrow('already runs as owner');
    expect(await next.refused).toMatchObject({ exitCode: EXIT.lockHeld });
  }
});

it('an engine that is also reached by a proxy or over the network is one: it started at one moment', async () => {
  const folder = await socketFolder();
  const direct = orchestrator(await listening(join(folder, 'docker.sock')));
  await direct.take(1_000);
  const proxied = orchestrator(await listening(join(folder, 'proxy.sock')));
  await expect(proxied.take(1_000)).rejects.toThrow('give this one its own --owner');
});

it('an engine that was started again stays with who had it', async () => {
  const folder = await socketFolder();
  const first = orchestrator(await listening(join(folder, 'docker.sock')));
  await first.take(1_000);
  await first.take(2_000);
  const proxied = orchestrator('tcp://proxy.example:2375');
  await expect(proxied.take(2_000)).rejects.toThrow('already runs');
  // Of the start before nobody holds anything any more.
  await orchestrator('tcp://clone.example:2375').take(1_000);
});
