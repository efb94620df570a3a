import type { Clock } from '../lib/clock.ts';
import { either } from '../lib/either.ts';
import { ownValue } from '../lib/own-value.ts';
import type { Instance, Pulse } from '../model/observed.ts';
import type { HealthCheck } from '../model/spec.ts';
import { withoutLeap } from '../plan/set-back.ts';
import { memoryOf } from '../plan/view.ts';
import { feel, nextCheckAt, seedPulse } from '../plan/health.ts';
import type { Probe, ProbeResult, ProbeTarget } from '../probe/probe.ts';
import { Chart, type Change } from './chart.ts';
import { checkOf, isNews, reasonOf, transitionEvent } from './findings.ts';
import { aboutOf, traceOf } from './perform.ts';
import type { Recorder } from './recorder.ts';
import { Sight } from './sight.ts';

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
  /** A record failed, or our own mistake about a server: never dropped. */
  readonly report: (error: unknown, server: string) => void;
}

/** An instance to be asked, and how. */
export interface Patient {
  readonly instance: Instance;
  readonly settings: HealthCheck;
  readonly startsWithinSeconds: number;
  /** Its drain waits for idleness: it is asked more often. */
  readonly draining: boolean;
  /** Unix ms: something waits for the answer to a question asked then or later; null: nothing does. */
  readonly askAt: number | null;
}

/** What the engine said of an instance is old after this: it is looked at every minute. Milliseconds. */
const ENGINE_SIGHT_MS = 90_000;
/** Whose silences come and go makes us ask all the others only so often. Milliseconds. */
const ALARMS_APART_MS = 300_000;

/** After a mistake of ours its instance is not asked for so long. Milliseconds. */
const AFTER_MISTAKE_MS = 5_000;
/** A clock that is kept in step goes forward a little now and then. Milliseconds. */
const TOLERATED_LEAP_MS = 1_000;

/** A stop takes no longer. Milliseconds. */
const STOPPED_WITHIN_MS = 60_000;

/** Asks instances how they are, and remembers. Changes nothing. */
export class Monitor {
  readonly #deps: MonitorDeps;
  readonly #beds = new Map<string, Bed>();
  /** How far the time of day is ahead of the clock that nobody sets. */
  #ahead: number;
  #watchedSince = 0;

  constructor(deps: MonitorDeps) {
    this.#deps = deps;
    this.#ahead = deps.clock.now() - deps.clock.elapsed();
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

  /** Unix ms: what time says of before then cannot be counted on, for the clock was set forward. */
  watchedSince(): number {
    this.#noticeLeap();
    return this.#watchedSince;
  }

  stop(): void {
    for (const [id, bed] of this.#beds) this.#discharge(id, bed);
  }

  #noticeLeap(): void {
    const now = this.#deps.clock.now();
    const ahead = now - this.#deps.clock.elapsed();
    const leap = ahead - this.#ahead;
    this.#ahead = ahead;
    // A clock that was set forward may be set back again: then that moment is not one to come.
    this.#watchedSince = Math.min(this.#watchedSince, now);
    if (leap <= TOLERATED_LEAP_MS) return;
    this.#watchedSince = now;
    for (const bed of this.#beds.values()) {
      bed.pulse = withoutLeap(bed.pulse, leap, now);
      bed.visitedAt += leap;
      bed.wellAt = null;
    }
  }

  #admit(patient: Patient): void {
    const { instance } = patient;
    const known = this.#beds.get(instance.id);
    if (known !== undefined && known.pulse.startedAt === instance.startedAt)
      return this.#visit(known, patient);
    if (known !== undefined) this.#discharge(instance.id, known);
    const { recorder, random, clock } = this.#deps;
    const remembered = ownValue(ownValue(recorder.memory.servers, instance.server)?.health, instance.id);
    const bed: Bed = {
      patient,
      pulse: seedPulse(instance, remembered ?? null),
      gone: new AbortController(),
      wake: new AbortController(),
      // What could not be written of its life before is still to be written.
      chart: known?.chart ?? new Chart(recorder),
      visitedAt: clock.now(),
      alarmedAt: 0,
      sight: new Sight(),
      wellAt: null,
      spread: random(),
    };
    this.#beds.set(instance.id, bed);
    void this.#follow(bed);
  }

  /** Its own health check is read off the look: what is new there is asked for at once, and whoever is waited for. */
  #visit(bed: Bed, patient: Patient): void {
    const { instance, askAt } = bed.patient;
    const isAwaited = patient.askAt !== null && patient.askAt !== askAt;
    const isNews = isAwaited || instance.engineHealth !== patient.instance.engineHealth;
    bed.patient = patient;
    bed.visitedAt = this.#deps.clock.now();
    const { server } = bed.patient.instance;
    bed.chart.write().catch((error: unknown) => this.#deps.report(error, server));
    if (isNews) bed.wake.abort();
  }

  #discharge(id: string, bed: Bed): void {
    bed.gone.abort();
    this.#beds.delete(id);
    this.#deps.probe.forget?.(id);
  }

  async #follow(bed: Bed): Promise<void> {
    const { clock, report } = this.#deps;
    while (!bed.gone.signal.aborted) {
      try {
        await this.#rest(bed);
        if (bed.gone.signal.aborted) return;
        await this.#ask(bed);
      } catch (error) {
        report(error, bed.patient.instance.server);
        await clock.sleep(AFTER_MISTAKE_MS, bed.gone.signal);
      }
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
    const { probe, clock, hint, report } = this.#deps;
    const { settings, startsWithinSeconds } = bed.patient;
    const askedAt = clock.now();
    if (this.#isEnding(bed)) return leaveAlone(bed, askedAt);
    const timeout = settings.timeoutSeconds * 1_000;
    const result = await probe.check(settings.probe, this.#targetOf(bed), timeout, bed.gone.signal);
    if (bed.gone.signal.aborted) return;
    if (this.#isEnding(bed)) return leaveAlone(bed, askedAt);
    this.#noticeLeap();
    const before = bed.pulse;
    bed.pulse = feel(before, result, { settings, startsWithinSeconds, now: clock.now(), askedAt });
    bed.wellAt = wellAt(bed, askedAt);
    if (before.silentSince === null && bed.pulse.silentSince !== null) this.#alarm(bed);
    // Asked for before anybody looks: what a decision writes about it comes after it in the log. A log that cannot be
    // written ends no watching.
    const recorded = this.#record(bed, before, { result, askedAt }).catch((error: unknown) =>
      report(error, bed.patient.instance.server),
    );
    if (isNews(before, bed.pulse, bed.patient.askAt)) hint();
    await recorded;
  }

  /** We are stopping it: what it says of that is nobody's trouble. One that a stop did not end is asked again. */
  #isEnding({ patient: { instance } }: Bed): boolean {
    const { recorder, clock } = this.#deps;
    const endingSince = ownValue(memoryOf(recorder, instance.server).ending, instance.id);
    return endingSince !== undefined && Math.abs(clock.now() - endingSince) < STOPPED_WITHIN_MS;
  }

  #targetOf({ patient, visitedAt }: Bed): ProbeTarget {
    const target = this.#deps.targetOf(patient.instance);
    const isOld = this.#deps.clock.now() - visitedAt > ENGINE_SIGHT_MS;
    return isOld && target.engineHealth !== null ? { ...target, engineHealth: 'unseen' } : target;
  }

  /** The first silence may be the start of many: were it our own view, all the others would be silent too. */
  #alarm(first: Bed): void {
    const now = this.#deps.clock.now();
    if (Math.abs(now - first.alarmedAt) < ALARMS_APART_MS) return;
    first.alarmedAt = now;
    for (const bed of this.#beds.values()) if (bed.pulse.failures === 0) bed.wake.abort();
  }

  async #record(bed: Bed, before: Pulse, asked: { result: ProbeResult; askedAt: number }): Promise<void> {
    const { patient, pulse, chart } = bed;
    const { recorder, recordChecks, clock } = this.#deps;
    const about = aboutOf(patient.instance);
    const { server } = patient.instance;
    const from = { server, traceId: traceOf(server, this.#deps) };
    const sight = bed.sight.newsOf(pulse, asked.askedAt, clock.now());
    if (sight !== null)
      chart.add(
        { ...from, event: sight.event, fields: { ...about, ...sight.fields } } as Change,
        clock.now(),
      );
    const changed = before.state !== pulse.state;
    if (!changed && before.reason === pulse.reason && !recordChecks) return chart.write();
    const transition = changed ? { from: before.state, to: pulse.state } : {};
    const fields = { ...about, ...checkOf(pulse, asked.result), ...transition };
    const check = recorder.record({ ...from, event: 'health_check_completed', fields });
    if (changed) chart.add({ ...from, ...this.#changeOf(bed, before) }, clock.now());
    await Promise.all([check, chart.write()]);
  }

  #changeOf({ patient, pulse, wellAt }: Bed, before: Pulse) {
    const detected = pulse.state === 'unhealthy' ? this.#secondsToDetect(wellAt) : {};
    const transition = { from: before.state, to: pulse.state, reason: reasonOf(pulse) };
    const fields = { ...aboutOf(patient.instance), ...transition, ...detected };
    return { event: transitionEvent[pulse.state], fields };
  }

  #secondsToDetect(wellAt: number | null): object {
    if (wellAt === null) return {};
    return { seconds_to_detect: Math.max(0, Math.round((this.#deps.clock.now() - wellAt) / 100) / 10) };
  }
}

/** The next question comes as if it had been asked. */
function leaveAlone(bed: Bed, now: number): void {
  bed.pulse = { ...bed.pulse, lastCheckAt: now };
}

interface Bed {
  patient: Patient;
  pulse: Pulse;
  wake: AbortController;
  /** Unix ms of the last question that was answered well; null: none since we watch it without a break. */
  wellAt: number | null;
  /** Unix ms of the latest look at the engine that saw it. */
  visitedAt: number;
  /** Unix ms when its silence last made us ask the others. */
  alarmedAt: number;
  readonly sight: Sight;
  readonly chart: Chart;
  readonly gone: AbortController;
  /** Its own place in the interval, 0..1. */
  readonly spread: number;
}

const wellAt = ({ pulse, wellAt: before }: Bed, askedAt: number): number | null =>
  pulse.fresh ? (pulse.lastOk ? askedAt : before) : null;
