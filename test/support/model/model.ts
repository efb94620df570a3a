import type { DesiredServer } from '../../../src/model/desired.ts';
import type { Event, EventFields, EventType } from '../../../src/model/event.ts';
import {
  emptyMemory,
  emptyServerMemory,
  type Memory,
  type Resolved,
  type ServerMemory,
} from '../../../src/model/memory.ts';
import type { Instance, ProbeResult, Pulse } from '../../../src/model/observed.ts';
import { imageRefOf, type Spec } from '../../../src/model/spec.ts';
import type { Plan, Pull, Step } from '../../../src/model/step.ts';
import type { World } from '../../../src/model/world.ts';
import {
  follows,
  mustAskWhatIsNamed,
  mustChooseAgain,
  resolvedFor,
  type Deployable,
} from '../../../src/plan/choice.ts';
import { feel, nextCheckAt, seedPulse } from '../../../src/plan/health.ts';
import { withoutCopies } from '../../../src/plan/ownership.ts';
import { makePlan } from '../../../src/plan/plan.ts';
import { soakEndsAt } from '../../../src/plan/soak.ts';
import { remember } from '../../../src/plan/remember.ts';
import { choosing, resolving } from '../../../src/reconcile/blocked.ts';
import { answer, blueprint, entry, of, settings, SOURCE, spec } from '../world.ts';
import { Engine, innocent, type Trait } from './engine.ts';
import type { Act, Death, History, Policy, Strategy } from './history.ts';
import {
  askedOf,
  firstChoice,
  leaves,
  newest,
  nextChoice,
  numberOfDigest,
  type Chosen,
  type Shelf,
} from './registry.ts';
import { Broken, checkCopies, checkEvent, checkStep } from './laws.ts';

/** Scaled down, so that a history is short. */
export const timings = {
  minHealthySeconds: 2,
  healthyDeadlineSeconds: 15,
  soakSeconds: 30,
  drainMinSeconds: 4,
  drainTimeoutSeconds: 9,
  maxAttempts: 3,
  slowRetrySeconds: 40,
};

const { maxAttempts, slowRetrySeconds, ...update } = timings;
const quick = settings({
  health: { intervalSeconds: 10, suspectIntervalSeconds: 2, startPeriodSeconds: 3 },
  update,
  recovery: { maxAttempts, slowRetrySeconds, backoffSeconds: [1, 2, 4] },
});

const START = 1_000_000;
/** After the last act, the time in which everything has to come to rest. Seconds. */
const PATIENCE = 420;
/** Where versions are followed: so much for what happened last, and for every version, as each may be tried. */
const PATIENCE_FOLLOWING = 220;
const PATIENCE_A_VERSION = 60;
const MOST_STEPS_AT_ONCE = 300;
const FOLLOW_INTERVAL_MS = 30_000;

class Died extends Error {}

interface Commit {
  /** Of the version that it names. */
  readonly number: number;
  readonly env: number;
  readonly strategy: Strategy;
  readonly policy: Policy;
  readonly rollback: boolean;
  readonly state: 'running' | 'stopped' | 'gone';
}

/** What a commit that brings no new version changes. */
const changes: Readonly<Record<string, (commits: readonly Commit[]) => Partial<Commit>>> = {
  revert: (commits) => ({ ...commits.at(-2), state: 'running' }),
  'stop-entry': () => ({ state: 'stopped' }),
  'remove-entry': () => ({ state: 'gone' }),
  'empty-manifest': () => ({}),
};

const isCommit = ({ kind }: Act['what']): boolean =>
  kind in changes || kind === 'commit' || kind === 'change-env' || kind === 'change-strategy';

const specs = new Map<string, Spec>();

interface Make {
  readonly number: number;
  readonly env: number;
  readonly exclusive: boolean;
  readonly strategy: Strategy;
}

const environment = (env: number): Record<string, string> => (env === 0 ? {} : { E: `${env}` });

const tagOf = ({ strategy, number }: Pick<Make, 'strategy' | 'number'>): string =>
  strategy === 'latest' ? 'latest' : `1.0.${number}`;

/** Sealing is slow; a version is sealed once for all histories. */
function versionOf(server: string, make: Make): Spec {
  const { number, env, exclusive } = make;
  const version = make.strategy === 'latest' ? null : `1.0.${number}`;
  const key = `${server} ${number} ${env} ${exclusive} ${version}`;
  const known = specs.get(key);
  if (known !== undefined) return known;
  const order = exclusive ? 'stop-first' : 'start-first';
  const sealed = spec(server, `1.0.${number}`, { order, env: environment(env) });
  const image = sealed.image.replace(/[^:]+$/, tagOf(make));
  const made = { ...sealed, image, settings: { ...quick, version } };
  specs.set(key, made);
  return made;
}

/** Git, registry, engine, probes, journal and ourselves, all in one value that can be run through a history. */
export class Model {
  readonly engine = new Engine();
  readonly names: readonly string[];
  now = START;
  memory: Memory = emptyMemory;
  desired: World['desired'] = {
    revision: 'none',
    source: SOURCE,
    traceId: 'trace',
    paused: false,
    servers: [],
  };
  steps = 0;
  looks = 0;
  readonly #history: History;
  readonly #acts: Act[];
  readonly #deaths: Death[];
  readonly #commits: Commit[][];
  /** By server: how each version that its registry has behaves, and which environments no version bears. */
  readonly #versions: Trait[][];
  readonly #badEnvs: boolean[][];
  #followAt = 0;
  #chooseAt = 0;
  #manifestEmpty = false;
  #log: Event[] = [];
  #specs: Record<string, Spec> = {};
  #pulses: Record<string, Pulse> = {};
  #kills: Record<string, number> = {};
  #bootAt = START;
  #writes = 0;
  #seq = 0;
  #revisions = 0;
  #burst = 0;
  #atRest = false;
  readonly #until = { registry: 0, refusals: 0, probes: 0, view: 0 };

  constructor(history: History) {
    this.#history = history;
    this.names = Array.from({ length: history.servers }, (_, index) => `s${index}`);
    this.#acts = [...history.acts].sort((a, b) => a.at - b.at);
    this.#deaths = [...history.deaths];
    this.#commits = this.names.map((_name, index) => [
      {
        ...{ number: 0, env: 0, policy: 'always', rollback: true, state: 'running' },
        strategy: history.strategies?.[index] ?? 'pinned',
      },
    ]);
    this.#versions = this.names.map(() => ['good']);
    this.#badEnvs = this.names.map(() => [false]);
  }

  /** Plays the history out, and then until everything should have come to rest. Throws `Broken`. */
  run(): this {
    const published = this.#acts.filter(
      ({ what }) => what.kind === 'publish' || what.kind === 'commit',
    ).length;
    const isFollowing = this.#history.strategies !== undefined;
    const patience = isFollowing ? PATIENCE_FOLLOWING + published * PATIENCE_A_VERSION : PATIENCE;
    const end = START + ((this.#acts.at(-1)?.at ?? 0) + patience) * 1_000;
    this.#alive(() => this.#boot());
    while (this.now < end && !this.#atRest) this.#alive(() => this.#tick());
    return this;
  }

  /** The commit that each server is wanted by now, and how the version that it names behaves. */
  commitOf(name: string): Commit & { readonly trait: Trait } {
    const commit = this.#commitOf(name);
    return { ...commit, trait: this.traitOf(name, commit) };
  }

  #commitOf(name: string): Commit {
    return this.#commits[this.names.indexOf(name)]?.at(-1) as Commit;
  }

  traitOf(name: string, { number, env }: Pick<Commit, 'number' | 'env'>): Trait {
    const index = this.names.indexOf(name);
    return this.#badEnvs[index]?.[env] === true ? 'never' : (this.#versions[index]?.[number] ?? 'good');
  }

  /** How many versions its registry has: `1.0.0` up to this, exclusive. */
  publishedOf(name: string): number {
    return this.#versions[this.names.indexOf(name)]?.length ?? 0;
  }

  get manifestEmpty(): boolean {
    return this.#manifestEmpty;
  }

  /** Since the latest checkpoint or loss, for reading what happened. */
  debugLog(): readonly Event[] {
    return this.#log;
  }

  world(): World {
    const wanted = Object.fromEntries(
      this.desired.servers.flatMap(({ name }) => {
        const made = this.#wanted(name);
        return made === null ? [] : [[name, made]];
      }),
    );
    for (const one of Object.values(wanted)) this.#specs[one.digest] = one;
    for (const { spec: made } of this.engine.list()) if (made !== null) this.#specs[made.digest] = made;
    return {
      now: this.now,
      bootAt: this.#bootAt,
      desired: this.desired,
      wanted,
      blocked: this.#blocked(wanted),
      sighting: withoutCopies(
        {
          engine: { id: 'engine', startedAt: this.engine.startedAt, version: '27' },
          instances: [...this.engine.list(), ...this.engine.copies],
          images: [...this.engine.images],
          strangers: [],
        },
        this.memory,
      ),
      pulses: this.#pulses,
      killRequests: this.#kills,
      memory: this.memory,
      specs: this.#specs,
      allowRemovalOf: null,
      checks: new Map(),
      lockHeld: true,
    };
  }

  /** null: it was not found out yet. */
  #wanted(name: string): Spec | null {
    const exclusive = this.names.indexOf(name) === this.#history.exclusive;
    const commit = this.#commitOf(name);
    const number = this.#numberOf(name, commit);
    if (number === null) return null;
    const made = versionOf(name, { ...commit, number, exclusive });
    this.engine.traits.set(made.digest, this.traitOf(name, { ...commit, number }));
    return made;
  }

  #numberOf(name: string, { number }: Commit): number | null {
    if (this.#history.strategies === undefined) return number;
    const server = this.desired.servers.find((one) => one.name === name) as Deployable;
    const resolved = resolvedFor(server, this.#memoryOf(name));
    return resolved === null ? null : numberOfDigest(resolved.imageDigest);
  }

  #memoryOf(name: string): ServerMemory {
    return this.memory.servers[name] ?? emptyServerMemory;
  }

  #blocked(wanted: World['wanted']): World['blocked'] {
    if (this.#history.strategies === undefined) return {};
    return Object.fromEntries(
      this.desired.servers.flatMap((server) => {
        const made = wanted[server.name];
        if (made === undefined) return [[server.name, resolving]];
        const must = mustChooseAgain(server, this.#memoryOf(server.name), made.digest);
        return must && this.#chooseAt > this.now ? [[server.name, choosing]] : [];
      }),
    );
  }

  /** What the rooms that ask registries find out and write down, beside everything else. */
  #choose(): void {
    if (this.#history.strategies === undefined) return;
    const isAway = this.now < this.#until.registry;
    for (const server of this.desired.servers as readonly Deployable[])
      if (server.desiredState === 'running') this.#chooseFor(server, isAway);
    if (isAway || this.now < this.#followAt) return;
    this.#followAt = this.now + FOLLOW_INTERVAL_MS;
    this.#follow();
  }

  #chooseFor(server: Deployable, isAway: boolean): void {
    if (this.now < this.#chooseAt) return;
    const shelf = this.#shelfOf(server);
    if (resolvedFor(server, shelf.memory) === null) return this.#chooseFirst(shelf, isAway);
    if (mustAskWhatIsNamed(server, shelf.memory) && !isAway) {
      const { image, imageDigest } = resolvedFor(server, shelf.memory) as Resolved;
      return this.#resolve(shelf, { image, imageDigest, askedDigest: askedOf(shelf).imageDigest });
    }
    const wanted = this.#wanted(server.name);
    if (wanted === null || !mustChooseAgain(server, shelf.memory, wanted.digest)) return;
    const next = nextChoice(shelf, isAway);
    if (next === 'unknown') this.#chooseAt = this.now + 1_000;
    else if (next !== null) this.#resolve(shelf, next);
  }

  #chooseFirst(shelf: Shelf, isAway: boolean): void {
    if (isAway) return void (this.#chooseAt = this.now + 1_000);
    const left = leaves(shelf);
    const chosen = firstChoice(shelf);
    if (left !== null) {
      const copy = shelf.own.find(({ spec: made }) => made?.imageDigest === left.imageDigest);
      this.#write('version_quarantined', shelf.server.name, {
        ...{ spec: copy?.specDigest ?? left.imageDigest, image_digest: left.imageDigest },
        ...{ version: left.version, gate: 'reverted', evidence: { reason: 'a commit went back' } },
      });
    }
    this.#resolve(shelf, chosen);
  }

  /** Which version is wanted is still being found out. */
  #isChoosing(): boolean {
    return Object.keys(this.world().blocked).length > 0 || this.#follow();
  }

  /** True: something newer was taken. */
  #follow(): boolean {
    let isTaken = false;
    for (const server of this.desired.servers.filter(follows)) {
      const shelf = this.#shelfOf(server);
      const found = resolvedFor(server, shelf.memory) === null ? null : newest(shelf);
      if (found === null) continue;
      this.#resolve(shelf, found);
      isTaken = true;
    }
    return isTaken;
  }

  #shelfOf(server: Deployable): Shelf {
    const own = this.engine.list().filter((one) => one.server === server.name);
    own.sort((a, b) => Number(b.joined) - Number(a.joined) || b.createdAt - a.createdAt);
    return { server, memory: this.#memoryOf(server.name), versions: this.publishedOf(server.name), own };
  }

  #resolve({ server }: Shelf, { image, imageDigest, askedDigest }: Chosen): void {
    this.#write('version_resolved', server.name, {
      ...{ entry: server.entry, image, image_digest: imageDigest, asked: server.blueprint.image },
      version: image.endsWith(':latest') ? null : imageDigest.slice('sha256:'.length),
      ...{ asked_digest: askedDigest ?? null, size_bytes: null, why: 'the model says so' },
    });
  }

  /** Does a thing that a death may cut short; then we are away, and come back. */
  #alive(thing: () => void): void {
    try {
      thing();
    } catch (error) {
      if (!(error instanceof Died)) throw error;
      this.#sameMemory();
      this.now += (this.#deaths.shift()?.away ?? 0) * 1_000;
      this.#writes = 0;
      this.#alive(() => this.#boot());
    }
  }

  #sameMemory(): void {
    const folded = this.#log.reduce(remember, emptyMemory);
    if (JSON.stringify(folded) !== JSON.stringify(this.memory))
      throw new Broken('memory is the fold of the log');
    this.memory = JSON.parse(JSON.stringify(folded)) as Memory;
  }

  #boot(): void {
    this.engine.advance(this.now);
    this.#bootAt = this.now;
    this.#pulses = {};
    this.#kills = {};
    this.#write('orchestrator_started', null, { boot_id: 'boot', owner: 'default', program_version: '0' });
    this.#sync();
  }

  #sync(): void {
    const servers = this.#manifestEmpty ? [] : this.names.flatMap((name) => this.#entryOf(name) ?? []);
    this.desired = { ...this.desired, revision: `rev${this.#revisions}`, servers };
    const entries = Object.fromEntries(servers.map((one) => [one.name, one.entry]));
    this.#write('manifest_synced', null, {
      source: SOURCE,
      revision: this.desired.revision,
      previous: null,
      commits: [],
      entries,
      added: [],
      changed: [],
      removed: [],
      allow_removal: [],
    });
  }

  #entryOf(name: string): DesiredServer | null {
    const commit = this.#commitOf(name);
    const { state, policy, rollback, env, strategy } = commit;
    if (state === 'gone') return null;
    const last = this.names.length > 1 && name === this.names.at(-1);
    const exclusive = this.names.indexOf(name) === this.#history.exclusive;
    const image = `docker.io/liminalcommons/${name}:${tagOf(commit)}`;
    const order = exclusive ? 'stop-first' : 'start-first';
    return entry(name, {
      entry: `${tagOf(commit)} ${env} ${strategy} ${state} ${policy} ${rollback}`,
      ...{ strategy, autoUpdate: strategy !== 'pinned' },
      blueprint: blueprint(name, { image, order, env: environment(env) }),
      desiredState: state,
      restartPolicy: policy,
      rollbackOnFailure: rollback,
      settings: quick,
      dependsOn: last && this.#history.dependent ? ['s0'] : [],
    });
  }

  #tick(): void {
    for (const act of this.#acts.filter(({ at }) => START + at * 1_000 <= this.now)) {
      this.#acts.splice(this.#acts.indexOf(act), 1);
      this.#play(act);
    }
    this.engine.advance(this.now);
    if (this.now < this.engine.downUntil) {
      this.now = this.engine.downUntil;
      return;
    }
    this.#ask();
    this.#choose();
    const plan = this.#look();
    if (this.#perform(plan)) {
      this.#burst += 1;
      if (this.#burst > MOST_STEPS_AT_ONCE)
        throw new Broken(`it never rests: ${JSON.stringify(plan.decisions)}`);
      return;
    }
    this.#burst = 0;
    this.#atRest = this.#acts.length === 0 && this.#nothingWillChange(plan) && !this.#isChoosing();
    this.#sleep(plan);
  }

  #look(): Plan {
    this.looks += 1;
    const world = this.world();
    const plan = makePlan(world);
    for (const { wakeAt, step } of plan.decisions) {
      if (step === null && wakeAt !== null && wakeAt <= world.now) {
        throw new Broken(`a wait that is over: ${JSON.stringify(plan.decisions)}`);
      }
    }
    return plan;
  }

  #sleep(plan: Plan): void {
    const wakes = plan.decisions.flatMap(({ wakeAt }) => (wakeAt === null ? [] : [wakeAt]));
    const acts = this.#acts.map(({ at }) => START + at * 1_000);
    const checks = this.#patients().map((one) => this.#checkAt(one));
    const asking = this.#history.strategies === undefined ? [] : [this.#followAt, this.#chooseAt];
    const later = asking.filter((at) => at > this.now);
    const next = Math.min(...wakes, ...acts, ...checks, ...later, this.engine.nextEnd(), this.now + 30_000);
    this.now = Math.max(next, this.now + 1);
  }

  /** Nobody waits for a time, everything that runs is known to be well, and nothing will end or fall by itself. */
  #nothingWillChange(plan: Plan): boolean {
    const waits = plan.decisions.some(({ wakeAt }) => wakeAt !== null);
    const faults = Math.max(...Object.values(this.#until)) > this.now;
    return !waits && !faults && this.#patients().every((one) => this.#isSteady(one));
  }

  #isSteady(one: Instance): boolean {
    const { state, fresh } = this.#pulseOf(one);
    const isAwaited = this.#askAt(one) !== null;
    return (
      state === 'healthy' &&
      !this.engine.ailing.has(one.id) &&
      fresh &&
      !isAwaited &&
      innocent.has(this.engine.traitOf(one)) &&
      !this.engine.hung.has(one.id)
    );
  }

  #patients(): Instance[] {
    return this.engine.list().filter(({ state }) => state === 'running');
  }

  #pulseOf(one: Instance): Pulse {
    const known = this.#pulses[one.id];
    if (known?.startedAt === one.startedAt) return known;
    const seeded = seedPulse(one, this.memory.servers[one.server]?.health[one.id] ?? null);
    this.#pulses = { ...this.#pulses, [one.id]: seeded };
    return seeded;
  }

  #checkAt(one: Instance): number {
    return nextCheckAt({
      pulse: this.#pulseOf(one),
      settings: quick.health,
      startsWithinSeconds: quick.update.healthyDeadlineSeconds,
      draining: false,
      askAt: this.#askAt(one),
      spread: 0,
      now: this.now,
    });
  }

  #askAt(one: Instance): number | null {
    return soakEndsAt(this.memory.servers[one.server] ?? emptyServerMemory, one, quick.update);
  }

  #ask(): void {
    const due = this.#patients().filter((one) => this.#checkAt(one) <= this.now);
    const silent = due.filter((one) => this.#askOne(one));
    if (silent.length === 0) return;
    for (const one of this.#patients())
      if (!due.includes(one) && this.#pulseOf(one).failures === 0) this.#askOne(one);
  }

  /** True: it fell silent just now. */
  #askOne(one: Instance): boolean {
    const before = this.#pulseOf(one);
    const result = this.#answerOf(one);
    const startsWithinSeconds = quick.update.healthyDeadlineSeconds;
    const asked = { settings: quick.health, startsWithinSeconds, now: this.now, askedAt: this.now };
    const after = feel(before, result, asked);
    this.#pulses = { ...this.#pulses, [one.id]: after };
    if (after.state !== before.state) {
      const fields = { ...of(one), from: before.state, to: after.state, reason: after.reason };
      const type =
        after.state === 'healthy'
          ? 'server_healthy'
          : after.state === 'unhealthy'
            ? 'server_down'
            : 'server_degraded';
      this.#write(type, one.server, { ...fields, incident_id: 'inc' });
    }
    return before.silentSince === null && after.silentSince !== null;
  }

  #answerOf(one: Instance): ProbeResult {
    if (this.now < this.#until.probes) return answer({ outcome: 'unknown', reason: 'probe_error' });
    const said = this.#isViewBroken() ? 'timeout' : this.engine.answer(one, this.now);
    if (said !== 'ok') return answer({ outcome: 'failed', reason: said, silent: said === 'timeout' });
    return answer({ versionOk: this.engine.traitOf(one) !== 'wrong' });
  }

  #perform(plan: Plan): boolean {
    for (const { event, fields } of plan.notes) this.#write(event, null, fields);
    const pulls = plan.decisions.flatMap(({ pull }) => (pull === null ? [] : [pull]));
    for (const pull of pulls) this.#pull(pull);
    const steps = plan.decisions.flatMap(({ step }) => (step === null ? [] : [step]));
    for (const step of steps) {
      this.steps += 1;
      checkStep(step, this.world(), this.engine);
      this.#do(step);
      checkCopies(this.engine);
    }
    return [...pulls, ...steps, ...plan.notes].length > 0;
  }

  #do(step: Step): void {
    const { engine, now } = this;
    switch (step.kind) {
      case 'create':
        return this.#create(step);
      case 'start':
        return this.#start(step);
      case 'restart': {
        const { instance, attempt, reason } = step;
        this.#write('recovery_started', step.server, {
          ...of(instance),
          attempt,
          reason,
          strategy: 'restart',
        });
        if (now < this.#until.refusals) {
          return this.#write('recovery_failed', step.server, {
            ...of(instance),
            attempt,
            error: 'engine busy',
          });
        }
        engine.end(instance.id, now, 143);
        return engine.start(instance.id, now);
      }
      case 'promote':
        this.#write('server_promoting', step.server, of(step.instance));
        engine.change(step.instance.id, { joined: true });
        return this.#write('server_ready', step.server, {
          ...of(step.instance),
          url: null,
          image_digest: '',
        });
      case 'leave':
        this.#write('server_leaving', step.server, { ...of(step.instance), outcome: step.outcome });
        engine.change(step.instance.id, { joined: false });
        return this.#write('drain_completed', step.server, { ...of(step.instance), outcome: step.outcome });
      case 'stop':
        this.#write('server_stopping', step.server, of(step.instance));
        engine.end(step.instance.id, now, 0);
        return this.#write('server_stopped', step.server, { ...of(step.instance), by: 'us' });
      case 'remove':
        this.#write('instance_removing', step.server, of(step.instance));
        engine.containers.delete(step.instance.id);
        return this.#write('instance_removed', step.server, of(step.instance));
      case 'remove_image':
        engine.images.delete(step.image);
        return this.#write('image_removed', step.server, { image: step.image });
      case 'record':
        return this.#write(step.event, step.server, step.fields);
    }
  }

  #beginRollout(server: string, made: Spec): void {
    const memory = this.memory.servers[server];
    if ([memory?.rollout?.spec, memory?.stable, memory?.promoted?.spec].includes(made.digest)) return;
    this.#write('update_started', server, {
      rollout_id: 'r',
      spec: made.digest,
      image: made.image,
      image_digest: made.imageDigest,
      version: made.settings.version,
      from_version: null,
      order: made.order,
    });
  }

  #pull({ server, spec: made }: Pull): void {
    this.#beginRollout(server, made);
    if (this.now < this.#until.registry) return this.#gateFailed('pull', server, made, 'world');
    this.engine.images.add(imageRefOf(made));
    this.#write('image_pulled', server, { image: made.image, image_digest: made.imageDigest, seconds: 0 });
  }

  #create({ server, spec: made }: Extract<Step, { kind: 'create' }>): void {
    this.#beginRollout(server, made);
    const about = {
      instance: this.engine.nextName,
      spec: made.digest,
      revision: 'rev',
      version: made.settings.version,
    };
    this.#write('server_starting', server, { ...about, image_digest: made.imageDigest });
    if (this.now < this.#until.refusals) return this.#gateFailed('create', server, made, 'world');
    const rejected = this.engine.traits.get(made.digest) === 'rejected';
    if (rejected && this.steps % 2 === 0) return this.#gateFailed('create', server, made, 'version');
    const { id } = this.engine.create(made, this.now);
    if (rejected) return this.#startRejected(server, made, id);
    this.engine.start(id, this.now);
    this.#write('server_started', server, { ...about, container_id: id });
  }

  #start({ server, instance }: Extract<Step, { kind: 'start' }>): void {
    this.#write('server_starting', server, { ...of(instance), revision: 'rev', image_digest: '' });
    if (instance.spec !== null && this.now < this.#until.refusals) {
      return this.#gateFailed('start', server, instance.spec, 'world');
    }
    if (instance.spec !== null && this.engine.traitOf(instance) === 'rejected') {
      return this.#startRejected(server, instance.spec, instance.id);
    }
    this.engine.start(instance.id, this.now);
    this.#write('server_started', server, of(instance));
  }

  #startRejected(server: string, made: Spec, id: string): void {
    this.#gateFailed('start', server, made, 'version', id);
    this.#write('server_down', server, {
      instance: '',
      container_id: id,
      spec: made.digest,
      version: null,
      from: 'unknown',
      to: 'unhealthy',
      reason: 'container_rejected',
      by: 'itself',
      exit_code: null,
      at: this.now,
    });
  }

  #gateFailed(
    gate: 'pull' | 'create' | 'start',
    server: string,
    made: Spec,
    fault: 'world' | 'version',
    id?: string,
  ): void {
    const count = this.memory.servers[server]?.postponed[made.digest]?.count ?? 0;
    const least = gate !== 'pull' && made.order === 'stop-first' ? slowRetrySeconds * 1_000 : 0;
    this.#write('update_gate_failed', server, {
      gate,
      class: fault,
      spec: made.digest,
      error: 'refused',
      retry_at: this.now + Math.max(least, Math.min(1_000 * 2 ** count, 900_000)),
      ...(id === undefined ? {} : { container_id: id }),
    });
  }

  #write<T extends EventType>(type: T, server: string | null, fields: EventFields[T]): void {
    this.#writes += 1;
    this.now += 1;
    const death = this.#deaths[0]?.write === this.#writes ? this.#deaths[0] : null;
    if (death?.after === false) throw new Died();
    this.#seq += 1;
    const event = {
      event_type: type,
      trace_id: 'trace',
      timestamp: '',
      repo: 'mcp-orchestration',
      seq: this.#seq,
      time_ms: this.now,
      ...(server === null ? {} : { server_name: server }),
      ...fields,
    } as unknown as Event;
    checkEvent(event, this.world(), this.engine);
    this.#log.push(event);
    this.memory = remember(this.memory, event);
    if (death !== null) throw new Died();
  }

  #play({ server, what }: Act): void {
    const name = this.names[server % this.names.length] as string;
    if (what.kind === 'publish') this.#versions[this.names.indexOf(name)]?.push(what.trait);
    else if (isCommit(what)) this.#commit(name, what);
    else if (what.kind === 'retry') this.#write('request_accepted', name, { request: 'retry' });
    else if (what.kind === 'pause') {
      this.#write('request_accepted', null, { request: 'pause', until: this.now + what.seconds * 1_000 });
    } else if (what.kind === 'state-lost') this.#loseState();
    else if (what.kind === 'checkpoint') this.#checkpoint();
    else this.#fault(what.kind, name);
  }

  #commit(name: string, what: Act['what']): void {
    const commits = this.#commits[this.names.indexOf(name)] as Commit[];
    commits.push({ ...(commits.at(-1) as Commit), ...this.#changeOf(name, what, commits) });
    this.#manifestEmpty =
      what.kind === 'empty-manifest' ? !this.#manifestEmpty : this.#manifestEmpty && what.kind !== 'commit';
    this.#revisions += 1;
    this.#sync();
  }

  #changeOf(name: string, what: Act['what'], commits: readonly Commit[]): Partial<Commit> {
    const index = this.names.indexOf(name);
    const [versions, badEnvs] = [this.#versions[index] as Trait[], this.#badEnvs[index] as boolean[]];
    if (what.kind === 'commit') {
      const number = versions.push(what.trait) - 1;
      return { number, policy: what.restartPolicy, rollback: what.rollback, state: 'running' };
    }
    if (what.kind === 'change-env') return { env: badEnvs.push(what.bad) - 1 };
    if (what.kind === 'change-strategy') return { strategy: what.strategy };
    return changes[what.kind]?.(commits) ?? {};
  }

  #loseState(): void {
    this.memory = emptyMemory;
    this.#log = [];
    this.#seq = 0;
    this.#specs = {};
    // What is not proven any more would be judged for what only a proven one may suffer without blame.
    if (this.#history.strategies !== undefined) this.engine.heal();
    this.#boot();
  }

  #checkpoint(): void {
    this.#write('memory_checkpoint', null, { memory: this.memory });
    this.#log = this.#log.slice(-1);
  }

  #fault(kind: string, name: string): void {
    const own = this.engine.list().filter(({ server }) => server === name);
    const victim = own.find(({ joined }) => joined) ?? own[0];
    const soon = this.now + 15_000;
    if (kind === 'tool-touches') this.#touch(name, own);
    else if (kind === 'engine-restarts') this.#restartEngine();
    else if (kind === 'registry-away') this.#until.registry = soon;
    else if (kind === 'engine-refuses') this.#until.refusals = soon;
    else if (kind === 'probe-broken') this.#until.probes = soon;
    else if (kind === 'view-broken') this.#until.view = this.#mayBreakView() ? soon : 0;
    else if (victim !== undefined) this.#harm(kind, victim);
  }

  /** Another tool changes each container of a server, and each new one. */
  #touch(name: string, own: readonly Instance[]): void {
    this.engine.touched.add(name);
    for (const { id } of own) this.engine.change(id, { drift: ['changed by a tool'] });
  }

  #restartEngine(): void {
    for (const { id, state } of this.engine.list()) if (state === 'running') this.#kills[id] = this.now;
    this.engine.restart(this.now, 3);
  }

  #harm(kind: string, victim: Instance): void {
    const { id, server, specDigest } = victim;
    if (kind === 'person-stops') {
      this.#kills[id] = this.now;
      this.engine.end(id, this.now, 143);
    } else if (kind === 'person-removes') this.engine.containers.delete(id);
    else if (kind === 'person-disconnects') this.engine.change(id, { joined: false });
    else if (kind === 'person-copies') this.engine.copy(victim, this.now);
    else if (kind === 'ails') {
      if (this.memory.servers[server]?.stable === specDigest) this.engine.ailing.add(id);
    } else if (kind === 'person-renames') this.engine.change(id, { drift: ['its name is another'] });
    // A hang is its own fault: only a proven version may be struck without being to blame.
    else if (this.memory.servers[server]?.stable === specDigest) this.engine.hung.add(id);
  }

  #mayBreakView(): boolean {
    const stable = ({ server, specDigest }: Instance): boolean =>
      this.memory.servers[server]?.stable === specDigest;
    return this.#live().length >= 3 && this.#live().every(stable);
  }

  /** With fewer than three live nobody can tell our own blindness from theirs (section 7, impossible (b)): then it heals. */
  #isViewBroken(): boolean {
    if (this.#live().length < 3) this.#until.view = 0;
    return this.now < this.#until.view;
  }

  #live(): Instance[] {
    return this.engine.list().filter(({ joined, state }) => joined && state === 'running');
  }
}
