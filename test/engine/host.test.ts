import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { askEngine, callEngine } from '../../examples/engine/engine-call.ts';
import { attachEngine } from '../../examples/engine/engine.ts';
import type { BuiltImage } from '../../examples/images/build.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { inFull, type Failure } from '../../src/model/failure.ts';
import type { Instance } from '../../src/model/observed.ts';
import type { Mount, Spec } from '../../src/model/spec.ts';
import { dockerRuntime } from '../../src/runtime/index.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { aBirth, aSpec, type SpecOrder } from '../runtime/births.ts';
import { buildTestServerImage } from '../support/test-server-image.ts';

const engine = attachEngine(inject('engine'));
const { socket } = engine.docker;
const run = randomBytes(3).toString('hex');
const server = `host-${run}`;
const signal = new AbortController().signal;
let image: BuiltImage;

beforeAll(async () => {
  const instructions = ['VOLUME /scratch'];
  image = await buildTestServerImage({ engine, name: server, version: '1.0.0', instructions });
});
afterAll(async () => {
  await callEngine(socket, `/images/${image.repository}@${image.digest}?force=1`, { method: 'DELETE' });
});

const specOf = (order: SpecOrder = {}): Spec =>
  aSpec({ server, image: `${image.repository}:1.0.0`, imageDigest: image.digest, ...order });

const get = async <T>(path: string): Promise<T> => JSON.parse((await askEngine(socket, path)).text) as T;

const post = async <T>(path: string, body: object = {}): Promise<T> =>
  JSON.parse((await askEngine(socket, path, { method: 'POST', body: JSON.stringify(body) })).text) as T;
const drop = (path: string): Promise<unknown> => callEngine(socket, path, { method: 'DELETE' });

const volumeOf = (source: string, more: Partial<Mount> = {}): Mount => ({
  ...{ kind: 'volume', source, target: '/data', readOnly: false, shareable: false },
  ...more,
});

describe('what a server takes of its host', () => {
  let owner: string;
  let runtime: Runtime;

  beforeEach(async () => {
    owner = `host-${randomBytes(3).toString('hex')}`;
    runtime = dockerRuntime({ address: socket, clock: systemClock, owner, publishAddress: '127.0.0.1' });
    await runtime.pull(specOf(), () => undefined, signal);
  });
  afterEach(async () => {
    for (const instance of await all()) await runtime.remove(instance, signal);
  });

  const all = async (): Promise<readonly Instance[]> => (await runtime.observe([], signal)).instances;

  async function born(order: SpecOrder = {}, instance = 'i-0001'): Promise<Instance> {
    const { id } = await runtime.create(aBirth({ spec: specOf(order), owner, instance }), signal);
    const found = (await all()).find((each) => each.id === id);
    if (found === undefined) throw new Error(`${id} is gone`);
    return found;
  }

  const volumesOf = async ({ id }: Instance): Promise<readonly string[]> =>
    (await get<{ Mounts: { Name?: string }[] }>(`/containers/${id}/json`)).Mounts.flatMap(
      ({ Name }) => Name ?? [],
    );
  const isThere = async (volume: string): Promise<boolean> =>
    (await callEngine(socket, `/volumes/${volume}`)).status === 200;

  it('leaves no volume behind that nobody named, however a container goes, and keeps those with a name', async () => {
    const named = `${server}_kept`;
    const removed = await born({ mounts: [volumeOf(named)] });
    const half = await born({ mounts: [volumeOf(named)] }, 'i-0002');
    const volumes = [...(await volumesOf(removed)), ...(await volumesOf(half))];
    const nameless = volumes.filter((each) => each !== named);
    expect(nameless).toHaveLength(2);
    await runtime.remove(removed, signal);
    await runtime.stop(half, signal);
    const again = await born({ mounts: [volumeOf(named)] }, 'i-0002');
    expect(again.id, 'made anew over what an earlier try left').not.toBe(half.id);
    expect(await Promise.all(nameless.map(isThere))).toEqual([false, false]);
    await runtime.remove(again, signal);
    expect(await isThere(named)).toBe(true);
    await drop(`/volumes/${named}`);
  });

  it('joins no network whose id begins as another is named, and none of two that bear one name', async () => {
    const name = `host-net-${run}`;
    const { Id } = await post<{ Id: string }>('/networks/create', { Name: name });
    const prefixed = born({ networks: ['mcp-network', Id.slice(0, 4)] });
    await expect(prefixed).rejects.toMatchObject({ code: 'network_missing' });
    const again = await post<{ Id: string }>('/networks/create', { Name: name, CheckDuplicate: false });
    const twofold = await born({ networks: ['mcp-network', name] }).catch((error: unknown) => error);
    expect(twofold).toMatchObject({ code: 'network_ambiguous' });
    expect(inFull(twofold as Failure)).toMatch(new RegExp(`${Id.slice(0, 12)}.*docker network rm`));
    expect(await all()).toEqual([]);
    await drop(`/networks/${again.Id}`);
    const instance = await born({ networks: ['mcp-network', name] });
    expect(instance.drift).toEqual([]);
    await runtime.remove(instance, signal);
    await drop(`/networks/${Id}`);
  });
});
