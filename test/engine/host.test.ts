import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, realpath, rename, rm, symlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { askEngine, callEngine } from '../../examples/engine/engine-call.ts';
import { attachEngine } from '../../examples/engine/engine.ts';
import type { BuiltImage } from '../../examples/images/build.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { inFull, type Failure } from '../../src/model/failure.ts';
import type { Instance } from '../../src/model/observed.ts';
import type { Mount, Spec } from '../../src/model/spec.ts';
import { EngineClient } from '../../src/runtime/docker/client.ts';
import { HostPaths } from '../../src/runtime/docker/host-paths.ts';
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
/** A folder of the host that the operator allows. */
let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'host-paths-')));
  const instructions = ['VOLUME /scratch'];
  image = await buildTestServerImage({ engine, name: server, version: '1.0.0', instructions });
});
afterAll(async () => {
  await rm(folder, { recursive: true });
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

const pathOf = (source: string, readOnly = true): Mount => ({
  ...{ kind: 'host-path', source, target: '/data', readOnly, shareable: false },
});

/** The standard output of a program run inside a container. */
async function inside({ id }: Instance, script: string): Promise<string> {
  const Cmd = ['node', '-e', script];
  const exec = await post<{ Id: string }>(`/containers/${id}/exec`, { Cmd, User: '0', AttachStdout: true });
  const body = JSON.stringify({ Detach: false, Tty: false });
  return (await askEngine(socket, `/exec/${exec.Id}/start`, { method: 'POST', body })).text;
}

describe('what a server takes of its host', () => {
  let owner: string;
  let runtime: Runtime;

  beforeEach(async () => {
    owner = `host-${randomBytes(3).toString('hex')}`;
    runtime = runtimeFor([folder]);
    await runtime.pull(specOf(), () => undefined, signal);
  });
  afterEach(async () => {
    for (const instance of await all()) await runtime.remove(instance, signal);
  });

  const runtimeFor = (allowed: readonly string[], address = socket): Runtime =>
    dockerRuntime({
      ...{ address, clock: systemClock, owner, publishAddress: '127.0.0.1' },
      hostPaths: { allowed, closed: [socket] },
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

  it('takes no volume that somebody else made, and marks those that it makes', async () => {
    const [theirs, own] = [`${server}_db`, `${server}_own`];
    await post('/volumes/create', { Name: theirs, Labels: { 'com.docker.compose.project': 'shop' } });
    const mounts = [volumeOf(theirs)];
    await expect(born({ mounts })).rejects.toMatchObject({ code: 'foreign_volume' });
    await expect(runtime.admit(specOf({ mounts }), [], signal)).rejects.toMatchObject({
      code: 'foreign_volume',
    });
    expect(await all()).toEqual([]);
    const allowed = await born({ mounts: [volumeOf(theirs, { external: true })] });
    expect(allowed.drift).toEqual([]);
    await expect(born({ mounts }, 'i-0002'), 'once allowed is not its own').rejects.toThrow('somebody else');
    await runtime.remove(allowed, signal);
    const spec = specOf({ mounts });
    await runtime.create(aBirth({ spec, owner, instance: 'i-0002', ownVolumes: [theirs] }), signal);
    await runtime.admit(spec, [], signal); // a container of the server has it, as those of earlier programs do
    for (const instance of await all()) await runtime.remove(instance, signal);
    await born({ mounts: [volumeOf(own)] });
    const made = await get<{ Labels: Record<string, string> }>(`/volumes/${own}`);
    expect(made.Labels['io.liminalcommons.mcp-orchestration.owner']).toBe(owner);
    const absent = volumeOf('never-made', { external: true });
    await expect(born({ mounts: [absent] }, 'i-0003')).rejects.toMatchObject({ code: 'volume_missing' });
    for (const instance of await all()) await runtime.remove(instance, signal);
    for (const volume of [theirs, own]) await drop(`/volumes/${volume}`);
  });

  it('gets no path of the host that a server made lead elsewhere, nor one within the reach of another', async () => {
    const [work, out] = [join(folder, 'work'), join(folder, 'work', 'out')];
    await mkdir(work);
    const writer = await born({ server: `${server}-w`, mounts: [pathOf(work, false)], user: '0' });
    await inside(writer, 'require("fs").symlinkSync("/", "/data/out"); require("fs").mkdirSync("/data/in")');
    const refuses = (source: string, code: string, of = runtime): Promise<void> =>
      expect(of.admit(specOf({ mounts: [pathOf(source)] }), [], signal), source).rejects.toMatchObject({
        code,
      });
    await refuses(out, 'host_path_link');
    await expect(born({ mounts: [pathOf(out)] })).rejects.toMatchObject({ code: 'host_path_link' });
    await refuses(join(work, 'in'), 'host_path_shared');
    await refuses(dirname(socket), 'host_path_closed', runtimeFor(['/']));
    await refuses('/etc', 'host_path_not_allowed');
    await refuses(join(folder, 'absent'), 'host_path_missing');
    await link(socket, join(folder, 'harmless'));
    await refuses(join(folder, 'harmless'), 'host_path_closed');
    await rm(join(folder, 'harmless'));
    const proxy = createServer((near) => void near.pipe(connect(socket)).pipe(near)).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const far = `tcp://127.0.0.1:${(proxy.address() as { port: number }).port}`;
    await refuses(work, 'host_path_unseen', runtimeFor([folder], far));
    proxy.close();
    await runtime.remove(writer, signal);
    await refuses(out, 'host_path_link');
    const reader = await born({ mounts: [pathOf(join(work, 'in'))] });
    expect(reader).toMatchObject({ state: 'running', drift: [] });
  });

  it('starts nothing again whose path of the host became a link meanwhile, and ends what got another one', async () => {
    const own = join(folder, 'own');
    await mkdir(own);
    const instance = await born({ mounts: [pathOf(own)] });
    await runtime.restart(instance, signal);
    await runtime.stop(instance, signal);
    await rename(own, `${own}-before`);
    await symlink('/', own);
    await expect(runtime.start(instance, signal)).rejects.toMatchObject({ code: 'host_path_link' });
    await expect(runtime.restart(instance, signal)).rejects.toMatchObject({ code: 'host_path_link' });
    expect((await all())[0]).toMatchObject({ state: 'exited' });
    await rm(own);
    await mkdir(own);
    await runtime.start(instance, signal);
    const { spec } = instance;
    const other = { ...specOf({ mounts: [pathOf(`${own}-before`)] }), server };
    const client = new EngineClient({ address: socket, clock: systemClock });
    const paths = new HostPaths({ client, address: socket, owner, rules: { allowed: [folder], closed: [] } });
    const container = instance.id;
    await paths.verify({ container, spec }, await paths.check(spec, signal), signal);
    const wrong = paths.verify({ container, spec: other }, await paths.check(other, signal), signal);
    await expect(wrong).rejects.toMatchObject({ code: 'host_path_changed' });
  });

  it('gets no port that somebody listens on, and may keep its own', async () => {
    const listener = createServer();
    const port = await new Promise<number>((resolve) =>
      listener.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port)),
    );
    const spec = specOf({ hostPort: port, order: 'stop-first' });
    await expect(runtime.admit(spec, [], signal)).rejects.toMatchObject({ code: 'port_taken' });
    await new Promise((resolve) => listener.close(resolve));
    await runtime.admit(spec, [], signal);
    await born({ hostPort: port, order: 'stop-first' });
    await runtime.admit(spec, [], signal);
    const other = specOf({ server: `${server}-b`, hostPort: port, order: 'stop-first' });
    await expect(runtime.admit(other, [], signal)).rejects.toMatchObject({
      code: 'port_taken',
      message: `port ${port} is held by the container ${server}-i-0001`,
    });
  });
});
