import { Registry } from 'prom-client';
import type { Event, EventType } from '../model/event.ts';
import type { Meter } from '../model/meter.ts';
import type { ServerRecord, StatusView } from '../model/status.ts';
import { figuresIn, type Figures } from './figures.ts';
import type { SelfChecks } from './status.ts';

/**
 * Figures for Prometheus, from what is published and what happens. Labels come from closed sets and from the names of
 * servers in the manifest, never from free text; only the revision in force is told as it is, in one series.
 */
export class Metrics implements Meter {
  readonly #registry = new Registry();
  readonly #figures = figuresIn(this.#registry);
  /** For what happened before our start: what began is known, and only the time of the last success stays. */
  readonly #before: Figures = {
    ...figuresIn(new Registry()),
    lastSettled: this.#figures.lastSettled,
  };
  readonly #notes: Notes = { begun: new Map(), gates: new Map(), actions: new Map() };
  #view: StatusView | null = null;
  /** When each server was last checked: one look at a check is counted. */
  #checked = new Map<string, string | null>();
  #readers = (): { readonly readers: number; readonly cutOff: number } => ({ readers: 0, cutOff: 0 });

  #logBytes = (): Readonly<Record<string, number>> => ({});

  constructor(programVersion: string) {
    this.#figures.build.set({ version: programVersion }, 1);
    this.#figures.leader.set(1);
    // Those that are watched for a first time: a rate sees only what moves.
    for (const result of ['changed', 'unchanged', 'unreachable']) this.#figures.fetches.inc({ result }, 0);
    for (const result of ['ok', 'failed']) this.#figures.passes.inc({ result }, 0);
  }

  countReaders(count: () => { readonly readers: number; readonly cutOff: number }): void {
    this.#readers = count;
  }

  publish(view: StatusView): void {
    this.#view = view;
    for (const record of view.servers) this.#observeCheck(record);
    this.#checked = new Map(view.servers.map(({ name, last_check }) => [name, last_check]));
  }

  self(checks: SelfChecks): void {
    for (const [check, state] of Object.entries(checks))
      this.#figures.self.set({ check }, state === 'ok' ? 1 : 0);
  }

  note(event: Event): void {
    countedAs(event)?.(event, this.#figures, this.#notes);
  }

  /** It happened before our start: counters begin at zero with us, or their rates would jump. */
  recall(event: Event): void {
    countedAs(event)?.(event, this.#before, this.#notes);
  }

  passed(result: 'ok' | 'failed', seconds: number): void {
    this.#figures.passes.inc({ result });
    this.#figures.passing.observe(seconds);
  }

  engineAsked(op: string, code: string, seconds: number): void {
    this.#figures.requests.observe({ op, code }, seconds);
  }

  engineEventsBroke(): void {
    this.#figures.gaps.inc();
  }

  sourceAsked(result: 'changed' | 'unchanged' | 'unreachable'): void {
    this.#figures.fetches.inc({ result });
  }

  measureLogs(bytes: () => Readonly<Record<'events' | 'health', number>>): void {
    this.#logBytes = bytes;
  }

  text(): Promise<string> {
    for (const [log, bytes] of Object.entries(this.#logBytes())) this.#figures.logBytes.set({ log }, bytes);
    const { readers, cutOff } = this.#readers();
    this.#figures.readers.set(readers);
    this.#figures.cutOff.set(cutOff);
    if (this.#view !== null) this.#tellView(this.#view);
    return this.#registry.metrics();
  }

  #observeCheck({ name, last_check: checkedAt, response_time_ms: took }: ServerRecord): void {
    if (took === null || checkedAt === (this.#checked.get(name) ?? null)) return;
    this.#figures.probes.observe(took / 1000);
  }

  /** Only when somebody asks: views come every second, questions every fifteen. */
  #tellView({ servers, source }: StatusView): void {
    const { health, condition, suspended, quarantined, checkFailed, rollout, revision, ...rest } =
      this.#figures;
    for (const gauge of [health, condition, suspended, quarantined, checkFailed, rollout, revision])
      gauge.reset();
    for (const record of servers) this.#tellServer(record);
    rest.servers.set(servers.length);
    rest.depth.set(servers.filter(({ phase }) => underWay.has(phase)).length);
    if (source.applied_revision !== null) revision.set({ revision: source.applied_revision }, 1);
  }

  #tellServer(record: ServerRecord): void {
    const { health, condition, suspended, quarantined, checkFailed, rollout } = this.#figures;
    const { name: server } = record;
    for (const state of healthStates) health.set({ server, state }, record.health === state ? 1 : 0);
    for (const [type, holds] of Object.entries(conditionsOf(record)))
      condition.set({ server, type, status: holds ? 'True' : 'False' }, 1);
    suspended.set({ server }, record.reason === 'paused' ? 1 : 0);
    quarantined.set({ server }, record.update.quarantined.length);
    const { state } = record.update;
    checkFailed.set({ server }, state === 'check_failed' ? 1 : 0);
    if (!atRest.has(state)) rollout.set({ server, state }, 1);
  }
}

const healthStates: readonly ServerRecord['health'][] = ['healthy', 'degraded', 'unhealthy', 'unknown'];
const atRest: ReadonlySet<string> = new Set(['none', 'check_failed']);
const underWay: ReadonlySet<ServerRecord['phase']> = new Set<ServerRecord['phase']>([
  'pending',
  'pulling',
  'starting',
  'draining',
  'stopping',
]);

const conditionsOf = ({ phase, routable, recovery }: ServerRecord): Readonly<Record<string, boolean>> => ({
  Ready: phase === 'ready',
  Routable: routable,
  Stalled: recovery.requires_manual || phase === 'failed' || phase === 'refused',
});

interface Notes {
  /** Unix ms when an update or a drain began, by its name. */
  readonly begun: Map<string, number>;
  /** The gate that failed last, by server. */
  readonly gates: Map<string, string>;
  /** What the last attempt of recovery did, by server. */
  readonly actions: Map<string, string>;
}

type Count<T extends EventType> = (event: Event<T>, figures: Figures, notes: Notes) => void;

const serverOf = (event: Event): string => event.server_name ?? '';

const countedAs = ({ event_type: type }: Event): Count<EventType> | undefined =>
  counted[type] as Count<EventType> | undefined;

/** What each event counts as; those that are not here count as nothing. */
const counted: { readonly [T in EventType]?: Count<T> } = {
  manifest_synced: (_event, { revisions }) => revisions.inc({ result: 'accepted' }),
  registry_read_failed: (_event, { revisions }) => revisions.inc({ result: 'refused' }),
  revision_settled(event, { settled, settling, lastSettled }) {
    settled.inc({ result: event.outcome });
    settling.observe(event.seconds);
    if (event.outcome === 'applied') lastSettled.set(event.time_ms / 1000);
  },
  image_pulled: (event, { pulls }) => pulls.observe(event.seconds),
  update_started: (event, _figures, { begun }) => void begun.set(`update ${serverOf(event)}`, event.time_ms),
  update_completed: (event, { rollouts }, notes) =>
    ended(`update ${serverOf(event)}`, event, notes, (s) => rollouts.observe({ status: 'completed' }, s)),
  update_failed(event, { rollouts }, notes) {
    notes.gates.set(serverOf(event), event.gate);
    ended(`update ${serverOf(event)}`, event, notes, (s) => rollouts.observe({ status: 'failed' }, s));
  },
  rollback_started: (event, { rollbacks }, { gates }) =>
    rollbacks.inc({ reason: gates.get(serverOf(event)) ?? 'health' }),
  drain_started: (event, _figures, { begun }) => void begun.set(`drain ${event.instance}`, event.time_ms),
  drain_completed(event, { drains, forcedDrains }, notes) {
    ended(`drain ${event.instance}`, event, notes, (s) => drains.observe(s));
    if (event.outcome === 'forced') forcedDrains.inc();
  },
  recovery_started(event, { recoveries }, { actions }) {
    actions.set(serverOf(event), event.strategy);
    recoveries.inc({ action: event.strategy, result: 'started' });
  },
  recovery_successful: (event, figures, notes) => recovered(event, 'successful', figures, notes),
  recovery_failed: (event, figures, notes) => recovered(event, 'failed', figures, notes),
};

function recovered(event: Event, result: string, { recoveries }: Figures, { actions }: Notes): void {
  recoveries.inc({ action: actions.get(serverOf(event)) ?? 'restart', result });
}

function ended(what: string, event: Event, { begun }: Notes, observe: (seconds: number) => void): void {
  const from = begun.get(what);
  begun.delete(what);
  if (from !== undefined) observe((event.time_ms - from) / 1000);
}
