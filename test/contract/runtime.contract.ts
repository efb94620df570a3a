import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import type { FailureCode } from '../../src/model/failure.ts';
import type { Instance } from '../../src/model/observed.ts';
import { imageRefOf } from '../../src/model/spec.ts';
import type { Spec } from '../../src/model/spec.ts';
import type { Runtime, RuntimeHint } from '../../src/runtime/runtime.ts';
import { aBirth, someDigest } from '../runtime/births.ts';
import type { SpecOrder } from '../runtime/births.ts';
import { eventually } from '../support/eventually.ts';

/** What a kind of runtime must bring to be held to the contract. */
export interface RuntimeHarness {
  readonly owner: string;
  readonly runtime: Runtime;
  /** A spec whose image can be pulled. */
  spec(order?: SpecOrder): Promise<Spec>;
  /** Another orchestrator's runtime on the same engine. */
  other(owner: string): Runtime;
  /** Its program ends with code 1, nobody having asked. */
  crash(instance: Instance): Promise<void>;
  close(): Promise<void>;
}

/** What every kind of runtime does, whatever it runs on. */
export function runtimeContract(kind: string, open: () => Promise<RuntimeHarness>): void {
  describe(`any runtime, here ${kind}`, () => {
    let harness: RuntimeHarness;
    let runtime: Runtime;
    const signal = new AbortController().signal;

    beforeEach(async () => {
      harness = await open();
      runtime = harness.runtime;
    });
    afterEach(() => harness.close());

    const look = (): Promise<readonly Instance[]> =>
      runtime.observe([], signal).then((sighting) => sighting.instances);

    async function only(): Promise<Instance> {
      const [instance, ...others] = await look();
      expect(others).toEqual([]);
      if (instance === undefined) throw new Error('nothing is there');
      return instance;
    }

    async function born(order: SpecOrder = {}, instance = 'i-0001'): Promise<Instance> {
      const spec = await harness.spec(order);
      await runtime.pull(spec, () => undefined, signal);
      const { id } = await runtime.create(aBirth({ spec, instance, owner: harness.owner }), signal);
      const found = (await look()).find((each) => each.id === id);
      if (found === undefined) throw new Error('what was created is not there');
      return found;
    }

    it('has an image on disk once it was pulled, and not after it was removed', async () => {
      const spec = await harness.spec();
      const image = imageRefOf(spec);
      expect((await runtime.observe([image], signal)).images).toEqual([]);
      await runtime.pull(spec, () => undefined, signal);
      await runtime.pull(spec, () => undefined, signal);
      expect((await runtime.observe([image], signal)).images).toEqual([image]);
      expect(await runtime.localDigest(image, signal)).toBe(spec.imageDigest);
      await runtime.removeImage(image, signal);
      await runtime.removeImage(image, signal);
      expect((await runtime.observe([image], signal)).images).toEqual([]);
      expect(await runtime.localDigest(image, signal)).toBeNull();
    });

    it('cannot create from an image that is not on disk', async () => {
      const spec = await harness.spec({ imageDigest: someDigest('f') });
      await refuses('image_not_found', runtime.create(aBirth({ spec, owner: harness.owner }), signal));
      expect(await look()).toEqual([]);
    });

    it('creates an instance that runs, is not live, and carries its own spec', async () => {
      const instance = await born();
      const spec = await harness.spec();
      expect(instance).toMatchObject({
        server: spec.server,
        instance: 'i-0001',
        name: `${spec.server}-i-0001`,
        spec,
        specDigest: spec.digest,
        revision: 'c0ffee',
        traceId: 'trace-1',
        source: 'file:///manifests ecosystem-manifest.yaml',
        state: 'running',
        joined: false,
        exitCode: null,
        oomKilled: false,
        finishedAt: 0,
        drift: [],
        containerAddress: { host: `${spec.server}-i-0001`, port: spec.port },
      });
      expect(instance.hostAddress?.port).toBeGreaterThan(0);
      expect(instance.createdAt).toBeGreaterThan(0);
      expect(instance.startedAt).toBeGreaterThanOrEqual(instance.createdAt);
    });

    it('says nothing against a spec that asks nothing of its host, and makes nothing for the question', async () => {
      const spec = await harness.spec();
      await runtime.admit(spec, [], signal);
      expect(await look()).toEqual([]);
      await refuses('engine_timeout', runtime.admit(spec, [], AbortSignal.abort()));
    });

    it('creates one container however often the same birth is asked for', async () => {
      const first = await born();
      const again = await runtime.create(
        aBirth({ spec: await harness.spec(), owner: harness.owner }),
        signal,
      );
      expect(again.id).toBe(first.id);
      expect((await only()).id).toBe(first.id);
    });

    it('makes a container anew that an earlier try left stopped under the name', async () => {
      const first = await born();
      await runtime.stop(first, signal);
      const again = await runtime.create(
        aBirth({ spec: await harness.spec(), owner: harness.owner }),
        signal,
      );
      expect(again.id).not.toBe(first.id);
      expect(await only()).toMatchObject({ id: again.id, state: 'running' });
    });

    it('joins the live network and leaves it, once however often it is told', async () => {
      const instance = await born();
      await runtime.promote(instance, signal);
      await runtime.promote(instance, signal);
      expect(await only()).toMatchObject({ joined: true, state: 'running', drift: [] });
      await runtime.leave(instance, signal);
      await runtime.leave(instance, signal);
      expect(await only()).toMatchObject({ joined: false, state: 'running', drift: [] });
    });

    it('stays joined and keeps its port over a stop and a start', async () => {
      const instance = await born();
      await runtime.promote(instance, signal);
      await runtime.stop(instance, signal);
      await runtime.stop(instance, signal);
      const stopped = await only();
      expect(stopped).toMatchObject({ state: 'exited', joined: true, drift: [] });
      expect(stopped.finishedAt).toBeGreaterThanOrEqual(instance.startedAt);
      await runtime.start(instance, signal);
      await runtime.start(instance, signal);
      const started = await only();
      expect(started).toMatchObject({ state: 'running', joined: true, exitCode: null });
      expect(started.hostAddress).toEqual(instance.hostAddress);
      expect(started.startedAt).toBeGreaterThanOrEqual(stopped.finishedAt);
    });

    it('restarts what runs and what does not', async () => {
      const instance = await born();
      await runtime.restart(instance, signal);
      expect(await only()).toMatchObject({ id: instance.id, state: 'running' });
      await runtime.stop(instance, signal);
      await runtime.restart(instance, signal);
      expect(await only()).toMatchObject({ state: 'running', hostAddress: instance.hostAddress });
    });

    it('removes what is there, and what is gone already', async () => {
      const instance = await born();
      await runtime.remove(instance, signal);
      expect(await look()).toEqual([]);
      await runtime.remove(instance, signal);
      await runtime.stop(instance, signal);
      await runtime.leave(instance, signal);
      for (const verb of ['start', 'restart', 'promote'] as const) {
        await refuses('not_found', runtime[verb](instance, signal));
      }
    });

    it('tells how a program ended', async () => {
      const instance = await born();
      await harness.crash(instance);
      const ended = await only();
      expect(ended).toMatchObject({ state: 'exited', exitCode: 1, oomKilled: false });
      expect(ended.finishedAt).toBeGreaterThanOrEqual(ended.startedAt);
    });

    it('gives a fixed port to one container only, and says which one was left created', async () => {
      const port = (await born()).hostAddress?.port ?? 0;
      const spec = await harness.spec({ hostPort: port, order: 'stop-first' });
      const birth = aBirth({ spec, instance: 'i-0002', owner: harness.owner });
      const failure = await refuses('port_taken', runtime.create(birth, signal));
      const left = (await look()).find((each) => each.instance === 'i-0002');
      expect(left).toMatchObject({ id: failure.container, state: 'created', hostAddress: { port } });
    });

    it('sees what another owner runs as strangers only, and never takes their names', async () => {
      await born();
      const theirs = harness.other('somebody-else');
      const sighting = await theirs.observe([], signal);
      const spec = await harness.spec();
      expect(sighting.instances).toEqual([]);
      expect(sighting.strangers).toContainEqual(
        expect.objectContaining({ name: `${spec.server}-i-0001`, server: spec.server }),
      );
      const birth = aBirth({ spec, owner: 'somebody-else' });
      await refuses('foreign_container', theirs.create(birth, signal));
      expect((await look()).length).toBe(1);
    });

    it('gives the last lines a container wrote, and none of one that is gone', async () => {
      const instance = await born();
      await eventually(async () =>
        expect((await runtime.logs(instance.id, 10, signal)).length).toBeGreaterThan(0),
      );
      expect((await runtime.logs(instance.id, 1, signal)).length).toBe(1);
      expect(await runtime.logs('0'.repeat(64), 10, signal)).toEqual([]);
    });

    it('knows its platform and when its engine started', async () => {
      expect(await runtime.platform(signal)).toMatchObject({ os: 'linux' });
      const { engine } = await runtime.observe([], signal);
      expect(engine.id).not.toBe('');
      expect(engine.version).not.toBe('');
      expect(engine.startedAt).toBeGreaterThan(0);
    });

    it('gives hints that a look is worth while, until it is told to stop', async () => {
      const hints: RuntimeHint[] = [];
      const watching = new AbortController();
      const watched = runtime.watch((hint) => hints.push(hint), watching.signal);
      await eventually(async () => expect(hints).toContainEqual({ kind: 'connected' }));
      const instance = await born();
      await harness.crash(instance);
      await eventually(async () =>
        expect(hints).toContainEqual({ kind: 'look', server: instance.server, what: 'die' }),
      );
      expect(hints.filter((hint) => hint.kind === 'kill_requested')).toEqual([]);
      watching.abort();
      await watched;
    });

    it('does nothing once its signal has aborted', async () => {
      const instance = await born();
      const late = AbortSignal.abort();
      await refuses('engine_timeout', runtime.observe([], late));
      await refuses('engine_timeout', runtime.remove(instance, late));
      await runtime.watch(() => expect.unreachable(), late);
      expect(await only()).toMatchObject({ state: 'running' });
    });
  });
}

async function refuses(code: FailureCode, deed: Promise<unknown>): Promise<Failure> {
  const failure = await deed.then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(Failure);
  expect(failure).toMatchObject({ code });
  return failure as Failure;
}
