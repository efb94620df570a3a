import type { Clock } from '../lib/clock.ts';
import { ownValue } from '../lib/own-value.ts';
import type { DesiredState } from '../model/desired.ts';
import { emptyServerMemory, type ServerMemory } from '../model/memory.ts';
import type { Instance, Sighting } from '../model/observed.ts';
import { interestOf, volumesIn, type Settings, type Spec } from '../model/spec.ts';
import type { UpdateCheck, World } from '../model/world.ts';
import type { Runtime, RuntimeHint } from '../runtime/runtime.ts';
import { withoutCopies } from '../plan/ownership.ts';
import { sightingWithoutFuture } from '../plan/set-back.ts';
import { soakEndsAt } from '../plan/soak.ts';
import type { SelfCheck } from '../status/status.ts';
import type { Admission } from './admission.ts';
import type { Monitor, Patient } from './monitor.ts';
import type { Recorder } from './recorder.ts';
import type { Sealing } from './sealing.ts';

export interface LookDeps {
  readonly runtime: Runtime;
  readonly monitor: Monitor;
  readonly sealing: Sealing;
  /** What the last searches for newer versions said, by server. */
  readonly checks: (desired: DesiredState) => ReadonlyMap<string, UpdateCheck>;
  readonly admission: Admission;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly bootAt: number;
  readonly allowRemovalOf: number | null;
  /** Specs kept by earlier runs, by digest. */
  readonly keptSpecs: Readonly<Record<string, Spec>>;
  readonly engineState: (state: SelfCheck) => void;
  /** Called with every engine before anything is decided for it; rejects when it is another orchestrator's. */
  readonly claimEngine: (engine: Sighting['engine'], signal: AbortSignal) => Promise<void>;
}

/** Gathers everything a plan is made of into one value. */
export class Look {
  readonly #deps: LookDeps;
  readonly #killRequests = new Map<string, number>();
  #specs: Readonly<Record<string, Spec>>;
  /** Unix ms; not later than now, however the clock was set. */
  #bootAt: number;
  #lockHeld = true;

  constructor(deps: LookDeps) {
    this.#deps = deps;
    this.#specs = deps.keptSpecs;
    this.#bootAt = deps.bootAt;
  }

  /** The writer lock may no longer be ours: from now on every step is held. */
  lockLost(): void {
    this.#lockHeld = false;
  }

  /** Of all hints only this one is kept: who asked for a stop cannot be seen afterwards. */
  note(hint: RuntimeHint): void {
    if (hint.kind === 'kill_requested') this.#killRequests.set(hint.container, hint.at);
  }

  /** Rejects with the `Failure` of an engine that cannot be looked at. */
  async world(desired: DesiredState, signal: AbortSignal): Promise<World> {
    const { sealing, admission, recorder, clock, monitor } = this.#deps;
    const seen = await this.#observe(desired, signal);
    const sighting = withoutCopies(sightingWithoutFuture(seen, clock.now()), recorder.memory);
    this.#bootAt = Math.min(Math.max(this.#bootAt, monitor.watchedSince()), clock.now());
    await this.#deps.claimEngine(sighting.engine, signal);
    this.#forgetGone(sighting);
    const sealed = sealing.look(desired, sighting.instances);
    const ownVolumes = (server: string): readonly string[] => this.#volumesBefore(server);
    const { wanted, blocked } = admission.look(sealed, sighting.instances, ownVolumes);
    this.#learnSpecs(wanted, sighting);
    monitor.watch(this.#patients(desired, sighting));
    return {
      now: clock.now(),
      bootAt: this.#bootAt,
      desired,
      wanted,
      blocked,
      checks: this.#deps.checks(desired),
      sighting,
      pulses: monitor.pulses(),
      killRequests: Object.fromEntries(this.#killRequests),
      memory: recorder.memory,
      specs: this.#specs,
      allowRemovalOf: this.#deps.allowRemovalOf,
      lockHeld: this.#lockHeld,
    };
  }

  async #observe(desired: DesiredState, signal: AbortSignal): Promise<Sighting> {
    const { runtime, engineState } = this.#deps;
    try {
      const seen = await runtime.observe(this.#imagesOfInterest(desired), signal);
      engineState('ok');
      return seen;
    } catch (error) {
      engineState('down');
      throw error;
    }
  }

  /** Wanted, whatever could be gone back to, and what we brought here ourselves and may delete again. */
  #imagesOfInterest(desired: DesiredState): string[] {
    const { memory } = this.#deps.recorder;
    const remembered = Object.values(memory.servers).flatMap(({ stable, promoted }) => [
      stable,
      promoted?.spec ?? null,
    ]);
    const known = remembered.flatMap((digest) =>
      digest === null ? [] : (ownValue(this.#specs, digest) ?? []),
    );
    const wanted = this.#deps.sealing.known(desired);
    const pulled = Object.values(memory.servers).flatMap((server) => server.pulled);
    const brought = [...pulled, ...Object.keys(memory.orphans)];
    return [...new Set([...[...wanted, ...known].map(interestOf), ...brought])];
  }

  /** By our own history: of what was promoted or is stable. */
  #volumesBefore(server: string): readonly string[] {
    const { servers } = this.#deps.recorder.memory;
    const { stable, promoted } = ownValue(servers, server) ?? emptyServerMemory;
    const specs = [stable, promoted?.spec].map((digest) => ownValue(this.#specs, digest ?? ''));
    return volumesIn(specs);
  }

  #learnSpecs(wanted: Readonly<Record<string, Spec>>, sighting: Sighting): void {
    const labelled = sighting.instances.flatMap(({ spec }) => (spec === null ? [] : [spec]));
    const found = [...labelled, ...Object.values(wanted)];
    const news = found.filter(({ digest }) => !Object.hasOwn(this.#specs, digest));
    if (news.length === 0) return;
    this.#specs = { ...this.#specs, ...Object.fromEntries(news.map((spec) => [spec.digest, spec])) };
  }

  #forgetGone(sighting: Sighting): void {
    const here = new Set(sighting.instances.map(({ id }) => id));
    for (const id of this.#killRequests.keys()) if (!here.has(id)) this.#killRequests.delete(id);
  }

  #patients(desired: DesiredState, sighting: Sighting): Patient[] {
    const settings = new Map(desired.servers.map((server) => [server.name, server.settings]));
    const { servers } = this.#deps.recorder.memory;
    return sighting.instances
      .filter(({ state }) => state === 'running')
      .flatMap((instance) => {
        const own = settings.get(instance.server) ?? instance.spec?.settings;
        return own === undefined ? [] : [patient(instance, own, ownValue(servers, instance.server))];
      });
  }
}

const patient = (
  instance: Instance,
  { health, update }: Settings,
  memory: ServerMemory = emptyServerMemory,
): Patient => ({
  instance,
  settings: health,
  startsWithinSeconds: update.healthyDeadlineSeconds,
  draining: ownValue(memory.drains, instance.id) !== undefined,
  askAt: soakEndsAt(memory, instance, update),
});
