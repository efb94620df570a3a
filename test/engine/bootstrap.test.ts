import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { run, until } from '../../examples/engine/commands.ts';
import { askEngine, callEngine, isReachable } from '../../examples/engine/engine-call.ts';
import { attachEngine, openEngine, type PrivateEngine } from '../../examples/engine/engine.ts';
import { typescriptFlags } from '../../examples/engine/keeping.ts';
import { processesOf } from '../../examples/engine/processes.ts';
import type { EngineRecord } from '../../examples/engine/record.ts';
import { imageExists, pullImage } from '../../examples/images/engine-images.ts';
import { anyManifest } from '../../examples/images/manifests.ts';
import { answersAt, startContainer } from '../support/running-container.ts';
import { buildTestServerImage } from '../support/test-server-image.ts';

const shared = attachEngine(inject('engine'));
const canBePrivate = process.getuid?.() === 0 && existsSync('/usr/sbin/dockerd');
/** Also where the whole run uses one that was there: nobody else's may be hurt. */
const alone = { ...process.env, MCP_ORCHESTRATION_TEST_ENGINE: '' };
const openPrivate = async (): Promise<PrivateEngine> =>
  (await openEngine({ alwaysPrivate: true, env: alone })) as PrivateEngine;

async function nothingIsLeft({ directory, lease }: EngineRecord): Promise<boolean> {
  const links = (await promisify(execFile)('ip', ['-4', 'addr', 'show'])).stdout;
  const noLinks = lease === undefined || !links.includes(` ${lease.prefix}.`);
  return noLinks && !existsSync(directory) && (await processesOf(directory)).length === 0;
}

test('an image that was pushed is pulled by its digest', async () => {
  const { reference, repository, digest } = await buildTestServerImage({
    engine: shared,
    name: 'pulled',
    version: '1.0.0',
  });
  await askEngine(shared.docker.socket, `/images/${reference}?force=1`, { method: 'DELETE' });
  await pullImage(shared, `${repository}@${digest}`);
  expect(await imageExists(shared, `${repository}@${digest}`)).toBe(true);
});

test('a published port answers on loopback, and stops answering when the behaviour says so', async () => {
  const { reference } = await buildTestServerImage({
    engine: shared,
    name: 'sick',
    version: '1.0.0',
    behaviour: 'unhealthy',
  });
  const container = await startContainer(shared, { image: reference });
  try {
    await answersAt(`${container.url}/health`);
    expect((await fetch(`${container.url}/health`)).status).toBe(503);
    await fetch(`${container.url}/behave?as=ok`, { method: 'POST' });
    expect((await fetch(`${container.url}/health`)).status).toBe(200);
  } finally {
    await container.remove();
  }
});

test('a registry that is stopped and started again has kept its images', async () => {
  const { repository, digest } = await buildTestServerImage({
    engine: shared,
    name: 'kept',
    version: '1.0.0',
  });
  await shared.stopRegistry();
  await expect(fetch(`${shared.registryUrl}/v2/`)).rejects.toThrow();
  await shared.startRegistry();
  const path = repository.slice(repository.indexOf('/') + 1);
  const url = `${shared.registryUrl}/v2/${path}/manifests/${digest}`;
  expect((await fetch(url, { headers: anyManifest })).status).toBe(200);
});

test('a DOCKER_HOST that does not answer is told, and no private engine is started instead', async () => {
  const opened = openEngine({ env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
  await expect(opened).rejects.toThrow(/no engine answers at DOCKER_HOST=.*unset DOCKER_HOST/);
});

test('an engine that is reachable is used as it is and outlives us', async () => {
  const engine = await openEngine({ env: { DOCKER_HOST: shared.dockerHost } });
  expect(engine.private).toBe(false);
  expect('restartEngine' in engine).toBe(false);
  const { reference } = await buildTestServerImage({ engine, name: 'borrowed', version: '1.0.0' });
  await engine.stop();
  expect(await isReachable(shared.docker.socket)).toBe(true);
  expect((await callEngine(shared.docker.socket, `/images/${reference}/json`)).status).toBe(404);
  expect(await nothingIsLeft(engine.record)).toBe(true);
});

test.runIf(canBePrivate)(
  'two private engines run beside each other, restart, crash, and leave nothing behind',
  async () => {
    const [first, second] = await Promise.all([openPrivate(), openPrivate()]);
    try {
      const { reference } = await buildTestServerImage({ engine: first, name: 'beside', version: '1.0.0' });
      const container = await startContainer(first, { image: reference });
      await answersAt(`${container.url}/health`);
      await second.restartEngine();
      expect((await fetch(`${container.url}/health`)).status).toBe(200);
      await first.killEngine();
      expect(await isReachable(first.docker.socket, 500)).toBe(false);
      expect(await isReachable(second.docker.socket)).toBe(true);
      await first.startEngine();
      expect(await isReachable(first.docker.socket)).toBe(true);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
    expect(await nothingIsLeft(first.record)).toBe(true);
    expect(await nothingIsLeft(second.record)).toBe(true);
  },
);

test.runIf(canBePrivate)(
  'when the process that opened it is killed, everything is cleaned up all the same',
  async () => {
    const program = `
    const { openEngine } = await import(${JSON.stringify(new URL('../../examples/engine/engine.ts', import.meta.url).href)});
    const engine = await openEngine({ alwaysPrivate: true });
    console.log(JSON.stringify(engine.record));
    setInterval(() => undefined, 1000);`;
    const opener = spawn(process.execPath, [...typescriptFlags(), '--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: alone,
    });
    const line = await new Promise<string>((resolve) =>
      opener.stdout.once('data', (data: Buffer) => resolve(String(data))),
    );
    const record = JSON.parse(line) as EngineRecord;
    expect(await isReachable(record.socket)).toBe(true);
    opener.kill('SIGKILL');
    expect(await until(() => nothingIsLeft(record), 60_000)).toBe(true);
  },
);

/** A network of its own, as a machine has it on which a Docker has run: `docker0` is there, and forwarding is denied. */
async function whereDockerHasRun(
  play: (inside: (...command: string[]) => Promise<string>) => Promise<void>,
): Promise<void> {
  const name = `mcpo-test-${process.pid}`;
  const inside = (...command: string[]): Promise<string> =>
    run('nsenter', [`--net=/run/netns/${name}`, ...command], { deadlineMs: 150_000 });
  await run('ip', ['netns', 'add', name]);
  try {
    await inside('ip', 'link', 'set', 'lo', 'up');
    await inside('ip', 'link', 'add', 'docker0', 'type', 'bridge');
    await inside('sh', '-c', 'echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables');
    await inside('iptables', '--policy', 'FORWARD', 'DROP');
    await play(inside);
  } finally {
    await run('ip', ['netns', 'delete', name]);
  }
}

test.runIf(canBePrivate)(
  'where a Docker has run, the containers of a private engine meet, and what was there stays as it was',
  async () => {
    await whereDockerHasRun(async (inside) => {
      const script = fileURLToPath(new URL('../support/engine-elsewhere.ts', import.meta.url));
      const printed = await inside(process.execPath, ...typescriptFlags(), script);
      const { answer, record } = JSON.parse(printed) as {
        readonly answer: number;
        readonly record: EngineRecord;
      };
      expect(answer).toBe(42);
      expect(existsSync(record.directory)).toBe(false);
      expect(await inside('ip', '-brief', 'link')).toMatch(/^lo\b.*\ndocker0\b.*\n$/);
      expect(await inside('iptables', '--list-rules', 'FORWARD')).toBe('-P FORWARD DROP\n');
    });
  },
);
