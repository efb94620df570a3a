import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { Failure } from '../../../src/model/failure.ts';
import type { Instance } from '../../../src/model/observed.ts';
import { imageRefOf, interestOf } from '../../../src/model/spec.ts';
import { dockerRuntime } from '../../../src/runtime/index.ts';
import type { DockerOptions } from '../../../src/runtime/index.ts';
import type { PullProgress, Runtime, RuntimeHint } from '../../../src/runtime/runtime.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeEngine } from '../../support/fake-engine.ts';
import type { Fault } from '../../support/fake-engine.ts';
import { aBirth, aSpec, someDigest } from '../births.ts';

const LIST = /GET .*\/containers\/json/;
const signal = new AbortController().signal;

let engine: FakeEngine;
let runtime: Runtime;
let watching: AbortController;
let hints: RuntimeHint[];

const open = (different: Partial<DockerOptions> = {}): Runtime =>
  dockerRuntime({
    address: engine.socket,
    clock: systemClock,
    owner: 'default',
    publishAddress: '127.0.0.1',
    callMs: 1_000,
    pullStallMs: 200,
    ...different,
  });

beforeEach(async () => {
  engine = await FakeEngine.open();
  runtime = open();
  watching = new AbortController();
  hints = [];
});
afterEach(async () => {
  watching.abort();
  vi.unstubAllEnvs();
  await engine.destroy();
});

async function born(spec = aSpec(), instance = 'i-0001'): Promise<Instance> {
  engine.registry.add(imageRefOf(spec));
  await runtime.pull(spec, () => undefined, signal);
  const { id } = await runtime.create(aBirth({ spec, instance }), signal);
  return find(id);
}

async function find(id: string): Promise<Instance> {
  const found = (await runtime.observe([], signal)).instances.find((each) => each.id === id);
  if (found === undefined) throw new Error(`${id} is gone`);
  return found;
}

async function watch(): Promise<void> {
  void runtime.watch((hint) => hints.push(hint), watching.signal);
  await heard({ kind: 'connected' });
}

const heard = (hint: object): Promise<void> =>
  eventually(() => expect(hints).toContainEqual(expect.objectContaining(hint)));

async function failureOf(deed: Promise<unknown>): Promise<Failure> {
  const failure = await deed.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  return failure as Failure;
}

describe('an engine that misbehaves', () => {
  const faults: readonly (readonly [what: string, fault: Fault, code: string])[] = [
    ['cuts its answer in the middle', { kind: 'cut' }, 'engine_timeout'],
    ['stalls in the middle of its answer', { kind: 'stall' }, 'engine_timeout'],
    ['never answers', { kind: 'never' }, 'engine_timeout'],
    ['hangs up', { kind: 'hangup' }, 'engine_unreachable'],
    ['answers as a web page', { kind: 'html' }, 'engine_refused'],
    ['answers with half a JSON text', { kind: 'garbage' }, 'engine_refused'],
    ['answers 500', { kind: 'status', status: 500, message: 'out of luck' }, 'engine_refused'],
  ];
  const calls: readonly (readonly [
    what: string,
    call: RegExp,
    deed: (instance: Instance) => Promise<unknown>,
  ])[] = [
    ['a look', LIST, () => runtime.observe([], signal)],
    ['an inspection', /GET .*\/containers\/[0-9a-f]+\/json/, () => runtime.observe([], signal)],
    ['an image', /GET .*\/images\//, () => runtime.localDigest('docker.io/a/b:1', signal)],
    ['a promotion', /POST .*\/networks\/.*\/connect/, (instance) => runtime.promote(instance, signal)],
    ['the version', /GET .*\/version/, () => open().platform(signal)],
  ];
  /** What it says of one container is that one's trouble. */
  const isOfOne = (code: string, call: string): boolean =>
    call === 'an inspection' && code === 'engine_refused';
  const both = faults
    .flatMap((fault) => calls.map((call) => [fault[0], call[0], fault, call] as const))
    .filter(([, call, [, , code]]) => !isOfOne(code, call));

  it.each(both)(
    'and %s fails %s in time, and the next try is well',
    async (_fault, _call, [, fault, code], [, call, deed]) => {
      const instance = await born();
      engine.fault(call, fault);
      const began = Date.now();
      expect((await failureOf(deed(instance))).code).toBe(code);
      expect(Date.now() - began).toBeLessThan(10_000);
      await deed(instance);
    },
  );

  it.each(faults.filter(([, , code]) => isOfOne(code, 'an inspection')))(
    'and %s when it is asked for one container leaves all others in sight',
    async (_what, fault) => {
      const [bad, good] = [await born(), await born(aSpec({ server: 'mcp-server-b' }), 'i-0002')];
      runtime = open();
      engine.fault(new RegExp(`GET .*/containers/${bad.id}/json`), fault);
      const { instances } = await runtime.observe([], signal);
      expect(instances).toContainEqual(good);
      const said = { id: bad.id, state: 'running', name: bad.name, spec: bad.spec, drift: ['unreadable'] };
      expect(instances.find(({ id }) => id === bad.id)).toMatchObject(said);
      expect((await runtime.observe([], signal)).instances).toContainEqual(bad);
    },
  );

  it('and cannot tell of a container any more is believed what it said, while the list says the same', async () => {
    const instance = await born();
    engine.fault(
      /GET .*\/containers\/[0-9a-f]+\/json/,
      { kind: 'status', status: 500, message: 'corrupt' },
      9,
    );
    expect((await runtime.observe([], signal)).instances).toEqual([instance]);
    const container = engine.find(instance.id);
    if (container !== undefined) engine.end(container, 1);
    const [ended] = (await runtime.observe([], signal)).instances;
    expect(ended).toMatchObject({ id: instance.id, state: 'exited', drift: ['unreadable'] });
  });

  it('and cannot tell of an image has it brought again, and looks at everything else', async () => {
    const instance = await born();
    runtime = open();
    engine.fault(/GET .*\/images\//, { kind: 'status', status: 500, message: 'corrupt' }, 9);
    const sighting = await runtime.observe([imageRefOf(aSpec())], signal);
    expect(sighting).toMatchObject({ instances: [{ id: instance.id, drift: [] }], images: [] });
  });

  it('fails a list that is no list', async () => {
    engine.fault(LIST, { kind: 'pieces', pieces: [Buffer.from('{"message": "odd"}')] });
    expect((await failureOf(runtime.observe([], signal))).message).toContain('the answer is no list');
  });

  it('is let go of when the caller gives up before its deadline', async () => {
    engine.fault(LIST, { kind: 'never' });
    const patient = open({ callMs: 60_000 });
    const failure = await failureOf(patient.observe([], AbortSignal.timeout(50)));
    expect(failure).toMatchObject({ code: 'engine_timeout', class: 'world' });
  });

  it('is not asked at all by a caller who has given up', async () => {
    await runtime.platform(signal);
    engine.calls.length = 0;
    await failureOf(runtime.observe([], AbortSignal.abort()));
    await failureOf(open().platform(AbortSignal.abort()));
    await failureOf(runtime.pull(aSpec(), () => undefined, AbortSignal.abort()));
    expect(engine.callsTo(/containers|images/)).toEqual([]);
  });

  it('and is not there is unreachable, with advice', async () => {
    const failure = await failureOf(open({ address: `unix://${engine.socket}.gone` }).observe([], signal));
    expect(failure).toMatchObject({ code: 'engine_unreachable' });
    expect(failure.suggestedAction).toContain('--docker');
  });

  it('and is not there at a port is unreachable too', async () => {
    const tls = { ca: '', cert: '', key: '' };
    for (const address of ['tcp://127.0.0.1:1', 'http://127.0.0.1:1', 'https://127.0.0.1:1']) {
      expect((await failureOf(open({ address }).platform(signal))).code).toBe('engine_unreachable');
    }
    expect((await failureOf(open({ address: 'tcp://127.0.0.1', tls }).platform(signal))).code).toBe(
      'engine_unreachable',
    );
    expect((await failureOf(open({ address: 'tcp://127.0.0.1' }).platform(signal))).code).toBe(
      'engine_unreachable',
    );
  });

  it('gives no log lines rather than a failure', async () => {
    const { id } = await born();
    engine.fault(/logs/, { kind: 'status', status: 500, message: 'no log' });
    expect(await runtime.logs(id, 5, signal)).toEqual([]);
  });
});

describe('which engine is spoken to, and how', () => {
  it('is the one that was named, whatever DOCKER_HOST says', async () => {
    for (const host of ['tcp://127.0.0.1:1', 'unix:///nowhere.sock']) {
      vi.stubEnv('DOCKER_HOST', host);
      vi.stubEnv('DOCKER_TLS_VERIFY', '');
      expect((await runtime.observe([], signal)).engine.id).toBe('FAKE');
    }
  });

  it.each([
    ['1.41', '1.12', '/v1.41/containers/json'],
    ['1.52', '1.44', '/v1.47/containers/json'],
    ['1.40', undefined, '/v1.40/containers/json'],
  ])('that speaks %s is spoken to in a version both know', async (ApiVersion, MinAPIVersion, path) => {
    engine.version = { ...engine.version, ApiVersion, MinAPIVersion };
    await runtime.observe([], signal);
    expect(engine.callsTo(LIST)).toEqual([`GET ${path}`]);
  });

  it.each([
    ['1.39', '1.12', 'engine_too_old', 'update the Docker Engine'],
    ['1.60', '1.50', 'engine_too_old', 'update mcp-orchestration'],
    [undefined, undefined, 'engine_refused', '--docker'],
    ['two', undefined, 'engine_refused', '--docker'],
  ])(
    'that speaks %s at most and %s at least is refused with a clear sentence',
    async (ApiVersion, MinAPIVersion, code, advice) => {
      engine.version = { ...engine.version, ApiVersion, MinAPIVersion };
      const failure = await failureOf(runtime.observe([], signal));
      expect(failure.code).toBe(code);
      expect(failure.suggestedAction).toContain(advice);
    },
  );

  it('is agreed upon anew when the engine was replaced', async () => {
    await watch();
    await runtime.observe([], signal);
    engine.version = { ...engine.version, ApiVersion: '1.44' };
    engine.cutEvents();
    await heard({ kind: 'disconnected' });
    await eventually(() => expect(hints.filter((hint) => hint.kind === 'connected')).toHaveLength(2));
    await runtime.observe([], signal);
    expect(engine.callsTo(LIST).at(-1)).toBe('GET /v1.44/containers/json');
  });

  it('has no known start when it has no network of its own', async () => {
    engine.networks.delete('bridge');
    expect((await runtime.observe([], signal)).engine.startedAt).toBe(0);
  });
});

describe('a pull', () => {
  const spec = aSpec();
  const PULL = /POST .*\/images\/create/;
  const pull = (progress: (line: PullProgress) => void = () => undefined) =>
    runtime.pull(spec, progress, signal);
  const pieces = (...texts: readonly string[]): Fault => ({
    kind: 'pieces',
    pieces: texts.map((text) => Buffer.from(text)),
  });

  it('adds up its layers', async () => {
    engine.registry.add(imageRefOf(spec));
    const lines: PullProgress[] = [];
    await pull((line) => lines.push(line));
    expect(lines).toEqual([
      { done: 0, total: 0, status: 'Pulling from' },
      { done: 5, total: 10, status: 'Downloading' },
      { done: 10, total: 10, status: 'Pull complete' },
      { done: 10, total: 10, status: 'Digest: x' },
    ]);
    await pull((line) => lines.push(line));
    expect(lines).toHaveLength(4);
    expect(engine.auths).toEqual([]);
  });

  it('takes along the credentials for its registry', async () => {
    engine.registry.add(imageRefOf(spec));
    const auth = { username: 'u', password: 'p', serveraddress: 'docker.io' };
    const asked: string[] = [];
    runtime = open({ authFor: async (repository) => (asked.push(repository), auth) });
    await pull();
    expect(asked).toEqual(['docker.io/liminalcommons/mcp-server-a']);
    expect(engine.auths.map((each) => JSON.parse(each) as object)).toEqual([auth]);
  });

  it.each([
    ['toomanyrequests: slow down', 'registry_busy'],
    ['unauthorized: authentication required', 'registry_denied'],
    ['write /layer: no space left on device', 'disk_full'],
    ['something new under the sun', 'image_pull_failed'],
    ['failed to register layer: exec: ./x: no such file or directory', 'image_pull_failed'],
  ])('that says "%s" after it began well has failed, and no version is to blame', async (error, code) => {
    engine.fault(PULL, pieces('{"status":"Pulling"}\n', `{"errorDetail":{},"error":"${error}"}\n`));
    expect(await failureOf(pull())).toMatchObject({ code, class: 'world' });
  });

  it('that ends well with another content is a mismatch', async () => {
    engine.fault(PULL, pieces('{"status":"done"}\n'));
    expect((await failureOf(pull())).code).toBe('image_mismatch');
  });

  it.each([
    ['cut', { kind: 'hangup' }, 'engine_unreachable'],
    ['cut in its middle', { kind: 'cut' }, 'engine_unreachable'],
    ['silent for too long', { kind: 'stall' }, 'engine_timeout'],
    ['never answered', { kind: 'never' }, 'engine_timeout'],
    ['answered by a web page', { kind: 'html' }, 'engine_refused'],
    ['refused', { kind: 'status', status: 404, message: 'manifest unknown' }, 'image_not_found'],
  ] as const)('that is %s has failed in time', async (_what, fault, code) => {
    engine.fault(PULL, fault);
    expect((await failureOf(pull())).code).toBe(code);
  });

  it('understands characters and lines that come in pieces', async () => {
    const line = Buffer.from('{"status":"schön – 日本"}\n{"status":"next"}');
    engine.fault(PULL, { kind: 'pieces', pieces: [...line].map((byte) => Uint8Array.of(byte)) });
    const said: string[] = [];
    await failureOf(runtime.pull(spec, ({ status }) => said.push(status), signal));
    expect(said).toEqual(['schön – 日本', 'next']);
  });

  it('will not read a line without end', async () => {
    engine.fault(PULL, pieces(`"${'x'.repeat(2_000_000)}`));
    expect((await failureOf(pull())).message).toContain('line without end');
  });

  it('ends when the caller gives up', async () => {
    engine.fault(PULL, { kind: 'stall' });
    const patient = open({ callMs: 60_000, pullStallMs: 60_000 });
    const failure = await failureOf(patient.pull(spec, () => undefined, AbortSignal.timeout(100)));
    expect(failure.code).toBe('engine_timeout');
  });

  it('is not needed for an image that nobody published', async () => {
    engine.images.set('docker.io/library/local:1', someDigest('e'));
    const local = aSpec({ image: 'docker.io/library/local:1', imageDigest: someDigest('e') });
    expect(await runtime.localDigest(local.image, signal)).toBe(someDigest('e'));
    await runtime.pull(local, () => undefined, signal);
    await runtime.create(aBirth({ spec: local }), signal);
    expect(engine.callsTo(PULL)).toEqual([]);
    expect((await runtime.observe([interestOf(local)], signal)).images).toEqual([imageRefOf(local)]);
    const instance = (await runtime.observe([], signal)).instances[0];
    expect(instance?.drift).toEqual([]);
  });

  it.each([
    ['an image of the same id in another repository', 'docker.io/liminalcommons/nothing:1', someDigest('e')],
    ['an entry that names the digest itself', `docker.io/library/local@${someDigest('e')}`, someDigest('e')],
    ['a tag that stands for another image', 'docker.io/library/other:1', someDigest('e')],
  ])('is needed although the engine has %s', async (_what, image, imageDigest) => {
    engine.images.set('docker.io/library/local:1', someDigest('e'));
    engine.images.set('docker.io/library/other:1', someDigest('d'));
    const asked = aSpec({ image, imageDigest });
    expect((await runtime.observe([interestOf(asked), imageRefOf(asked)], signal)).images).toEqual([]);
    expect(await runtime.localDigest(imageRefOf(asked), signal)).toBeNull();
    expect((await failureOf(runtime.pull(asked, () => undefined, signal))).code).toBe('image_not_found');
    expect((await failureOf(runtime.create(aBirth({ spec: asked }), signal))).code).toBe('image_not_found');
    expect(engine.containers.size).toBe(0);
  });

  it('of an image in use cannot be taken back, nor of one that bears another name', async () => {
    await born();
    expect((await failureOf(runtime.removeImage(imageRefOf(spec), signal))).code).toBe('engine_refused');
    engine.images.set('docker.io/library/local:1', someDigest('e'));
    await runtime.removeImage(`docker.io/library/local@${someDigest('e')}`, signal);
    expect(engine.images.has('docker.io/library/local:1')).toBe(true);
    await runtime.removeImage('docker.io/library/never:1', signal);
  });
});

describe('a look', () => {
  it('asks for one list and nothing else while nothing happens', async () => {
    await watch();
    const { id } = await born();
    const images = [imageRefOf(aSpec())];
    await runtime.observe(images, signal);
    await eventually(async () => {
      engine.calls.length = 0;
      await runtime.observe(images, signal);
      expect(engine.calls).toEqual(['GET /v1.41/containers/json']);
    });
    expect((await find(id)).state).toBe('running');
  });

  it('asks for everything each time while no events come', async () => {
    await born();
    await runtime.observe([], signal);
    engine.calls.length = 0;
    await runtime.observe([], signal);
    expect(engine.callsTo(/containers\/[0-9a-f]+\/json/)).toHaveLength(1);
    expect(engine.callsTo(/info/)).toHaveLength(1);
  });

  it('believes nothing for longer than a minute', async () => {
    let now = Date.now();
    runtime = open({ clock: { ...systemClock, now: () => now } });
    await watch();
    await born();
    await eventually(async () => {
      engine.calls.length = 0;
      await runtime.observe([], signal);
      expect(engine.calls).toHaveLength(1);
    });
    now += 60_000;
    engine.calls.length = 0;
    await runtime.observe([], signal);
    expect(engine.callsTo(/containers\/[0-9a-f]+\/json/)).toHaveLength(1);
  });

  it('sees what an event tells, and what only the list does', async () => {
    await watch();
    const { id } = await born();
    await find(id);
    const container = engine.find(id);
    if (container === undefined) throw new Error('it is there');
    container.HostConfig['Memory'] = 1;
    engine.say(container, 'update');
    await heard({ kind: 'look', what: 'update' });
    expect((await find(id)).drift).toEqual(['memory limit']);
    container.Name = '/renamed';
    expect((await find(id)).drift).toEqual(['name', 'memory limit']);
    container.State.Health = { Status: 'unhealthy' };
    expect((await find(id)).engineHealth).toBe('unhealthy');
  });

  it('leaves out what went while it looked', async () => {
    await born();
    engine.fault(/containers\/[0-9a-f]+\/json/, {
      kind: 'status',
      status: 404,
      message: 'No such container',
    });
    expect((await runtime.observe([], signal)).instances).toEqual([]);
  });

  it('does not look for what only the image could tell once the image is gone', async () => {
    const { id } = await born();
    engine.images.clear();
    runtime = open();
    expect((await find(id)).drift).toEqual([]);
  });

  it('reads rows of engines that leave out what is empty', async () => {
    const row = {
      Id: 'x',
      Image: 'i',
      State: 'running',
      Status: 'Up',
      Labels: null,
      Ports: null,
      Names: null,
    };
    engine.fault(LIST, { kind: 'pieces', pieces: [Buffer.from(JSON.stringify([row]))] });
    const { strangers } = await runtime.observe([], signal);
    expect(strangers).toEqual([{ name: '', server: null, hostPorts: [] }]);
  });

  it('tells strangers by the name they bear and the ports they hold', async () => {
    engine.addContainer('mcp-server-a', { hostPort: 8080 });
    engine.addContainer('mcp-server-b-i-77aa');
    engine.addContainer('');
    const { strangers, instances } = await runtime.observe([], signal);
    expect(instances).toEqual([]);
    expect(strangers).toEqual([
      { name: 'mcp-server-a', server: 'mcp-server-a', hostPorts: [8080] },
      { name: 'mcp-server-b-i-77aa', server: 'mcp-server-b', hostPorts: [] },
      { name: '', server: null, hostPorts: [] },
    ]);
  });

  it('sees that an image was deleted', async () => {
    await watch();
    const image = imageRefOf(aSpec());
    engine.registry.add(image);
    await runtime.pull(aSpec(), () => undefined, signal);
    expect((await runtime.observe([image], signal)).images).toEqual([image]);
    engine.images.clear();
    engine.emit('image', 'delete', image);
    await heard({ kind: 'look', what: 'delete' });
    expect((await runtime.observe([image], signal)).images).toEqual([]);
  });
});

describe('following the events', () => {
  it('goes on where it was cut, without telling anything twice', async () => {
    await watch();
    const { id } = await born();
    await heard({ kind: 'look', what: 'start' });
    const container = engine.find(id);
    if (container === undefined) throw new Error('it is there');
    engine.cutEvents();
    await heard({ kind: 'disconnected' });
    engine.end(container, 1);
    await heard({ kind: 'look', what: 'die' });
    expect(hints.filter((hint) => hint.kind === 'look' && hint.what === 'start')).toHaveLength(1);
    expect(hints.filter((hint) => hint.kind === 'disconnected')).toHaveLength(1);
  });

  it('tells of an outage once, and tries until the engine is back', async () => {
    await watch();
    await engine.close();
    await heard({ kind: 'disconnected' });
    expect((await failureOf(runtime.observe([], signal))).code).toBe('engine_unreachable');
    await systemClock.sleep(400);
    await engine.listen();
    await eventually(() => expect(hints.at(-1)).toEqual({ kind: 'connected' }));
    expect(hints.filter((hint) => hint.kind === 'disconnected')).toHaveLength(1);
  });

  it('tries again when the engine ends its events, or sends something else', async () => {
    engine.fault(/events/, { kind: 'pieces', pieces: [] });
    engine.fault(/events/, { kind: 'html' });
    await watch();
    await eventually(() => expect(engine.callsTo(/events/)).toHaveLength(3));
    expect(hints).toContainEqual({ kind: 'disconnected', error: 'the engine ended its events' });
    engine.emit('container', 'die', 'x', { 'io.liminalcommons.mcp-orchestration.owner': 'default' });
    await eventually(() => expect(hints.at(-1)).toEqual({ kind: 'look', server: null, what: 'die' }));
  });

  it('passes over a line that is no event, and looks at everything anew', async () => {
    const line = '{"Type":"container","Action":"die","Actor":{"ID":"x"},"timeNano":1795000000123000000}';
    engine.fault(/events/, { kind: 'pieces', pieces: [Buffer.from(`{"half\nnull\n${line}\n`)] });
    void runtime.watch((hint) => hints.push(hint), watching.signal);
    await heard({ kind: 'look', server: null, what: 'die' });
    expect(hints.slice(0, 3)).toEqual([
      { kind: 'connected' },
      { kind: 'look', server: null, what: 'unreadable' },
      { kind: 'look', server: null, what: 'die' },
    ]);
  });

  it('remembers enough to tell nothing twice, and no more', async () => {
    await watch();
    for (let count = 0; count < 300; count += 1) engine.emit('container', 'die', `s${count}`);
    engine.emit('daemon', 'reload', 'x');
    await eventually(() => expect(hints.filter((hint) => hint.kind === 'look')).toHaveLength(300));
  });

  it('ends at once when it is told to, also while it waits to try again', async () => {
    await engine.close();
    const watched = runtime.watch((hint) => hints.push(hint), watching.signal);
    await heard({ kind: 'disconnected' });
    watching.abort();
    await watched;
  });
});

describe('deeds that something comes between', () => {
  it('take another port when somebody was quicker', async () => {
    engine.fault(/POST .*\/start/, { kind: 'status', status: 500, message: 'port is already allocated' }, 2);
    const instance = await born();
    expect(instance.state).toBe('running');
    expect(engine.containers.size).toBe(1);
    expect(engine.callsTo(/containers\/create/)).toHaveLength(3);
  });

  it('give up after three ports', async () => {
    engine.fault(/POST .*\/start/, { kind: 'status', status: 500, message: 'port is already allocated' }, 3);
    const failure = await failureOf(born());
    expect(failure).toMatchObject({ code: 'port_taken', container: [...engine.containers.keys()][0] });
  });

  it('make anew what was created while the answer was lost', async () => {
    engine.registry.add(imageRefOf(aSpec()));
    await runtime.pull(aSpec(), () => undefined, signal);
    engine.fault(/POST .*\/start/, { kind: 'never' });
    runtime = open();
    const first = [...engine.containers.keys()];
    expect((await failureOf(runtime.create(aBirth(), AbortSignal.timeout(400)))).code).toBe('engine_timeout');
    const { id } = await runtime.create(aBirth(), signal);
    expect([...engine.containers.keys()]).toEqual([id]);
    expect(first).toEqual([]);
  });

  it('are refused for a network that no server may be on', async () => {
    engine.networks.set('host', { Id: 'h', Name: 'host', Created: '', Internal: false, Labels: {} });
    for (const network of ['host', 'none', 'mcp-network-live', 'container:abc']) {
      const failure = await failureOf(born(aSpec({ networks: [network] })));
      expect(failure).toMatchObject({ code: 'container_rejected', class: 'version' });
    }
  });

  it('say which network is missing, and join it once it is there', async () => {
    const spec = aSpec({ networks: ['mcp-network', 'other'] });
    const failure = await failureOf(born(spec));
    expect(failure.code).toBe('network_missing');
    expect(failure.suggestedAction).toContain('docker network create other');
    engine.networks.set('other', { Id: 'o', Name: 'other', Created: '', Internal: false, Labels: {} });
    expect((await born(spec)).drift).toEqual([]);
  });

  it('take no network whose id begins with the name of another, and none of two that bear one name', async () => {
    const other = { Id: `18eb${'0'.repeat(60)}`, Name: 'other', Created: '', Internal: false, Labels: {} };
    engine.networks.set('other', other);
    const missing = await failureOf(born(aSpec({ networks: ['mcp-network', '18eb'] })));
    expect(missing).toMatchObject({ code: 'network_missing', message: 'there is no network 18eb' });
    for (const name of ['other', 'mcp-network', 'mcp-network-live']) {
      engine.networks.set(name, { ...other, Name: name });
      engine.networks.set(`${name} again`, { ...other, Name: name, Id: 'f'.repeat(64) });
      const failure = await failureOf(born(aSpec({ networks: ['mcp-network', 'other'] })));
      expect(failure.code, name).toBe('network_ambiguous');
      expect(failure.message).toContain('18eb00000000, ffffffffffff');
      expect(failure.suggestedAction).toContain('docker network rm');
      engine.networks.delete(`${name} again`);
    }
    expect(engine.callsTo(/containers\/create/)).toEqual([]);
  });

  it('make the two networks of the ecosystem, the live one internal, and mark them as ours', async () => {
    await runtime.promote(await born(), signal);
    expect(engine.networks.get('mcp-network')).toMatchObject({ Internal: false });
    expect(engine.networks.get('mcp-network-live')).toMatchObject({
      Internal: true,
      Labels: { 'mcp.ecosystem': 'liminalcommons', 'io.liminalcommons.mcp-orchestration.owner': 'default' },
    });
  });

  it('make a network once, however many first instances begin in one moment', async () => {
    await Promise.all(['i-0001', 'i-0002', 'i-0003'].map((instance) => born(aSpec(), instance)));
    expect(engine.callsTo(/networks\/create/)).toHaveLength(1);
  });

  it('do not mind that somebody else made the network, or joined it, in the same moment', async () => {
    const instance = await born();
    const live = { Id: 'c'.repeat(64), Name: 'mcp-network-live', Created: '', Internal: true, Labels: {} };
    engine.networks.set('mcp-network-live', live);
    engine.fault(/GET .*\/networks$/, { kind: 'pieces', pieces: [Buffer.from('[]')] });
    engine.fault(/POST .*\/connect/, {
      kind: 'status',
      status: 403,
      message: 'endpoint already exists in network',
    });
    await runtime.promote(instance, signal);
    engine.networks.delete('mcp-network-live');
    engine.fault(/POST .*\/networks\/create/, { kind: 'status', status: 403, message: 'no more subnets' });
    expect((await failureOf(runtime.promote(instance, signal))).code).toBe('engine_refused');
  });

  it('join the live network anew when it was joined without the alias', async () => {
    const instance = await born();
    await runtime.promote(instance, signal);
    const container = engine.find(instance.id);
    const endpoint = container?.NetworkSettings.Networks['mcp-network-live'];
    if (endpoint !== undefined) endpoint.Aliases = null;
    expect((await find(instance.id)).joined).toBe(false);
    await runtime.promote(instance, signal);
    expect((await find(instance.id)).joined).toBe(true);
  });

  it('count a removal as done that somebody else is at', async () => {
    const instance = await born();
    engine.fault(/DELETE/, {
      kind: 'status',
      status: 409,
      message: 'removal of container x is already in progress',
    });
    await runtime.remove(instance, signal);
    engine.fault(/DELETE/, { kind: 'status', status: 409, message: 'some other conflict' });
    expect((await failureOf(runtime.remove(instance, signal))).code).toBe('engine_refused');
  });

  it('pass on what they cannot do anything about', async () => {
    const instance = await born();
    for (const [call, deed] of [
      [/GET .*\/containers\/[^/]+\/json/, () => runtime.leave(instance, signal)],
      [/DELETE .*\/containers/, () => runtime.remove(instance, signal)],
      [/GET .*\/networks$/, () => runtime.create(aBirth({ instance: 'i-0002' }), signal)],
      [/GET .*\/networks\/bridge/, () => runtime.observe([], signal)],
      [/GET .*\/images/, () => runtime.localDigest('a', signal)],
    ] as const) {
      engine.fault(call, { kind: 'status', status: 500, message: 'out of luck' });
      expect((await failureOf(deed())).message).toContain('out of luck');
    }
  });
});
