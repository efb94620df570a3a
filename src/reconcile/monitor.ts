import type { Clock } from '../lib/clock.ts';
import { either } from '../lib/either.ts';
import type { EventDraft } from '../model/event.ts';
import type { Health, Instance, Pulse } from '../model/observed.ts';
import type { HealthCheck } from '../model/spec.ts';
import { feel, nextCheckAt, seedPulse } from '../plan/health.ts';
import type { Probe, ProbeResult, ProbeTarget } from '../probe/probe.ts';
import { aboutOf, traceOf } from './perform.ts';
import type { Recorder } from './recorder.ts';

export interface MonitorDeps {
  readonly probe: Probe;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** 0..1, for spreading probes. */
  readonly random: () => number;
  /** An instance's pulse changed. */
  readonly hint: () => void;
  /** Write every check down, not only changes. */
  readonly recordChecks: boolean;
  readonly targetOf: (instance: Instance) => ProbeTarget;
  /** A record failed, or our own mistake: never dropped. */
  readonly report: (error: unknown) => void;
}

/** An instance to be asked, and how. */
export interface Patient {
  readonly instance: Instance;
  readonly settings: HealthCheck;
  /** Its drain waits for idleness: it is asked more often. */
  readonly draining: boolean;
}

/** Asks instances how they are, and remembers. Changes nothing. */
export class Monitor {
  readonly #deps: MonitorDeps;
  readonly #beds = new Map<string, Bed>();

  constructor(deps: MonitorDeps) {
    this.#deps = deps;
  }

  /** From now on these are watched and no others. A container that was started again begins a new pulse. */
  watch(patients: readonly Patient[]): void {
    const ids = new Set(patients.map(({ instance }) => instance.id));
    for (const [id, bed] of this.#beds) if (!ids.has(id)) this.#discharge(id, bed);
    for (const patient of patients) this.#admit(patient);
  }

  /** By container id. */
  pulses(): Readonly<Record<string, Pulse>> {
    return Object.fromEntries([...this.#beds].map(([id, bed]) => [id, bed.pulse]));
  }

  /** Asks this server's instances at once: the engine said that something happened there. */
  lookAt(server: string): void {
    for (const bed of this.#beds.values()) if (bed.patient.instance.server === server) bed.wake.abort();
  }

  stop(): void {
    for (const [id, bed] of this.#beds) this.#discharge(id, bed);
  }

  #admit(patient: Patient): void {
    const { instance } = patient;
    const known = this.#beds.get(instance.id);
    if (known !== undefined && known.pulse.startedAt === instance.startedAt) {
      known.patient = patient;
      return;
    }
    if (known !== undefined) this.#discharge(instance.id, known);
    const remembered = this.#deps.recorder.memory.servers[instance.server]?.health[instance.id];
    const bed: Bed = {
      patient,
      pulse: seedPulse(instance, remembered ?? null),
      gone: new AbortController(),
      wake: new AbortController(),
      wellAt: null,
      spread: this.#deps.random(),
    };
    this.#beds.set(instance.id, bed);
    this.#follow(bed).catch(this.#deps.report);
  }

  #discharge(id: string, bed: Bed): void {
    bed.gone.abort();
    this.#beds.delete(id);
    this.#deps.probe.forget?.(id);
  }

  async #follow(bed: Bed): Promise<void> {
    while (!bed.gone.signal.aborted) {
      await this.#rest(bed);
      if (bed.gone.signal.aborted) return;
      await this.#ask(bed);
    }
  }

  async #rest(bed: Bed): Promise<void> {
    const { clock } = this.#deps;
    const now = clock.now();
    const at = nextCheckAt({ pulse: bed.pulse, ...bed.patient, spread: bed.spread, now });
    // Never longer than the interval: the clock may have been set back while it was asked.
    const rest = Math.min(at - now, bed.patient.settings.intervalSeconds * 1_000);
    const both = either(bed.gone.signal, bed.wake.signal);
    if (rest > 0) await clock.sleep(rest, both.signal);
    both.release();
    if (bed.wake.signal.aborted) bed.wake = new AbortController();
  }

  async #ask(bed: Bed): Promise<void> {
    const { probe, clock, hint } = this.#deps;
    const { instance, settings } = bed.patient;
    const askedAt = clock.now();
    const timeout = settings.timeoutSeconds * 1_000;
    const target = this.#deps.targetOf(instance);
    const result = await probe.check(settings.probe, target, timeout, bed.gone.signal);
    if (bed.gone.signal.aborted) return;
    const before = bed.pulse;
    bed.pulse = feel(before, result, { settings, now: clock.now(), askedAt });
    if (bed.pulse.lastOk) bed.wellAt = askedAt;
    if (before.failures === 0 && bed.pulse.silent) this.#askAll();
    // Asked for before anybody looks: what a decision writes about it comes after it in the log. A log that cannot be
    // written ends no watching.
    const recorded = this.#record(bed, before, { pulse: bed.pulse, result }).catch(this.#deps.report);
    if (!sameNews(before, bed.pulse)) hint();
    await recorded;
  }

  /** The first silence may be the start of many: were it our own view, all the others would be silent too. */
  #askAll(): void {
    for (const bed of this.#beds.values()) if (bed.pulse.failures === 0) bed.wake.abort();
  }

  async #record(
    { patient, wellAt }: Bed,
    before: Pulse,
    after: { pulse: Pulse; result: ProbeResult },
  ): Promise<void> {
    const changed = before.state !== after.pulse.state;
    const { recorder, recordChecks } = this.#deps;
    if (!changed && before.reason === after.pulse.reason && !recordChecks) return;
    const traceId = traceOf(patient.instance.server, this.#deps);
    const draft = (event: string, fields: object): EventDraft =>
      ({
        event,
        server: patient.instance.server,
        traceId,
        fields: { ...aboutOf(patient.instance), ...fields },
      }) as EventDraft;
    const transition = { from: before.state, to: after.pulse.state };
    const check = draft('health_check_completed', { ...checkOf(after), ...(changed ? transition : {}) });
    const detected = after.pulse.state === 'unhealthy' ? this.#secondsToDetect(wellAt) : {};
    const told = { ...transition, reason: reasonOf(after.pulse), ...detected };
    const change = changed ? [draft(transitionEvent[after.pulse.state], told)] : [];
    await Promise.all([check, ...change].map((one) => recorder.record(one)));
  }

  #secondsToDetect(wellAt: number | null): object {
    if (wellAt === null) return {};
    return { seconds_to_detect: Math.max(0, Math.round((this.#deps.clock.now() - wellAt) / 100) / 10) };
  }
}

interface Bed {
  patient: Patient;
  pulse: Pulse;
  wake: AbortController;
  /** Unix ms of the last question that was answered well; null: none since we watch. */
  wellAt: number | null;
  readonly gone: AbortController;
  /** Its own place in the interval, 0..1. */
  readonly spread: number;
}

const transitionEvent: { readonly [H in Health]: 'server_healthy' | 'server_degraded' | 'server_down' } = {
  healthy: 'server_healthy',
  degraded: 'server_degraded',
  unhealthy: 'server_down',
  unknown: 'server_degraded',
};

const reasonOf = (pulse: Pulse): string =>
  pulse.state === 'unhealthy' ? `${pulse.failures}_consecutive_failures` : pulse.reason;

const outsideWord = { ok: 'ok', degraded: 'degraded', failed: 'down', unknown: 'unknown' } as const;

function checkOf({ pulse, result }: { pulse: Pulse; result: ProbeResult }): object {
  return {
    status: outsideWord[result.outcome],
    response_time_ms: result.responseTimeMs,
    reason: result.reason,
    conformant: pulse.departures.length === 0,
    ...(Object.keys(result.checks).length === 0 ? {} : { checks: result.checks }),
  };
}

/** Nothing in it that a decision could turn on has changed. */
function sameNews(a: Pulse, b: Pulse): boolean {
  const news = ({ state, fresh, lastOk, silent, versionOk, idleSince, wasHealthy }: Pulse): string =>
    JSON.stringify([state, fresh, lastOk, silent, versionOk, idleSince !== null, wasHealthy]);
  return news(a) === news(b);
}
