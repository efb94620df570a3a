import { readEvents } from '../journal/index.ts';
import { emptyLedger, enter, reportOf, type Figures, type Ledger, type Report } from '../plan/report.ts';
import { defineCommand } from './command.ts';
import { LeftOut } from './left-out.ts';
import { duration, flag } from './options.ts';
import { runOptions, stateOption } from './shared.ts';
import { styleOf, table, type Cell, type Style } from './table.ts';

export const report = defineCommand({
  name: 'report',
  summary: 'Tell how available servers were and how fast they came back, from the event log',
  about:
    'Reckons from the event log how available each server was, how often it fell, and how ' +
    'often it came back by itself.',
  exits: { 0: 'reckoned, be it from nothing' },
  examples: [
    'mcp-orchestration report --since 7d',
    'mcp-orchestration report --state /var/lib/mcp-orchestration --json',
  ],
  arguments: {},
  options: {
    ...stateOption,
    eventsFile: runOptions.eventsFile,
    since: duration('so far back', '30d'),
    json: flag('print the figures as JSON'),
  },
  async run({ state, eventsFile, since, json }, io) {
    const now = io.clock.now();
    const leftOut = new LeftOut();
    let ledger: Ledger = emptyLedger;
    // From the very first line: what a server is at the start of the window was said before it.
    const query = { directory: state, eventsFile: eventsFile ?? undefined, skipped: leftOut.skipped };
    for await (const event of readEvents(query))
      ledger = leftOut.over(ledger, event, () => enter(ledger, event));
    const figures = reportOf(ledger, { from: now - since * 1_000, to: now });
    io.stdout.write(
      json ? `${JSON.stringify(figures, null, 2)}\n` : reportText(figures, styleOf(io.stdout, io.env)),
    );
    if (ledger.firstAt === null) io.stderr.write(`no event in ${eventsFile ?? state}\n`);
    leftOut.tell(io);
    return 0;
  },
});

const TARGET = { availability: 0.995, recovered: 0.9 };

function reportText(figures: Report, style: Style): string {
  const rows = figures.servers.map((one) => row(one.server, one));
  const unwatched =
    figures.unwatched_seconds === 0 ? '' : `, ${length(figures.unwatched_seconds)} nobody watched`;
  return [
    `${figures.from} to ${figures.to}: watched ${length(figures.watched_seconds)}${unwatched}\n`,
    table([header, ...rows, row('all', figures.overall)], style),
    'times are median / 90 % / longest, from the fault; "itself" ended within 2 minutes and without a person\n',
  ].join('');
}

const header = ['SERVER', 'AVAILABLE', 'DOWN', 'INCIDENTS', 'DETECTED', 'RECOVERED', 'ITSELF'];

function row(name: string, figures: Figures): Cell[] {
  const { availability, recovered_by_itself_within_2_minutes: itself, open_incidents: open } = figures;
  const spread = (of: Figures['time_to_detect']): string =>
    of === null ? '-' : [of.median, of.p90, of.max].map((value) => length(value)).join(' / ');
  return [
    name,
    share(availability, TARGET.availability, 3),
    length(figures.down_seconds),
    `${figures.incidents}${open === 0 ? '' : ` (${open} open)`}`,
    spread(figures.time_to_detect),
    spread(figures.time_to_recover),
    share(itself, TARGET.recovered, 0),
  ];
}

function share(value: number | null, target: number, digits: number): Cell {
  if (value === null) return '-';
  return { text: `${(value * 100).toFixed(digits)} %`, tone: value >= target ? 'good' : 'bad' };
}

function length(seconds: number): string {
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 7_200) return `${(seconds / 60).toFixed(1)} min`;
  return seconds < 172_800 ? `${(seconds / 3_600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} d`;
}
