import { randomBytes } from 'node:crypto';
import { inject, type TestContext } from 'vitest';
import { attachEngine, type OpenedEngine } from '../../examples/engine/engine.ts';
import { readEvents, type LoggedEvent } from '../../examples/stage/events.ts';
import { entryOf, manifestOf, manifestPath } from '../../examples/stage/manifest.ts';
import { stageOn, type Stage, type Watching } from '../../examples/stage/stage.ts';
import { isReady, type HealthStatus } from '../../examples/stage/status.ts';
import type { ServerRecord } from '../../src/model/status.ts';
import { theServerImage, type TestServerBehaviour } from './test-server-image.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Waits as short as the rules allow, so that a test takes seconds. */
const quick = {
  update: {
    ...{ min_healthy_seconds: 1, healthy_deadline_seconds: 20, soak_seconds: 5 },
    ...{ drain_min_seconds: 1, drain_timeout_seconds: 5 },
  },
  health_check: {
    interval_seconds: 2,
    timeout_seconds: 1,
    suspect_interval_seconds: 1,
    start_period_seconds: 10,
  },
  recovery: { backoff_seconds: [1] },
};

/** A stage with names of its own, and servers that are the test server. */
export interface TestStage extends Stage {
  /** A server name that no other test has. */
  readonly name: (short: string) => string;
  /** An entry for `name(short)`. */
  readonly entry: (short: string, more?: Fields, version?: string) => Fields;
  /** Merges a manifest of these entries; the revision. */
  readonly merge: (entries: readonly Fields[], change?: Merged) => Promise<string>;
}

interface Merged {
  readonly subject?: string;
  readonly traceId?: string;
  /** Fields of the top of the manifest. */
  readonly top?: Fields;
}

/** One on the engine of the whole run, or on an engine of the test's own. */
export async function openTestStage(own?: OpenedEngine): Promise<TestStage> {
  const engine = own ?? attachEngine(inject('engine'));
  const stage = await stageOn(engine);
  const run = randomBytes(2).toString('hex');
  const name = (short: string): string => `${short}-${run}`;
  if (own !== undefined) await theServer(own, '1.0.0');
  return {
    ...stage,
    name,
    entry: (short, more = {}, version = '1.0.0') => {
      const { docker, ...rest } = more as Fields & { readonly docker?: Fields };
      const image = `127.0.0.1:${engine.registry.port}/liminalcommons/the-server`;
      return entryOf(engine, name(short), version, { docker: { image, ...docker }, ...rest });
    },
    merge: (entries, { subject = 'Change the manifest', traceId, top = {} } = {}) =>
      stage.repository.merge({
        subject,
        files: { [manifestPath]: manifestOf(entries, { defaults: quick, ...top }) },
        ...(traceId === undefined ? {} : { traceId }),
      }),
  };
}

/** A test on a stage of its own, so that tests which mostly wait can wait together. */
export function onStage(
  play: (stage: TestStage, context: TestContext) => Promise<void>,
): (context: TestContext) => Promise<void> {
  return async (context) => {
    const stage = await openTestStage();
    try {
      await play(stage, context);
    } finally {
      await stage.close();
    }
  };
}

/** Another version of the image that all servers of these tests share. Each is pushed by one test alone, or before several. */
export async function theServer(
  engine: OpenedEngine,
  version: string,
  behaviour: TestServerBehaviour = 'ok',
  afterSeconds?: number,
): Promise<void> {
  await theServerImage(engine, version, {
    behaviour,
    ...(afterSeconds === undefined ? {} : { afterSeconds }),
  });
}

/** Waits until these servers, and no others, are ready in a revision that is in force. */
export const allReady = (
  { status }: Watching,
  revision: string,
  servers: readonly string[],
  deadlineMs = 60_000,
): Promise<HealthStatus> =>
  status.until(
    `${servers.join(', ')} ready`,
    (seen) =>
      seen.source.applied_revision === revision &&
      servers.every((name) => seen.servers.some((one) => one.name === name && isReady(one))),
    deadlineMs,
  );

/** The events of one kind, of a server if one is given. */
export async function eventsOf(watching: Watching, type: string, server?: string): Promise<LoggedEvent[]> {
  const events = await readEvents(watching.orchestrator.eventsFile);
  return events.filter(
    ({ event_type, server_name }) => event_type === type && (server === undefined || server_name === server),
  );
}

/** Waits for an event; throws with the kinds that came after `deadlineMs`. */
export async function untilEvent(
  watching: Watching,
  is: (event: LoggedEvent) => boolean,
  deadlineMs = 60_000,
): Promise<LoggedEvent> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const events = await readEvents(watching.orchestrator.eventsFile);
    const found = events.find(is);
    if (found !== undefined) return found;
    if (Date.now() > end)
      throw new Error(`not among: ${events.map(({ event_type }) => event_type).join(' ')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** An event of this server and kind, of that version if one is given. */
export const isOf =
  (server: string, type: string, version?: string) =>
  (event: LoggedEvent): boolean =>
    event.event_type === type &&
    event.server_name === server &&
    (version === undefined || event.version === version);

/** Ready, and in this version. */
export const isLive =
  (version: string) =>
  (server: ServerRecord): boolean =>
    isReady(server) && server.version === version;

/** From now on it is like this, until it is started again. One that ends at once may not get to its answer. */
export async function behave({ url }: ServerRecord, as: string): Promise<void> {
  const post = { method: 'POST', signal: AbortSignal.timeout(10_000) };
  await fetch(`${url ?? ''}/behave?as=${as}`, post).catch(() => undefined);
}
