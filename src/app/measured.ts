import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import type { Meter } from '../model/meter.ts';
import type { Runtime, RuntimeHint } from '../runtime/runtime.ts';
import type { ManifestSource } from '../source/source.ts';

/** The same engine, with every question to it timed. */
export function measuredRuntime(runtime: Runtime, { clock, meter }: { clock: Clock; meter: Meter }): Runtime {
  const timed = <A extends unknown[], T>(op: string, ask: (...with_: A) => Promise<T>) =>
    async function (...given: A): Promise<T> {
      const begun = clock.now();
      const tell = (code: string): void => meter.engineAsked(op, code, (clock.now() - begun) / 1_000);
      return ask(...given).then(
        (answer) => {
          tell('ok');
          return answer;
        },
        (error: unknown) => {
          tell(error instanceof Failure ? error.code : 'our_mistake');
          throw error;
        },
      );
    };
  return {
    observe: timed('observe', (images, signal) => runtime.observe(images, signal)),
    pull: timed('pull', (spec, progress, signal) => runtime.pull(spec, progress, signal)),
    admit: timed('admit', (spec, ownVolumes, signal) => runtime.admit(spec, ownVolumes, signal)),
    create: timed('create', (birth, signal) => runtime.create(birth, signal)),
    start: timed('start', (instance, signal) => runtime.start(instance, signal)),
    restart: timed('restart', (instance, signal) => runtime.restart(instance, signal)),
    promote: timed('promote', (instance, signal) => runtime.promote(instance, signal)),
    leave: timed('leave', (instance, signal) => runtime.leave(instance, signal)),
    stop: timed('stop', (instance, signal) => runtime.stop(instance, signal)),
    remove: timed('remove', (instance, signal) => runtime.remove(instance, signal)),
    removeImage: timed('remove_image', (image, signal) => runtime.removeImage(image, signal)),
    logs: timed('logs', (container, lines, signal) => runtime.logs(container, lines, signal)),
    localDigest: timed('local_digest', (image, signal) => runtime.localDigest(image, signal)),
    platform: timed('platform', (signal) => runtime.platform(signal)),
    about: timed('about', (signal) => runtime.about(signal)),
    watch: (hint, signal) => runtime.watch(countingBreaks(hint, meter), signal),
  };
}

const countingBreaks =
  (hint: (hint: RuntimeHint) => void, meter: Meter) =>
  (said: RuntimeHint): void => {
    if (said.kind === 'disconnected') meter.engineEventsBroke();
    hint(said);
  };

/** The same source, with every look at it counted. */
export function measuredSource(source: ManifestSource, meter: Meter): ManifestSource {
  const { address, branch } = source;
  const between = source.between?.bind(source);
  const descends = source.descends?.bind(source);
  const propose = source.propose?.bind(source);
  return {
    address,
    branch,
    async read(known, signal) {
      const snapshot = await source.read(known, signal).catch((error: unknown) => {
        if (!signal.aborted) meter.sourceAsked('unreachable');
        throw error;
      });
      meter.sourceAsked(snapshot === null ? 'unchanged' : 'changed');
      return snapshot;
    },
    watch: (hint, signal) => source.watch(hint, signal),
    ...(between && { between }),
    ...(descends && { descends }),
    ...(propose && { propose }),
  };
}
