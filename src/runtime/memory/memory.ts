import type { Clock } from '../../lib/clock.ts';
import { digest } from '../../lib/digest.ts';
import { Failure } from '../../model/failure.ts';
import type { Instance } from '../../model/observed.ts';
import { imageRefOf, repositoryOf } from '../../model/spec.ts';
import type { Spec } from '../../model/spec.ts';
import type { EngineAbout, Birth, PullProgress, Runtime } from '../runtime.ts';
import type { Container } from './container.ts';
import { aborted, MemoryControls } from './controls.ts';
import type { Verb } from './controls.ts';
import { MemoryEngine } from './engine.ts';

interface MemoryOptions {
  readonly clock: Clock;
  /** Makes container ids. */
  readonly ids: () => string;
  /** Whose instances are observed; `default` by default. */
  readonly owner?: string;
  /** Any image at all can be had, to try a manifest without an engine; otherwise only what was published. */
  readonly anyImage?: boolean;
}

/** A runtime of which everything is in memory, and the hands that shake it. */
export interface MemoryRuntime extends Runtime {
  readonly controls: MemoryControls;
  /** The same engine for another orchestrator. */
  as(owner: string): Runtime;
}

/** One engine in memory; it lives as long as the value, so that it outlives the orchestrators that use it. */
export function memoryRuntime(options: MemoryOptions): MemoryRuntime {
  const engine = new MemoryEngine(options);
  const controls = new MemoryControls(engine, options.clock);
  const as = (owner: string): Runtime => verbs({ engine, controls, options: { ...options, owner } });
  return { ...verbs({ engine, controls, options }), controls, as };
}

interface Inside {
  readonly engine: MemoryEngine;
  readonly controls: MemoryControls;
  readonly options: MemoryOptions;
}

function verbs(inside: Inside): Runtime {
  const { engine, controls } = inside;
  const write = (verb: Verb, instance: Instance, signal: AbortSignal, act: () => void): Promise<void> =>
    controls.perform(verb, signal, () => {
      controls.deeds.push(`${verb} ${instance.name}`);
      act();
    });
  return {
    observe: (images, signal) => controls.perform('observe', signal, () => look(inside, images)),
    pull: (spec, progress, signal) => controls.perform('pull', signal, () => pull(inside, spec, progress)),
    admit: (_spec, _ownVolumes, signal) => controls.perform('admit', signal, () => undefined),
    create: (birth, signal) => controls.perform('create', signal, () => create(inside, birth)),
    start: (instance, signal) =>
      write('start', instance, signal, () => engine.start(engine.container(instance.id))),
    restart: (instance, signal) =>
      write('restart', instance, signal, () => restart(engine, engine.container(instance.id))),
    promote: (instance, signal) =>
      write('promote', instance, signal, () => engine.join(engine.container(instance.id), true)),
    leave: (instance, signal) =>
      write('leave', instance, signal, () => ifThere(engine, instance, (it) => engine.join(it, false))),
    stop: (instance, signal) =>
      write('stop', instance, signal, () => ifThere(engine, instance, (it) => engine.end(it, 0))),
    remove: (instance, signal) =>
      write('remove', instance, signal, () => ifThere(engine, instance, (it) => engine.drop(it))),
    removeImage: (image, signal) => controls.perform('removeImage', signal, () => removeImage(inside, image)),
    logs: (container, lines, signal) =>
      controls.perform('logs', signal, () => logs(engine, container).slice(-lines)),
    localDigest: (image, signal) => controls.perform('localDigest', signal, () => localDigest(inside, image)),
    about: (signal) => controls.perform('about', signal, () => aboutMemory),
    platform: (signal) =>
      controls.perform('platform', signal, () => ({ os: 'linux', architecture: 'amd64' })),
    async watch(hint, signal) {
      if (signal.aborted) return;
      const stop = engine.listen(hint);
      await aborted(signal);
      stop();
    },
  };
}

function look({ engine, controls, options }: Inside, images: readonly string[]) {
  controls.looks += 1;
  return engine.sight(options.owner ?? 'default', images);
}

function pull(inside: Inside, spec: Spec, progress: (line: PullProgress) => void): void {
  const image = imageRefOf(spec);
  inside.controls.deeds.push(`pull ${image}`);
  if (!isPublished(inside, spec)) throw new Failure('image_not_found', `there is no image ${image}`);
  progress({ done: 1, total: 1, status: 'Pull complete' });
  inside.engine.images.add(image);
}

function isPublished({ controls, options }: Inside, spec: Spec): boolean {
  const repository = repositoryOf(spec.image);
  const published = [...controls.registry].some(
    ([image, published]) => repositoryOf(image) === repository && published === spec.imageDigest,
  );
  return published || options.anyImage === true;
}

/** The same birth twice is one container; what is left half-made under the name is made anew. */
function create({ engine, controls }: Inside, birth: Birth): { readonly id: string } {
  const name = `${birth.spec.server}-${birth.instance}`;
  controls.deeds.push(`create ${name}`);
  refuseStranger(engine, name, birth.owner);
  if (!engine.images.has(imageRefOf(birth.spec))) {
    throw new Failure('image_not_found', `no image ${imageRefOf(birth.spec)} on disk`);
  }
  const before = engine.find(name);
  if (before?.state === 'running') return { id: before.id };
  if (before !== undefined) engine.drop(before);
  const container = engine.add(birth);
  engine.start(container);
  return { id: container.id };
}

function refuseStranger(engine: MemoryEngine, name: string, owner: string): void {
  const other = engine.find(name);
  const foreign = engine.strangers.has(name) || (other !== undefined && other.birth.owner !== owner);
  if (foreign) throw new Failure('foreign_container', `a container named ${name} is not ours`);
}

function restart(engine: MemoryEngine, container: Container): void {
  engine.end(container, 0);
  engine.start(container);
}

/** What is gone already needs no leaving, stopping or removing. */
function ifThere(engine: MemoryEngine, instance: Instance, act: (container: Container) => void): void {
  const container = engine.find(instance.id);
  if (container !== undefined) act(container);
}

function removeImage({ engine, controls }: Inside, image: string): void {
  controls.deeds.push(`removeImage ${image}`);
  if (engine.usesImage(image)) throw new Failure('engine_refused', `image ${image} is in use by a container`);
  engine.images.delete(image);
}

function logs(engine: MemoryEngine, container: string): string[] {
  const found = engine.find(container);
  if (found === undefined || found.startedAt === 0) return [];
  const started = `${found.name} listens on port ${found.birth.spec.port}`;
  return found.state === 'running' ? [started] : [started, `${found.name} ended with code ${found.exitCode}`];
}

/** Where any image can be had, the name of a tag stands for its content. */
function localDigest({ engine, controls, options }: Inside, image: string): string | null {
  const named = image.split('@')[1];
  const asked = named ?? controls.registry.get(image);
  if (named === undefined && options.anyImage === true) return asked ?? digest(image);
  return asked !== undefined && engine.images.has(`${repositoryOf(image)}@${asked}`) ? asked : null;
}

const aboutMemory: EngineAbout = {
  ...{ family: 'memory', version: '1', api: '1.47', platform: 'linux/amd64', storage: 'memory' },
  ...{ enforces: { cpus: true, memory: true, pids: true }, rootless: false, time: null, warnings: [] },
  insecure: { hosts: [], ranges: [] },
  proxies: { http: '', https: '', no: '' },
};
