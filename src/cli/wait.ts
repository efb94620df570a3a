import { followEvents } from '../journal/index.ts';
import { fromLine } from '../journal/line.ts';
import type { Event } from '../model/event.ts';
import { Failure } from '../model/failure.ts';
import { isHeld } from '../state/index.ts';
import { defineCommand, type Io } from './command.ts';
import { LeftOut } from './left-out.ts';
import { duration, flag, revision } from './options.ts';
import { settlingOf, type Settling } from './settling.ts';
import { runOptions, stateOption } from './shared.ts';
import { ask, clientOptions, refusalOf, type Client } from './status-client.ts';
import { painted, styleOf, table, type Cell } from './table.ts';

export const wait = defineCommand({
  name: 'wait',
  summary: 'Wait until the running orchestrator has settled a revision or a descendant of it',
  about:
    'Follows the running orchestrator, by its status endpoint and by its event log, until a ' +
    'revision is settled or a descendant of it. For pipelines that go on once a merge is ' +
    'deployed. Says so where no orchestrator runs (--json: "orchestrator_runs").',
  exits: { 0: 'applied', 1: 'partial, superseded or refused', 4: 'not settled in time' },
  examples: [
    'mcp-orchestration wait --revision "$(git rev-parse HEAD)"',
    'mcp-orchestration wait --revision 3f2a91c --timeout 20m --json',
  ],
  arguments: {},
  options: {
    revision: revision('the git commit (7 digits at least)'),
    timeout: duration('give up after this time', '10m'),
    json: flag('print the outcome as JSON'),
    ...clientOptions,
    ...stateOption,
    eventsFile: runOptions.eventsFile,
  },
  async run(asked, io) {
    const leftOut = new LeftOut();
    const { settling, answers } = await settle(asked, io, leftOut);
    const runs = answers || (await isHeld(asked.state, io.clock));
    const json = { asked: asked.revision, ...settling, orchestrator_runs: runs };
    const says = settlingText(settling, asked, io) + (runs ? '' : nobodyRuns(asked));
    io.stdout.write(asked.json ? `${JSON.stringify(json)}\n` : says);
    leftOut.tell(io);
    return exitCodes[settling.state];
  },
});

const exitCodes: { readonly [S in Settling['state']]: number } = {
  applied: 0,
  partial: 1,
  superseded: 1,
  refused: 1,
  unknown: 4,
  'under way': 4,
};

const LOOK_EVERY_MS = 500;

interface Asked extends Client {
  readonly revision: string;
  readonly timeout: number;
  readonly state: string;
  readonly eventsFile: string | null;
}

/** Both the endpoint and the log are looked at: the log reaches back before the present start, and may be elsewhere. */
async function settle(asked: Asked, io: Io, leftOut: LeftOut): Promise<Found> {
  const giveUp = io.clock.deadline(asked.timeout * 1000, io.signal);
  const stop = new AbortController();
  const written: Event[] = [];
  const reading = follow(asked, io, { written, signal: stop.signal, leftOut });
  try {
    return await Promise.race([untilSettled(asked, io, { written, signal: giveUp, leftOut }), reading]);
  } finally {
    stop.abort();
  }
}

interface Found {
  readonly settling: Settling;
  /** Whether somebody did at the endpoint, when it was last asked. */
  readonly answers: boolean;
}

interface Looking {
  /** What the log is known to say, oldest first. */
  readonly written: Event[];
  readonly signal: AbortSignal;
  readonly leftOut: LeftOut;
}

async function untilSettled(asked: Asked, io: Io, looking: Looking): Promise<Found> {
  const { written, signal, leftOut } = looking;
  let troubled = '';
  const descent: Descent = { later: new Set(), judged: new Set() };
  for (;;) {
    const { events, trouble, answers } = await fromEndpoint(asked, io);
    const told = (): Settling =>
      [events, written]
        .map((each) => settlingOf(asked.revision, each, descent.later, leftOut))
        .reduce(furthest);
    if (told().state === 'unknown')
      await askGit(
        [...written, ...events].filter((each) => !leftOut.has(each)),
        asked,
        io,
        descent,
      );
    const settling = told();
    if (isFinal(settling) || signal.aborted) return { settling, answers };
    const worth = settling.state === 'unknown' ? trouble : null;
    if (worth !== null && worth !== troubled) io.stderr.write(`${(troubled = worth)}; still waiting\n`);
    await io.clock.sleep(LOOK_EVERY_MS, signal);
  }
}

/** What git said of revisions in force: events name no more than a hundred commits each, and after a new start one. */
interface Descent {
  readonly later: Set<string>;
  readonly judged: Set<string>;
}

/** Only of the newest: what is in force now is what has to be settled. */
async function askGit(
  events: readonly Event[],
  { revision: from, state }: Asked,
  io: Io,
  { later, judged }: Descent,
): Promise<void> {
  const synced = events.filter((event) => event.event_type === 'manifest_synced');
  const [newest] = synced.sort((one, other) => other.time_ms - one.time_ms);
  if (newest === undefined || judged.has(newest.revision)) return;
  judged.add(newest.revision);
  const { revision: to, source } = newest;
  try {
    const { descends } = await import('../app/descent.ts');
    if (await descends({ from, to, source, state }, io)) later.add(to);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    io.stderr.write(`whether ${to} descends from it cannot be told: ${error.message}; still waiting\n`);
  }
}

/** Never resolves before it is stopped; rejects when the log cannot be read. */
async function follow(asked: Asked, io: Io, { written, signal }: Looking): Promise<never> {
  const { state: directory, eventsFile } = asked;
  const filter = ({ event_type: type }: Event): boolean => aboutRevisions.includes(type);
  const query = { directory, eventsFile: eventsFile ?? undefined, filter };
  for await (const event of followEvents(query, io.clock, signal)) written.push(event);
  return new Promise<never>(() => undefined);
}

const isFinal = ({ state }: Settling): boolean => state !== 'unknown' && state !== 'under way';

const furthest = (one: Settling, other: Settling): Settling =>
  isFinal(one) || (other.state === 'unknown' && one.state !== 'unknown') ? one : other;

interface Told {
  readonly events: readonly Event[];
  readonly trouble: string | null;
  readonly answers: boolean;
}

/** What the endpoint tells, oldest first, or why it tells nothing. */
async function fromEndpoint(asked: Asked, io: Io): Promise<Told> {
  const got = await ask(asked, '/revisions', io);
  if (!got.ok) return { events: [], trouble: got.error, answers: false };
  if (got.value.code !== 200) return { events: [], trouble: refusalOf(got.value), answers: true };
  const { events } = got.value.body as { readonly events: readonly object[] };
  const readable = events.flatMap((each) => fromLine(JSON.stringify(each)) ?? []);
  return { events: readable.toReversed(), trouble: null, answers: true };
}

const aboutRevisions: readonly string[] = ['manifest_synced', 'registry_read_failed', 'revision_settled'];

const nobodyRuns = ({ url, state }: Asked): string =>
  `no orchestrator runs: none answers at ${url}, and none holds the state folder ${state}\n`;

function settlingText(settling: Settling, { revision: sha, timeout }: Asked, io: Io): string {
  const style = styleOf(io.stdout, io.env);
  if (settling.state === 'unknown') return `${sha} has not been met within ${timeout} s\n`;
  if (settling.state === 'under way') return `${sha} is still under way after ${timeout} s\n`;
  if (settling.state === 'refused')
    return `${painted({ text: 'refused', tone: 'bad' }, style)}: ${settling.error}\n`;
  const { state, revision: settled, seconds, servers, failed } = settling;
  const tone = state === 'applied' ? 'good' : 'warn';
  const rows = servers.map((name): Cell[] => [
    name,
    failed.includes(name) ? { text: 'not as desired', tone: 'bad' } : { text: 'as desired', tone: 'good' },
  ]);
  const head = `${painted({ text: state, tone }, style)}: ${settled} after ${seconds} s\n`;
  return head + (state === 'superseded' ? '' : table(rows, style));
}
