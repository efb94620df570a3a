import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryJournal, openJournal } from '../../src/journal/index.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { digest } from '../../src/lib/digest.ts';
import { silentLog, type Log } from '../../src/lib/log.ts';
import { defaultPolicy } from '../../src/manifest/policy.ts';
import { raiseVersion } from '../../src/manifest/raise.ts';
import { readManifest } from '../../src/manifest/read.ts';
import { resolveManifest } from '../../src/manifest/resolve.ts';
import type { Event } from '../../src/model/event.ts';
import { Failure } from '../../src/model/failure.ts';
import type { Published, Settled } from '../../src/reconcile/controller.ts';
import type { ReadDesired } from '../../src/reconcile/intake.ts';
import { startOrchestrator, type Orchestrator } from '../../src/reconcile/orchestrator.ts';
import type { Rooms } from '../../src/reconcile/rooms.ts';
import { memoryRuntime, type MemoryRuntime } from '../../src/runtime/index.ts';
import type { WritingBack } from '../../src/reconcile/write-back.ts';
import { openState } from '../../src/state/index.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { Probe, ProbeResult } from '../../src/probe/probe.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { Secrets } from '../../src/secrets/secrets.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { memoryState } from './memory-state.ts';
import { memoryRepository, type CommitOptions, type MemoryRepository } from './memory-repository.ts';

/** A whole orchestrator on a fake clock: real planner, real journal on disk, an engine in memory. */
export interface Stage {
  readonly clock: FakeClock;
  readonly engine: MemoryRuntime;
  readonly directory: string;
  /** Secret values by name; all servers may read them. */
  readonly secrets: Map<string, string>;
  /** What was published last. */
  readonly published: () => Published;
  readonly orchestrator: () => Orchestrator;
  /** Puts a manifest into the repository; it is seen at the next look, which comes at once. */
  commit(manifest: string, more?: Partial<CommitOptions>): Promise<void>;
  /** The repository as people see it. */
  readonly repository: Pick<MemoryRepository, 'commits' | 'branches' | 'textOf'>;
  /** The remote rejects with this until it is null. */
  remote(failure: Failure | null): void;
  /** Lets time pass; a death that was asked for happens on the way, and a new start follows it at once. */
  pass(ms: number): Promise<void>;
  /** Dies at the n-th write of the event log from now on, on this side of the disk. */
  dieAtWrite(n: number, side: 'before' | 'after'): void;
  /** Lines written to the event log since the stage was opened, by all lives. */
  writes(): number;
  /** Dies without a word, as kill -9 does. */
  die(): Promise<void>;
  /** Starts (again) on the same folder, engine and clock. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The event log, as objects. */
  events(): Promise<Event[]>;
  /** The story so far: one line an event, `seconds  server  event  what matters`. */
  story(): Promise<string>;
  settled(withinMs?: number): Promise<Settled>;
  close(): Promise<void>;
}

/** A file system in memory, where there is one: a thousand lives fsync much. */
const MEMORY = '/dev/shm';

export interface StageOptions {
  readonly allowRewind?: boolean;
  readonly log?: Log;
  readonly wrap?: (rooms: Rooms) => Rooms;
  readonly maxBytes?: number;
  /** Log and state outlive each life in memory instead of on a disk, and nobody asks with commands: for hundreds of lives. */
  readonly inMemory?: boolean;
  readonly writeBack?: 'branch' | 'direct';
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const directory = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'story-'));
  const clock = fakeClock();
  const begin = clock.now();
  let containers = 0;
  const engine = memoryRuntime({ clock, ids: () => `c${String((containers += 1)).padStart(3, '0')}` });
  const inMemory =
    options.inMemory === true ? { journal: memoryJournal([]), state: memoryState(directory) } : null;
  const secrets = new Map<string, string>();
  const repository = memoryRepository();
  let latest: Published | null = null;
  let running: { orchestrator: Orchestrator; journal: Journal; dead: Dead } | null = null;
  let boots = 0;
  let ids = 0;
  let writes = 0;
  let death: { readonly at: number; readonly side: 'before' | 'after' } | null = null;

  const fatally =
    (append: Journal['append'], dead: Dead): Journal['append'] =>
    async (log, event) => {
      if (log !== 'events') return append(log, event);
      writes += 1;
      const fatal = death !== null && writes >= death.at ? death : null;
      if (fatal?.side !== 'before') await append(log, event);
      if (fatal === null) return undefined;
      dead.now = true;
      dead.tell();
      return new Promise(() => undefined);
    };

  const start = async (): Promise<void> => {
    const state = inMemory?.state ?? (await openState(directory, clock));
    const journal =
      inMemory?.journal ??
      (await openJournal({
        directory,
        ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
      }));
    const dead = alive();
    const rooms: Rooms = {
      source: mortal(repository.source, dead),
      readDesired: readInline,
      runtime: mortal(engine, dead),
      registry: memoryRegistry(engine),
      probe: memoryProbe(engine),
      journal: mortal(
        { ...journal, append: fatally((log, event) => journal.append(log, event), dead) },
        dead,
      ),
      state,
      secrets: memorySecrets(secrets),
      notifier: { tell: () => undefined, recall: () => undefined, close: () => Promise.resolve() },
      clock,
      log: options.log ?? silentLog,
    };
    boots += 1;
    const starting = startOrchestrator(options.wrap?.(rooms) ?? rooms, {
      owner: 'default',
      bootId: `boot-${boots}`,
      programVersion: '0.0.0',
      intervalMs: 15_000,
      updateIntervalMs: 60_000,
      environmentTrace: null,
      allowRewind: options.allowRewind ?? false,
      removalByTrailer: true,
      allowRemovalOf: null,
      recordChecks: false,
      writingBack: options.writeBack === undefined ? null : { mode: options.writeBack, raise: raiseInline },
      random: () => 0.5,
      newId: () => `${(ids += 1)}`,
      targetOf: (instance) => ({
        container: instance.id,
        server: instance.server,
        address: instance.hostAddress,
        engineHealth: instance.engineHealth,
        version: instance.spec?.settings.version ?? null,
      }),
      urlOf: (instance) => `http://127.0.0.1:${instance.hostAddress?.port ?? 0}`,
      claimEngine: () => Promise.resolve(),
      publish: (published) => (latest = published),
      noteEvent: () => undefined,
      recallEvent: () => undefined,
      self: () => undefined,
      passed: () => undefined,
    });
    const orchestrator = await Promise.race([starting, dead.told]);
    if (orchestrator === undefined) {
      death = null;
      await journal.close();
      return start();
    }
    running = { orchestrator, journal, dead };
    orchestrator.broken.catch((error: unknown) => {
      if (!dead.now) throw error;
    });
    await clock.rest();
    await rebirth();
  };

  /** What has just died is started again. */
  const rebirth = async (): Promise<void> => {
    while (running?.dead.now === true) {
      death = null;
      await stage.die();
      await start();
    }
  };

  const events = async (): Promise<Event[]> => {
    if (inMemory !== null) return [...(await inMemory.journal.replay('events')).events];
    const text = await readFile(join(directory, 'events.jsonl'), 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);
  };

  const stage: Stage = {
    clock,
    engine,
    directory,
    secrets,
    published: () => {
      if (latest === null) throw new Error('nothing was published yet');
      return latest;
    },
    orchestrator: () => {
      if (running === null) throw new Error('no orchestrator runs');
      return running.orchestrator;
    },
    async commit(manifest, more = {}) {
      repository.commit(manifest, { traceId: null, allowRemoval: [], rewind: false, ...more });
      running?.orchestrator.poll();
      await clock.rest();
      await rebirth();
    },
    repository,
    remote: repository.fail,
    async pass(ms) {
      for (const until = clock.now() + ms; clock.now() < until;) {
        await clock.advance(until - clock.now(), () => running?.dead.now === true);
        await rebirth();
      }
    },
    dieAtWrite: (n, side) => (death = { at: writes + n, side }),
    writes: () => writes,
    async die() {
      if (running === null) return;
      running.dead.now = true;
      // Nothing of it is waited for: what hangs in a dead life hangs for ever.
      running.orchestrator.stop(0).catch(() => undefined);
      await running.journal.close();
      running = null;
      await clock.rest();
    },
    start,
    async stop() {
      const stopping = running?.orchestrator.stop(8_000);
      running = null;
      await clock.advance(8_000);
      await stopping;
    },
    events,
    story: async () => retell(await events(), begin),
    async settled(withinMs = 600_000) {
      const until = clock.now() + withinMs;
      const asked = new Map<Orchestrator, Settled | null>();
      while (clock.now() < until) {
        const by = stage.orchestrator();
        if (!asked.has(by)) {
          asked.set(by, null);
          void by.settled().then((settled) => asked.set(by, settled));
        }
        await stage.pass(500);
        const settled = asked.get(by);
        if (settled !== null && settled !== undefined) return settled;
      }
      throw new Error(`not settled in ${withinMs} ms:\n${await stage.story()}`);
    },
    async close() {
      if (running !== null) await stage.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return stage;
}

interface Dead {
  now: boolean;
  readonly tell: () => void;
  /** Resolves at the moment of death. */
  readonly told: Promise<undefined>;
}

function alive(): Dead {
  let tell = (): void => undefined;
  const told = new Promise<undefined>((resolve) => (tell = () => resolve(undefined)));
  return { now: false, tell, told };
}

/** Servers work side by side: within one second their order is chance, so lines are put in the order of servers. */
function retell(events: readonly Event[], begin: number): string {
  const second = (event: Event): number => Math.floor((event.time_ms - begin) / 1_000);
  const told = [...events].sort(
    (a, b) => second(a) - second(b) || (a.server_name ?? '').localeCompare(b.server_name ?? ''),
  );
  return renamed(told.map((event) => tell(event, begin)).join('\n'));
}

/** Instances by their order in the text: ids are handed out as the work happens to come. */
function renamed(text: string): string {
  const names = new Map<string, string>();
  return text.replace(/i-\d+/g, (id) => {
    if (!names.has(id)) names.set(id, `i-${names.size + 1}`);
    return names.get(id) ?? id;
  });
}

function tell(event: Event, begin: number): string {
  const seconds = String(Math.floor((event.time_ms - begin) / 1_000)).padStart(4);
  const fields = event as unknown as Record<string, unknown>;
  const told = [
    'instance',
    'version',
    'outcome',
    'reason',
    'gate',
    'class',
    'by',
    'attempt',
    'strategy',
    'to',
    'servers',
  ]
    .filter((name) => fields[name] !== undefined && fields[name] !== null && fields[name] !== '')
    .map((name) => `${name}=${String(fields[name])}`);
  return [seconds, (event.server_name ?? '-').padEnd(8), event.event_type, ...told].join(' ').trimEnd();
}

/** After death no call of it has any effect: it answers nobody, for ever. */
function mortal<T extends object>(room: T, dead: { readonly now: boolean }): T {
  return new Proxy(room, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        if (dead.now && name !== 'close' && name !== 'next') return new Promise(() => undefined);
        return (member as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

const readInline: ReadDesired = async ({ content, file, revision, source }, chooseTrace) => {
  const read = readManifest({ content, file });
  if (!read.ok) return err({ error: read.error.details.error });
  const traceId = chooseTrace(read.value.manifest.trace_id);
  return ok(resolveManifest(read.value.manifest, { revision, source, traceId, policy: defaultPolicy }));
};

const raiseInline: WritingBack['raise'] = async (text, version) => raiseVersion(text, version);

function memoryRegistry(engine: MemoryRuntime): Registry {
  return {
    digestOf: async (image) => {
      const found = engine.controls.registry.get(image);
      if (found === undefined) throw new Failure('image_not_found', `${image} is not in the registry`);
      return found;
    },
    tags: async (repository) =>
      [...engine.controls.registry.keys()].flatMap((image) =>
        image.startsWith(`${repository}:`) ? [image.slice(repository.length + 1)] : [],
      ),
    inspect: async () => ({ sizeBytes: 1_000_000, offers: [] }),
  };
}

const outcomes = {
  ok: 'ok',
  degraded: 'degraded',
  down: 'failed',
  silent: 'failed',
  refused: 'failed',
} as const;

function memoryProbe(engine: MemoryRuntime): Probe {
  return {
    check: async (_settings, target): Promise<ProbeResult> => {
      const answer = engine.controls.answerOf(target.container);
      const { kind, version, activeSessions, activeRequests } = answer;
      return {
        outcome: outcomes[kind],
        reason: kind,
        silent: kind === 'silent' || kind === 'refused',
        responseTimeMs: kind === 'silent' ? null : 1,
        checks: {},
        reportedVersion: version,
        versionOk: version === null ? null : version === target.version,
        activeSessions,
        activeRequests,
        departures: [],
      };
    },
  };
}

function memorySecrets(values: ReadonlyMap<string, string>): Secrets {
  return {
    refs: async (_server, wanted) => ({
      refs: wanted.map(({ name }) => ({ name, version: versionOf(values.get(name)) })),
      missing: wanted.filter(({ name, required }) => required && !values.has(name)).map(({ name }) => name),
    }),
    values: async (_server, refs) =>
      Object.fromEntries(refs.map(({ name }) => [name, values.get(name) ?? ''])),
    scrub: (text) =>
      [...values.values()].reduce((scrubbed, value) => scrubbed.replaceAll(value, '***'), text),
  };
}

const versionOf = (value: string | undefined): string | null =>
  value === undefined ? null : digest(value).slice(7, 23);
