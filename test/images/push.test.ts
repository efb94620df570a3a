import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pushImage } from '../../examples/images/engine-images.ts';
import { manifest, serving, sha, stubRegistry } from '../registry/stub-registry.ts';

/** An engine that tells this while it pushes. */
async function engineTelling(lines: readonly object[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'push-'));
  const socket = join(folder, 'docker.sock');
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const server = createServer((_asked, answer) => void answer.end(text));
  await new Promise<void>((listening) => server.listen(socket, listening));
  onTestFinished(async () => {
    await new Promise((closed) => server.close(closed));
    await rm(folder, { recursive: true });
  });
  return socket;
}

test('the digest of a push is what the engine tells, and where it tells none, what the registry has', async () => {
  const registry = await stubRegistry(serving('{"pushed":true}', manifest));
  onTestFinished(() => registry.close());
  const push = async (...lines: readonly object[]): Promise<string> => {
    const docker = { socket: await engineTelling(lines) };
    return pushImage({ docker, registryUrl: `http://${registry.host}` }, `${registry.host}/a/b`, '1.0.0');
  };
  expect(await push({ status: 'Pushed' }, { aux: { Tag: '1.0.0', Digest: sha('told') } })).toBe(sha('told'));
  expect(registry.asked).toEqual([]);
  expect(await push({ status: 'Pushed' })).toBe(sha('{"pushed":true}'));
  expect(registry.asked).toEqual(['HEAD /v2/a/b/manifests/1.0.0']);
});
