import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, expect, inject, test } from 'vitest';
import { askEngine } from '../../examples/engine/engine-call.ts';
import { attachEngine } from '../../examples/engine/engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openRegistry } from '../../src/registry/index.ts';
import { moveTag } from '../support/move-tag.ts';
import { buildTestServerImage } from '../support/test-server-image.ts';

const engine = attachEngine(inject('engine'));
const registry = openRegistry({ clock: systemClock, random: Math.random, dockerConfig: null });
const never = new AbortController().signal;
const now = { maxAgeMs: 0 };
const build = (name: string, version: string) => buildTestServerImage({ engine, name, version });

afterAll(() => registry.close());

test('the digest behind a tag is the one that the engine pushed, and moves with the tag', async () => {
  const first = await build('registry-moves', '1.0.0');
  expect(await registry.digestOf(`${first.repository}:1.0.0`, now, never)).toBe(first.digest);
  const second = await build('registry-moves', '1.1.0');
  expect(await registry.digestOf(`${first.repository}:1.1.0`, now, never)).toBe(second.digest);
  await moveTag(engine, second.repository, { from: '1.1.0', to: '1.0.0' });
  expect(await registry.digestOf(`${first.repository}:1.0.0`, now, never)).toBe(second.digest);
});

test('all tags are found', async () => {
  const { repository } = await build('registry-tags', '1.0.0');
  await build('registry-tags', '1.2.0');
  expect([...(await registry.tags(repository, now, never))].sort()).toEqual(['1.0.0', '1.2.0']);
});

test('the size of a pull is told, for the platform of the engine', async () => {
  const { repository } = await build('registry-size', '1.0.0');
  const version = JSON.parse((await askEngine(engine.docker.socket, '/version')).text) as {
    Os: string;
    Arch: string;
  };
  const platform = { os: version.Os, architecture: version.Arch };
  const facts = await registry.inspect(`${repository}:1.0.0`, platform, now, never);
  expect(facts.sizeBytes).toBeGreaterThan(1_000_000);
});

test('what is not there is said to be not there', async () => {
  const { repository } = await build('registry-absent', '1.0.0');
  const missing = registry.digestOf(`${repository}:9.9.9`, now, never);
  await expect(missing).rejects.toMatchObject({ code: 'image_not_found' });
  await expect(registry.tags(`${repository}-no`, now, never)).rejects.toMatchObject({
    code: 'image_not_found',
  });
});

test('a registry that is down is unreachable, left alone for a moment, and asked again when it is back', async () => {
  const { repository, digest } = await build('registry-down', '1.0.0');
  const own = openRegistry({ clock: systemClock, random: () => 0, dockerConfig: null });
  // A door of our own: others use the same registry while we are at it.
  const door = await openDoor(0);
  const image = `127.0.0.1:${door.port}/${repository.split('/').slice(1).join('/')}:1.0.0`;
  await door.close();
  const asking = own.digestOf(image, now, never);
  await expect(asking).rejects.toMatchObject({ code: 'registry_unreachable', class: 'world' });
  const again = await openDoor(door.port);
  await expect(own.digestOf(image, now, never)).rejects.toThrow('not asked again');
  await new Promise((pause) => setTimeout(pause, 1100));
  expect(await own.digestOf(image, now, never)).toBe(digest);
  await Promise.all([own.close(), again.close()]);
});

async function openDoor(port: number): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((outer) => {
    const inner = connect(engine.registry.port, engine.registry.host);
    inner.pipe(outer).pipe(inner);
    inner.on('error', () => outer.destroy());
    outer.on('error', () => inner.destroy());
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((closed) => server.close(() => closed())),
  };
}
