import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventText } from '../../../src/cli/event-text.ts';
import { openJournal, readEvents } from '../../../src/journal/index.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { overLine } from '../../../src/lib/over-line.ts';
import { catalogue } from '../../../src/model/catalogue.ts';
import type { Memory } from '../../../src/model/memory.ts';
import { toStatus, type Surroundings } from '../../../src/plan/describe.ts';
import { makePlan } from '../../../src/plan/plan.ts';
import { emptyLedger, enter, reportOf } from '../../../src/plan/report.ts';
import { memoryOf } from '../../../src/plan/view.ts';
import { Recorder } from '../../../src/reconcile/recorder.ts';
import type { Random } from '../../support/random.ts';
import { sampleLog } from '../../support/sample-log.ts';
import { world } from '../../support/world.ts';
import { damaged, damagedText } from '../damage.ts';
import { brokenInText, type Field } from '../field.ts';
import { oddText, oddValue } from '../odd.ts';

const NEIGHBOUR = 'mcp-server-neighbour';
const NOW = Date.UTC(2026, 10, 21);
const style = { colour: false, width: null };

/** Lines of `events.jsonl`: read, told, remembered, decided on and shown. */
export async function logField(): Promise<Field> {
  const folder = await mkdtemp(join(tmpdir(), 'fuzz-log-'));
  const file = join(folder, 'events.jsonl');
  const lines = sampleLog().trimEnd().split('\n');
  const theirs = lines.filter((line) => line.includes('"server_name": "mcp-server-github"'));
  const neighbours = theirs.map((line) => line.replaceAll('mcp-server-github', NEIGHBOUR));
  const remembered = async (all: readonly string[]): Promise<Memory> => {
    await writeFile(file, `${all.join('\n')}\n`);
    return recall(folder);
  };
  const alone = JSON.stringify(memoryOf({ memory: await remembered([...lines, ...neighbours]) }, NEIGHBOUR));
  return {
    name: 'log',
    async attempt(random) {
      const some = lines.map((line) => (random.chance(0.3) ? damagedLine(random, line) : line));
      const memory = await remembered([...some, ...neighbours]);
      const after = JSON.stringify(memoryOf({ memory }, NEIGHBOUR));
      return [
        ...(after === alone || mayReach(some) ? [] : [`the neighbour is remembered otherwise: ${after}`]),
        ...(await brokenInTelling(folder)),
        ...brokenInPlan(memory),
      ];
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function recall(directory: string): Promise<Memory> {
  const journal = await openJournal({ directory });
  try {
    const nothing = (): void => undefined;
    const recorder = await Recorder.open({
      ...{ journal, clock: { ...systemClock, now: () => NOW }, log: silentLog, newId: () => 'id' },
      ...{ scrub: (text) => text, tell: nothing, recall: nothing, journalState: nothing },
    });
    return recorder.memory;
  } finally {
    await journal.close();
  }
}

/** What is said of all servers at once reaches the neighbour too, and a line may name it by chance. */
const mayReach = (lines: readonly string[]): boolean =>
  lines.some((line) => line.includes(NEIGHBOUR) || line.includes('memory_checkpoint'));

async function brokenInTelling(directory: string): Promise<string[]> {
  const found: string[] = [];
  let ledger = emptyLedger;
  for await (const event of readEvents({ directory })) {
    // As `events` and `report` go on: without a line that makes them stumble.
    const { state: text } = overLine('', () => eventText(event, style));
    found.push(...brokenInText(text.replaceAll('\n', ' ')));
    ledger = overLine(ledger, () => enter(ledger, event)).state;
  }
  const report = reportOf(ledger, { from: NOW - 7 * 86_400_000, to: NOW });
  const { availability } = report.overall;
  const odd = availability !== null && !(availability >= 0 && availability <= 1);
  return odd ? [...found, `an availability of ${availability}`] : found;
}

/** Decisions about servers of which such things are remembered, and the status that is made of them. */
function brokenInPlan(memory: Memory): string[] {
  const all = { ...world({ 'mcp-server-github': {}, [NEIGHBOUR]: {} }), memory };
  const { servers } = toStatus(all, makePlan(all), around);
  const text = JSON.stringify(servers);
  return servers.length === 2 && text.length < 200_000
    ? []
    : [`${servers.length} servers, ${text.length} characters`];
}

const around: Surroundings = {
  source: {
    ...{ url: 'u', branch: 'main', attempted_revision: 'r', applied_revision: 'r', state: 'synced' },
    ...{ last_successful_sync_at: null, error: null },
  },
  ...{ inHand: {}, advertise: null, progress: {} },
};

function damagedLine(random: Random, line: string): string {
  if (random.chance(0.25)) return damagedText(random, line);
  const value = JSON.parse(line) as object;
  const chance = random.next();
  if (chance < 0.7) return JSON.stringify(keepingHead(value, damaged(random, value)));
  if (chance < 0.85) return JSON.stringify({ ...value, server_name: oddText(random) });
  return JSON.stringify({
    ...value,
    event_type: random.pick(types),
    [random.pick(fields)]: oddValue(random),
  });
}

/** Mostly a line that is an event all the same: what is no event is only skipped. */
const keepingHead = (value: object, changed: unknown): unknown => {
  const { event_type, trace_id, timestamp, repo, seq, time_ms } = value as Record<string, unknown>;
  return typeof changed === 'object' && changed !== null && !Array.isArray(changed)
    ? { ...changed, event_type, trace_id, timestamp, repo, seq, time_ms }
    : changed;
};

const types = Object.keys(catalogue);
const fields = [
  'instance',
  'container_id',
  'spec',
  'version',
  'entries',
  'added',
  'commits',
  'evidence',
  'until',
  'servers',
];
