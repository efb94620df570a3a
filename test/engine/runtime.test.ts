import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { askEngine, callEngine } from '../../examples/engine/engine-call.ts';
import { attachEngine, openEngine, type PrivateEngine } from '../../examples/engine/engine.ts';
import type { BuiltImage } from '../../examples/images/build.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/model/failure.ts';
import type { Instance, Sighting } from '../../src/model/observed.ts';
import type { Spec } from '../../src/model/spec.ts';
import { dockerRuntime } from '../../src/runtime/index.ts';
import type { Birth, Runtime, RuntimeHint } from '../../src/runtime/runtime.ts';
import { runtimeContract } from '../contract/runtime.contract.ts';
import { aBirth, aSpec } from '../runtime/births.ts';
import type { SpecOrder } from '../runtime/births.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { answersAt, startContainer } from '../support/running-container.ts';
import { buildTestServerImage } from '../support/test-server-image.ts';

const engine = attachEngine(inject('engine'));
const { socket } = engine.docker;
const canBePrivate = process.getuid?.() === 0 && existsSync('/usr/sbin/dockerd');
const run = randomBytes(3).toString('hex');
const server = `rt-${run}`;
const signal = new AbortController().signal;
let image: BuiltImage;

beforeAll(async () => {
  image = await buildTestServerImage({ engine, name: server, version: '1.0.0' });
});
afterAll(async () => {
  await callEngine(socket, `/images/${image.repository}@${image.digest}?force=1`, { method: 'DELETE' });
});

const specOf = (order: SpecOrder = {}): Spec =>
  aSpec({ server, image: `${image.repository}:1.0.0`, imageDigest: image.digest, ...order });

const runtimeOf = (owner: string, address = socket): Runtime =>
  dockerRuntime({ address, clock: systemClock, owner, publishAddress: '127.0.0.1' });

async function clearAway(owner: string): Promise<void> {
  const runtime = runtimeOf(owner);
  for (const instance of (await runtime.observe([], signal)).instances)
    await runtime.remove(instance, signal);
}

runtimeContract('a real Docker Engine', async () => {
  const owner = `contract-${run}`;
  await clearAway(owner);
  await callEngine(socket, `/images/${image.reference}?force=1`, { method: 'DELETE' });
  await callEngine(socket, `/images/${image.repository}@${image.digest}?force=1`, { method: 'DELETE' });
  return {
    owner,
    runtime: runtimeOf(owner),
    other: (other) => runtimeOf(other),
    spec: async (order = {}) => specOf(order),
    crash: async ({ id, hostAddress }: Instance) => {
      const url = `http://127.0.0.1:${hostAddress?.port}`;
      await answersAt(`${url}/health`);
      await fetch(`${url}/behave?as=exit-at-once`, { method: 'POST' }).catch(() => undefined);
      // Its port closes before the engine has noticed the end: only the engine can say that it is over.
      await callEngine(socket, `/containers/${id}/wait`, { method: 'POST', deadlineMs: 60_000 });
    },
    close: () => clearAway(owner),
  };
});

describe('a container made on a real engine', () => {
  let owner: string;
  let proxy: EngineProxy;
  let runtime: Runtime;
  let watching: AbortController;
  let hints: RuntimeHint[];

  beforeEach(async () => {
    owner = `engine-${randomBytes(3).toString('hex')}`;
    proxy = await EngineProxy.open(socket);
    runtime = runtimeOf(owner, proxy.socket);
    watching = new AbortController();
    hints = [];
    void runtime.watch((hint) => hints.push(hint), watching.signal);
    await eventually(() => expect(hints).toContainEqual({ kind: 'connected' }));
  });
  afterEach(async () => {
    watching.abort();
    await clearAway(owner);
    await proxy.close();
  });

  async function born(order: SpecOrder = {}, birth: Partial<Birth> = {}): Promise<Instance> {
    const spec = specOf(order);
    await runtime.pull(spec, () => undefined, signal);
    const { id } = await runtime.create(aBirth({ spec, owner, ...birth }), signal);
    return find(id);
  }

  async function find(id: string): Promise<Instance> {
    const { instances } = await runtime.observe([], signal);
    const found = instances.find((each) => each.id === id);
    if (found === undefined) throw new Error(`${id} is gone`);
    return found;
  }

  const inspect = async (id: string): Promise<Inspected> =>
    JSON.parse((await askEngine(socket, `/containers/${id}/json`)).text) as Inspected;

  const byHand = async (path: string, body: object = {}): Promise<string> =>
    (await askEngine(socket, path, { method: 'POST', body: JSON.stringify(body), deadlineMs: 60_000 })).text;

  const urlOf = (instance: Instance): string => `http://127.0.0.1:${instance.hostAddress?.port}`;

  /** The standard output of a program run inside a container. */
  async function inside(id: string, script: string): Promise<string> {
    const Cmd = ['node', '-e', script];
    const exec = await byHand(`/containers/${id}/exec`, { Cmd, AttachStdout: true, AttachStderr: true });
    return byHand(`/exec/${(JSON.parse(exec) as { Id: string }).Id}/start`, { Detach: false, Tty: false });
  }

  it('is hardened, limited, published on loopback only and rotates its log: read back from the engine', async () => {
    const { id, hostAddress } = await born({
      readOnlyRoot: true,
      user: '1001',
      resources: { cpus: 0.5, memoryBytes: 2 ** 27, pids: 99 },
    });
    const { Config, HostConfig, NetworkSettings } = await inspect(id);
    expect(HostConfig).toMatchObject({
      CapAdd: null,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      Init: true,
      NanoCpus: 5e8,
      Memory: 2 ** 27,
      PidsLimit: 99,
      ReadonlyRootfs: true,
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(hostAddress?.port) }] },
      PidMode: '',
      NetworkMode: 'mcp-network',
    });
    expect(HostConfig.IpcMode).not.toBe('host');
    expect(Config).toMatchObject({
      User: '1001',
      StopTimeout: 10,
      Image: `${image.repository}@${image.digest}`,
    });
    expect(NetworkSettings.Networks['mcp-network']?.Aliases).toContain(`${server}-i-0001`);
    expect(Object.keys(NetworkSettings.Networks)).toEqual(['mcp-network']);
    const status = await inside(id, 'console.log(require("fs").readFileSync("/proc/self/status", "utf8"))');
    expect(status).toMatch(/CapEff:\s+0{16}/);
    expect(status).toMatch(/NoNewPrivs:\s+1/);
    expect(await find(id)).toMatchObject({ drift: [] });
  });

  it('carries the labels of the contract, and secrets nowhere but in its environment', async () => {
    const secrets = [{ name: 'TOKEN', version: 'v1' }];
    const instance = await born({ secrets }, { secrets: { TOKEN: 'hush-hush' } });
    const { Config } = await inspect(instance.id);
    const prefix = 'io.liminalcommons.mcp-orchestration';
    expect(Config.Labels).toMatchObject({
      'mcp.ecosystem': 'liminalcommons',
      [`${prefix}.owner`]: owner,
      [`${prefix}.server`]: server,
      [`${prefix}.instance`]: 'i-0001',
      [`${prefix}.revision`]: 'c0ffee',
      [`${prefix}.digest`]: specOf({ secrets }).digest,
    });
    expect(Config.Env).toContain('TOKEN=hush-hush');
    expect(JSON.stringify(Config.Labels)).not.toContain('hush');
    expect(JSON.stringify(await runtime.observe([], signal))).not.toContain('hush');
    expect(instance.drift).toEqual([]);
  });

  it('is looked at again with one list call and no write', async () => {
    await born();
    await born({}, { instance: 'i-0002' });
    const images = [`${image.repository}@${image.digest}`];
    const first = ours(await runtime.observe(images, signal));
    await settledNews();
    await runtime.observe(images, signal);
    proxy.calls.length = 0;
    expect(ours(await runtime.observe(images, signal))).toEqual(first);
    expect(proxy.calls).toEqual(['GET /v1.41/containers/json?all=true'.replace('1.41', await apiVersion())]);
  });

  /** Other files come and go on the same engine: what they do is not a change of ours. */
  function ours({ strangers, ...rest }: Sighting): Sighting {
    return { ...rest, strangers: strangers.filter(({ name }) => name.startsWith(server)) };
  }

  async function apiVersion(): Promise<string> {
    const { ApiVersion } = JSON.parse((await askEngine(socket, '/version')).text) as { ApiVersion: string };
    return Number(ApiVersion.split('.')[1]) > 47 ? '1.47' : ApiVersion;
  }

  /** Events come after the deed. */
  async function settledNews(): Promise<void> {
    await systemClock.sleep(300);
  }

  const changes: readonly (readonly [
    what: string,
    change: (id: string) => Promise<unknown>,
    drift: string,
  ])[] = [
    [
      'its memory',
      (id) => byHand(`/containers/${id}/update`, { Memory: 2 ** 29, MemorySwap: 2 ** 29 }),
      'memory limit',
    ],
    [
      'its restart policy',
      (id) => byHand(`/containers/${id}/update`, { RestartPolicy: { Name: 'always' } }),
      'restart policy',
    ],
    ['its name', (id) => byHand(`/containers/${id}/rename?name=renamed-${run}`), 'name'],
    [
      'its network',
      (id) => byHand('/networks/mcp-network/disconnect', { Container: id }),
      'not on network mcp-network',
    ],
    ['its running, by a pause', (id) => byHand(`/containers/${id}/pause`), 'paused'],
  ];
  it.each(changes)('shows at once that somebody changed %s', async (_what, change, drift) => {
    const { id } = await born();
    await settledNews();
    await find(id);
    hints.length = 0;
    const began = Date.now();
    await change(id);
    await eventually(() =>
      expect(hints.some((hint) => hint.kind === 'look' && hint.server === server)).toBe(true),
    );
    expect((await find(id)).drift).toContain(drift);
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('tells a stop by hand from our own', async () => {
    const instance = await born();
    await answersAt(`${urlOf(instance)}/health`);
    await runtime.restart(instance, signal);
    await runtime.stop(instance, signal);
    await runtime.start(instance, signal);
    await settledNews();
    expect(hints.filter((hint) => hint.kind === 'kill_requested')).toEqual([]);
    await byHand(`/containers/${instance.id}/stop?t=1`);
    await eventually(() => expect(hints.map((hint) => hint.kind)).toContain('kill_requested'));
    expect(hints).toContainEqual(expect.objectContaining({ kind: 'kill_requested', container: instance.id }));
  });

  it('answers under the name of its server once promoted, no request in flight disturbed, and no more once it left', async () => {
    const instance = await born();
    const onlooker = await born({ server: `${server}-b` }, { instance: 'i-0009' });
    await runtime.promote(onlooker, signal);
    await answersAt(`${urlOf(instance)}/health`);
    const inFlight = fetch(`${urlOf(instance)}/slow?ms=1500`).then((response) => response.status);
    await runtime.promote(instance, signal);
    const ask = `fetch("http://${server}:8080/health").then((r) => console.log(r.status), (e) => console.log(e.cause.code))`;
    expect(await inside(onlooker.id, ask)).toContain('200');
    expect(await inside(onlooker.id, ask.replace(`//${server}:`, `//${server}-i-0001:`))).toContain('200');
    expect(await inFlight).toBe(200);
    expect((await find(instance.id)).hostAddress).toEqual(instance.hostAddress);
    await runtime.leave(instance, signal);
    const resolver = 'new (require("dns").promises.Resolver)({ timeout: 500, tries: 1 })';
    const name = `${resolver}.resolve4("${server}").then(console.log, (e) => console.log("gone:", e.code))`;
    expect(await inside(onlooker.id, name)).toContain('gone:');
  });

  it('answers nobody on the live network without the alias, until it is promoted', async () => {
    const instance = await born();
    await runtime.promote(instance, signal);
    await runtime.leave(instance, signal);
    await byHand('/networks/mcp-network-live/connect', { Container: instance.id });
    expect(await find(instance.id)).toMatchObject({ joined: false, drift: [] });
    await runtime.promote(instance, signal);
    expect((await find(instance.id)).joined).toBe(true);
  });

  it('leaves a stranger alone that bears its name or holds its port', async () => {
    await runtime.pull(specOf(), () => undefined, signal);
    const stranger = await startContainer(engine, { image: `${image.repository}@${image.digest}` });
    try {
      await byHand(`/containers/${stranger.id}/rename?name=${server}-i-0001`);
      const before = await inspect(stranger.id);
      await expect(born()).rejects.toMatchObject({ code: 'foreign_container' });
      const port = Number(new URL(stranger.url).port);
      const taken = born({ hostPort: port, order: 'stop-first' }, { instance: 'i-0002' });
      await expect(taken).rejects.toMatchObject({ code: 'port_taken', class: 'world' });
      const { strangers } = await runtime.observe([], signal);
      expect(strangers).toContainEqual({ name: `${server}-i-0001`, server, hostPorts: [port] });
      expect((await inspect(stranger.id)).State).toEqual(before.State);
    } finally {
      await stranger.remove();
    }
  });

  it('blames the version for a user that its image does not have, and leaves the container to look at', async () => {
    const failure = await born({ user: 'nobody-of-that-name' }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'container_start_failed', class: 'version' });
    expect((await find((failure as Failure).container ?? '')).state).toBe('created');
  });

  it('exits by itself with 127 when its program is not there, since its init does start', async () => {
    const { id } = await born({ command: ['no-such-program'] });
    await eventually(async () => expect(await find(id)).toMatchObject({ state: 'exited', exitCode: 127 }));
  });

  it('is on the other networks of its entry, which are never made for it', async () => {
    const network = `rt-net-${run}`;
    const order = { networks: ['mcp-network', network] };
    await expect(born(order)).rejects.toMatchObject({ code: 'network_missing' });
    await byHand('/networks/create', { Name: network });
    const instance = await born(order);
    expect(instance.drift).toEqual([]);
    expect(Object.keys((await inspect(instance.id)).NetworkSettings.Networks)).toContain(network);
    await clearAway(owner);
    await askEngine(socket, `/networks/${network}`, { method: 'DELETE' });
  });

  it('can be of an image that nobody published', async () => {
    await runtime.pull(specOf(), () => undefined, signal);
    const name = `unpublished-${run}`;
    await byHand(`/images/${image.repository}@${image.digest}/tag?repo=${name}&tag=1`);
    const imageDigest = await runtime.localDigest(`docker.io/library/${name}:1`, signal);
    const instance = await born({ image: `docker.io/library/${name}:1`, imageDigest: imageDigest ?? '' });
    expect(instance).toMatchObject({ state: 'running', drift: [] });
    const reference = `docker.io/library/${name}@${imageDigest}`;
    expect((await runtime.observe([reference], signal)).images).toEqual([]);
    const tagged = `docker.io/library/${name}:1@${imageDigest}`;
    expect((await runtime.observe([tagged], signal)).images).toEqual([reference]);
    await clearAway(owner);
    await askEngine(socket, `/images/${name}:1`, { method: 'DELETE' });
  });

  it('keeps what it writes to its volume when it is made anew', async () => {
    const mounts = [
      { kind: 'volume', source: `${server}_data`, target: '/data', readOnly: false, shareable: false },
    ] as const;
    const instance = await born({ mounts, user: '0' });
    expect(instance.drift).toEqual([]);
    await inside(instance.id, 'require("fs").writeFileSync("/data/kept", "yes")');
    await runtime.remove(instance, signal);
    const again = await born({ mounts, user: '0' });
    expect(await inside(again.id, 'console.log(require("fs").readFileSync("/data/kept", "utf8"))')).toContain(
      'yes',
    );
    await clearAway(owner);
    await askEngine(socket, `/volumes/${server}_data`, { method: 'DELETE' });
  });

  it('made by hand with copied labels is told from ours', async () => {
    const ours = await born();
    const { Config, HostConfig } = await inspect(ours.id);
    const created = await byHand(`/containers/create?name=copy-${run}`, {
      Image: Config.Image,
      Env: [...Config.Env, 'EXTRA=1'],
      Labels: Config.Labels,
      HostConfig: { Privileged: true, NetworkMode: 'bridge', RestartPolicy: HostConfig.RestartPolicy },
    });
    const { drift } = await find((JSON.parse(created) as { Id: string }).Id);
    expect(drift).toEqual(
      expect.arrayContaining([
        'name',
        'capabilities',
        'privileged',
        'init',
        'log rotation',
        'published port',
        'environment EXTRA',
      ]),
    );
    expect(drift).toEqual(expect.arrayContaining(['not on network mcp-network', 'on network bridge']));
  });
});

describe.runIf(canBePrivate)('an engine that starts again', () => {
  it('ended everything before its present start, tells so, and keeps ports and membership', async () => {
    const own = (await openEngine({ alwaysPrivate: true })) as PrivateEngine;
    const watching = new AbortController();
    try {
      const made = await buildTestServerImage({ engine: own, name: server, version: '1.0.0' });
      const runtime = runtimeOf('reboot', own.docker.socket);
      const hints: RuntimeHint[] = [];
      void runtime.watch((hint) => hints.push(hint), watching.signal);
      const spec = specOf({ image: `${made.repository}:1.0.0`, imageDigest: made.digest });
      await runtime.pull(spec, () => undefined, signal);
      await runtime.create(aBirth({ spec, owner: 'reboot' }), signal);
      const before = await runtime.observe([], signal);
      const [instance] = before.instances;
      if (instance === undefined) throw new Error('it was created');
      await runtime.promote(instance, signal);
      await own.restartEngine();
      await eventually(() => expect(hints.at(-1)).toEqual({ kind: 'connected' }));
      const after = await runtime.observe([], signal);
      expect(after.engine.startedAt).toBeGreaterThan(before.engine.startedAt);
      expect(after.instances).toMatchObject([{ id: instance.id, state: 'exited', joined: true, drift: [] }]);
      expect(after.instances[0]?.finishedAt).toBeLessThan(after.engine.startedAt);
      await runtime.start(instance, signal);
      const [again] = (await runtime.observe([], signal)).instances;
      expect(again).toMatchObject({ state: 'running', hostAddress: instance.hostAddress, drift: [] });
    } finally {
      watching.abort();
      await own.stop();
    }
  });
});

interface Inspected {
  readonly State: object;
  readonly Config: {
    readonly Labels: Record<string, string>;
    readonly Env: string[];
    readonly Image: string;
  };
  readonly HostConfig: Record<string, unknown>;
  readonly NetworkSettings: { readonly Networks: Record<string, { readonly Aliases: string[] | null }> };
}
