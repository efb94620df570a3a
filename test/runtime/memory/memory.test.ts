import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { digest } from '../../../src/lib/digest.ts';
import { Failure } from '../../../src/model/failure.ts';
import type { Instance } from '../../../src/model/observed.ts';
import { imageRefOf } from '../../../src/model/spec.ts';
import { memoryRuntime } from '../../../src/runtime/index.ts';
import type { MemoryRuntime } from '../../../src/runtime/index.ts';
import type { RuntimeHint } from '../../../src/runtime/runtime.ts';
import { runtimeContract } from '../../contract/runtime.contract.ts';
import type { RuntimeHarness } from '../../contract/runtime.contract.ts';
import { aBirth, aSpec, someDigest } from '../births.ts';
import type { SpecOrder } from '../births.ts';

let count = 0;
const ids = (): string => `container-${(count += 1)}`;

async function openMemory(): Promise<RuntimeHarness> {
  const runtime = memoryRuntime({ clock: systemClock, ids, owner: 'default' });
  const spec = async (order: SpecOrder = {}) => {
    const made = aSpec(order);
    if (order.imageDigest === undefined) runtime.controls.publish(made.image, made.imageDigest);
    return made;
  };
  return {
    owner: 'default',
    runtime,
    spec,
    other: (owner) => runtime.as(owner),
    crash: async ({ id }) => runtime.controls.crash(id, 1),
    close: async () => undefined,
  };
}

runtimeContract('in memory', openMemory);

describe('the hands that shake the engine in memory', () => {
  let signal: AbortSignal;
  let now: number;
  let clock: Clock & { wake(): void };
  let runtime: MemoryRuntime;

  beforeEach(() => {
    signal = new AbortController().signal;
    now = 1_000_000;
    clock = stoppedClock();
    runtime = memoryRuntime({ clock, ids, anyImage: true });
  });

  /** Time moves by hand; sleepers wake when told. */
  function stoppedClock(): Clock & { wake(): void } {
    const sleepers: (() => void)[] = [];
    return {
      now: () => now,
      elapsed: () => 0,
      sleep: () => new Promise((resolve) => sleepers.push(resolve)),
      deadline: (ms, parent) => systemClock.deadline(ms, parent),
      wake: () => sleepers.splice(0).forEach((wake) => wake()),
    };
  }

  async function born(instance = 'i-1', spec = aSpec()): Promise<Instance> {
    await runtime.pull(spec, () => undefined, signal);
    const { id } = await runtime.create(aBirth({ spec, instance }), signal);
    return find(id);
  }

  async function find(id: string): Promise<Instance> {
    const { instances } = await runtime.observe([], signal);
    const found = instances.find((each) => each.id === id);
    if (found === undefined) throw new Error(`${id} is gone`);
    return found;
  }

  it('counts what was asked and what was written', async () => {
    const { id } = await born();
    await runtime.promote(await find(id), signal);
    expect(runtime.controls.looks).toBe(2);
    expect(runtime.controls.writes).toBe(3);
    expect(runtime.controls.deeds).toEqual([
      `pull ${imageRefOf(aSpec())}`,
      'create mcp-server-a-i-1',
      'promote mcp-server-a-i-1',
    ]);
  });

  it('keeps no secret value', async () => {
    const spec = aSpec();
    await runtime.pull(spec, () => undefined, signal);
    await runtime.create(aBirth({ spec, secrets: { TOKEN: 'hush' } }), signal);
    expect(JSON.stringify(await runtime.observe([], signal))).not.toContain('hush');
  });

  it('lets a version end by itself at its own time, however late somebody looks', async () => {
    runtime.controls.behave(someDigest('a'), { exitsAfterMs: 500, exitCode: 3 });
    const { id } = await born();
    now += 10_000;
    expect(await find(id)).toMatchObject({ state: 'exited', exitCode: 3, finishedAt: 1_000_500 });
  });

  it('gives a hint when a version ends by itself and nobody looks', async () => {
    runtime.controls.behave(someDigest('a'), { exitsAfterMs: 500 });
    await born();
    const hints: RuntimeHint[] = [];
    void runtime.watch((hint) => hints.push(hint), signal);
    now += 500;
    clock.wake();
    await Promise.resolve();
    expect(hints).toEqual([{ kind: 'connected' }, { kind: 'look', server: 'mcp-server-a', what: 'die' }]);
  });

  it('refuses a start as its version says, and leaves the container created', async () => {
    const startFails = new Failure('container_start_failed', 'no such file', { class: 'version' });
    runtime.controls.behave(someDigest('a'), { startFails });
    const failure = await born().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'container_start_failed', class: 'version' });
    expect(runtime.controls.instances()).toMatchObject([
      { state: 'created', id: (failure as Failure).container },
    ]);
  });

  it('answers a probe as its version behaves', async () => {
    const answer = { answersAfterMs: 1000, version: '1.0.0', activeSessions: 2, activeRequests: 1 };
    runtime.controls.behave(someDigest('a'), answer);
    const { id } = await born();
    expect(runtime.controls.answerOf(id).kind).toBe('silent');
    expect((await find(id)).engineHealth).toBe('starting');
    now += 1000;
    expect(runtime.controls.answerOf(id)).toEqual({
      kind: 'ok',
      version: '1.0.0',
      activeSessions: 2,
      activeRequests: 1,
    });
    expect((await find(id)).engineHealth).toBe('healthy');
  });

  it('answers nobody while it hangs, has exited, or is gone', async () => {
    const { id } = await born();
    runtime.controls.hang(id);
    expect(runtime.controls.answerOf(id).kind).toBe('silent');
    expect(await find(id)).toMatchObject({ state: 'running', engineHealth: 'unhealthy' });
    runtime.controls.crash(id, 137, { oomKilled: true });
    runtime.controls.crash(id, 1);
    expect(runtime.controls.answerOf(id).kind).toBe('refused');
    expect(await find(id)).toMatchObject({ exitCode: 137, oomKilled: true, engineHealth: null });
    runtime.controls.removeByHand(id);
    expect(runtime.controls.answerOf(id).kind).toBe('refused');
  });

  it('tells a stop and a removal by hand from a crash', async () => {
    const { id } = await born();
    const hints: RuntimeHint[] = [];
    void runtime.watch((hint) => hints.push(hint), signal);
    runtime.controls.stopByHand(id);
    expect(hints).toContainEqual({ kind: 'kill_requested', container: id, at: now });
    runtime.controls.startByHand('mcp-server-a-i-1');
    expect((await find(id)).state).toBe('running');
    runtime.controls.removeByHand(id);
    expect(hints.filter((hint) => hint.kind === 'kill_requested')).toHaveLength(2);
    expect(() => runtime.controls.crash(id, 1)).toThrow('there is no container');
  });

  it('shows what was changed by hand', async () => {
    const { id, ...rest } = await born();
    await runtime.promote({ id, ...rest }, signal);
    runtime.controls.setDrift(id, ['memory limit']);
    runtime.controls.disconnectByHand(id);
    expect(await find(id)).toMatchObject({ drift: ['memory limit'], joined: false });
  });

  it('forgets an image that was deleted by hand', async () => {
    await born();
    runtime.controls.removeImageByHand(imageRefOf(aSpec()));
    expect((await runtime.observe([imageRefOf(aSpec())], signal)).images).toEqual([]);
  });

  it('will not delete an image that a container uses', async () => {
    await born();
    await expect(runtime.removeImage(imageRefOf(aSpec()), signal)).rejects.toMatchObject({
      code: 'engine_refused',
    });
  });

  it('ends everything before the engine starts again, and is unreachable between', async () => {
    const { id } = await born();
    const hints: RuntimeHint[] = [];
    void runtime.watch((hint) => hints.push(hint), signal);
    runtime.controls.stopEngine();
    await expect(runtime.observe([], signal)).rejects.toMatchObject({ code: 'engine_unreachable' });
    const late: RuntimeHint[] = [];
    void runtime.watch((hint) => late.push(hint), signal);
    runtime.controls.startEngine();
    const { engine } = await runtime.observe([], signal);
    expect((await find(id)).finishedAt).toBeLessThan(engine.startedAt);
    expect(hints.map((hint) => hint.kind)).toEqual(['connected', 'look', 'disconnected', 'connected']);
    expect(late.map((hint) => hint.kind)).toEqual(['disconnected', 'connected']);
    runtime.controls.restartEngine();
    expect((await find(id)).state).toBe('exited');
  });

  it('keeps ports and names that strangers hold free of ours', async () => {
    const stranger = { name: 'mcp-server-a-i-1', server: 'mcp-server-a', hostPorts: [40_000] };
    runtime.controls.stranger(stranger);
    await expect(born('i-1')).rejects.toMatchObject({ code: 'foreign_container' });
    expect((await born('i-2')).hostAddress?.port).toBe(40_001);
    const fixed = aSpec({ hostPort: 40_000, order: 'stop-first' });
    await expect(born('i-3', fixed)).rejects.toMatchObject({ code: 'port_taken' });
    expect((await runtime.observe([], signal)).strangers).toEqual([stranger]);
    runtime.controls.strangerGone('mcp-server-a-i-1');
    expect((await runtime.observe([], signal)).strangers).toEqual([]);
  });

  it('does not count the port of another owner that has stopped as held', async () => {
    const { id } = await born();
    runtime.controls.crash(id, 0);
    const { strangers } = await runtime.as('somebody-else').observe([], signal);
    expect(strangers).toEqual([{ name: 'mcp-server-a-i-1', server: 'mcp-server-a', hostPorts: [] }]);
  });

  it('fails the next verb as told, before the deed or after it', async () => {
    const { id } = await born();
    const lost = new Failure('engine_timeout', 'no answer');
    runtime.controls.failNext('promote', lost);
    runtime.controls.failNext('promote', lost, { done: true });
    const instance = await find(id);
    await expect(runtime.promote(instance, signal)).rejects.toBe(lost);
    expect((await find(id)).joined).toBe(false);
    await expect(runtime.promote(instance, signal)).rejects.toBe(lost);
    expect((await find(id)).joined).toBe(true);
    await runtime.promote(instance, signal);
  });

  it('takes as long as told, at most until its signal aborts', async () => {
    runtime.controls.takes('platform', 100);
    const answer = runtime.platform(signal);
    clock.wake();
    expect(await answer).toEqual({ os: 'linux', architecture: 'amd64' });
    runtime.controls.takes('platform', Infinity);
    await expect(runtime.platform(AbortSignal.timeout(5))).rejects.toMatchObject({ code: 'engine_timeout' });
  });

  it('takes the name of an image for its content where any image can be had', async () => {
    expect(await runtime.localDigest('docker.io/a/b:1', signal)).toBe(digest('docker.io/a/b:1'));
    expect(await runtime.localDigest(`docker.io/a/b@${someDigest('e')}`, signal)).toBeNull();
  });

  it('pulls only what was published where not any image can be had', async () => {
    const strict = memoryRuntime({ clock, ids });
    await expect(strict.pull(aSpec(), () => undefined, signal)).rejects.toMatchObject({
      code: 'image_not_found',
    });
    strict.controls.publish(aSpec().image, aSpec().imageDigest);
    expect(await strict.localDigest(aSpec().image, signal)).toBeNull();
    await strict.pull(aSpec(), () => undefined, signal);
    expect(await strict.localDigest(aSpec().image, signal)).toBe(aSpec().imageDigest);
    expect(await strict.localDigest('docker.io/a/unknown:1', signal)).toBeNull();
  });

  it('has logs of what started, none of what never did', async () => {
    const { id } = await born();
    expect(await runtime.logs(id, 10, signal)).toHaveLength(1);
    runtime.controls.crash(id, 4);
    expect(await runtime.logs(id, 10, signal)).toContain('mcp-server-a-i-1 ended with code 4');
    const startFails = new Failure('container_start_failed', 'no such file');
    runtime.controls.behave(someDigest('b'), { startFails });
    const failure = await born('i-2', aSpec({ imageDigest: someDigest('b') })).catch(
      (error: unknown) => error,
    );
    expect(await runtime.logs((failure as Failure).container ?? '', 10, signal)).toEqual([]);
  });
});
