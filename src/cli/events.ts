import { followEvents, readEvents, type EventQuery } from '../journal/index.ts';
import { toLine } from '../journal/line.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { catalogue } from '../model/catalogue.ts';
import type { Event, EventType } from '../model/event.ts';
import { defineCommand, type Option } from './command.ts';
import { eventText } from './event-text.ts';
import { LeftOut } from './left-out.ts';
import { flag, list, momentOrNone, text } from './options.ts';
import { runOptions, stateOption } from './shared.ts';
import { styleOf } from './table.ts';

export const events = defineCommand({
  name: 'events',
  summary: 'Show what happened, from the event log',
  about:
    'Reads the event log, with the files that were rotated away, and shows what happened and ' +
    'why. It needs no running orchestrator.',
  exits: { 0: 'shown, be it nothing' },
  examples: [
    'mcp-orchestration events --server mcp-server-github --since 2h',
    'mcp-orchestration events --type update_failed --type recovery_exhausted --follow',
  ],
  arguments: {},
  options: {
    ...stateOption,
    eventsFile: runOptions.eventsFile,
    server: text('name', 'only of this server'),
    trace: text('id', 'only with this trace_id'),
    type: eventTypes('only of these types (see docs/events.md)'),
    since: momentOrNone('only from this time on: 2026-11-20T12:00:00Z, or 2h ago as 2h'),
    follow: flag('go on with what is added'),
    json: flag('print the lines as they are in the log'),
  },
  async run(values, io) {
    const style = styleOf(io.stdout, io.env);
    const lineOf = (event: Event): string => (values.json ? toLine(event) : eventText(event, style));
    const leftOut = new LeftOut();
    const query = { ...queryOf(values, io.clock.now()), skipped: leftOut.skipped };
    const found = values.follow ? followEvents(query, io.clock, io.signal) : readEvents(query);
    let shown = 0;
    for await (const event of found) {
      const line = leftOut.over('', event, () => `${lineOf(event)}\n`);
      io.stdout.write(line);
      if (line !== '') shown += 1;
    }
    if (shown === 0) io.stderr.write(`no such event in ${values.eventsFile ?? values.state}\n`);
    leftOut.tell(io);
    return 0;
  },
});

interface Asked {
  readonly state: string;
  readonly eventsFile: string | null;
  readonly server: string | null;
  readonly trace: string | null;
  readonly type: readonly EventType[];
  readonly since: ((now: number) => number) | null;
}

function queryOf({ state, eventsFile, server, trace, type, since }: Asked, now: number): EventQuery {
  return {
    directory: state,
    eventsFile: eventsFile ?? undefined,
    since: since?.(now),
    filter: (event) =>
      (server === null || event.server_name === server) &&
      (trace === null || event.trace_id === trace) &&
      (type.length === 0 || type.includes(event.event_type)) &&
      // What is remembered is for ourselves, unless somebody asks for it.
      (event.event_type !== 'memory_checkpoint' || type.length > 0),
  };
}

function eventTypes(says: string): Option<readonly EventType[]> {
  return { ...list('type', says), words: Object.keys(catalogue), fallback: ok([]), read: readTypes };
}

function readTypes(texts: readonly string[]): Result<readonly EventType[], string> {
  const wrong = texts.find((each) => !Object.hasOwn(catalogue, each));
  if (wrong === undefined) return ok(texts as readonly EventType[]);
  const near = Object.keys(catalogue).filter((each) => each.includes(wrong.split('_').at(-1) ?? wrong));
  const hint = near.length === 0 ? 'see docs/events.md' : `perhaps ${near.join(', ')}`;
  return err(`must be a type of event, not "${wrong}"; ${hint}`);
}
