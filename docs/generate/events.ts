import { catalogue } from '../../src/model/catalogue.ts';
import type { EventType } from '../../src/model/event.ts';
import { eventTypes, type Field } from './event-types.ts';

/** `docs/events.md`, from the catalogue (what each event says) and from the types (what it carries). */
export function eventReference(): string {
  const { shared, own } = eventTypes();
  const names = Object.keys(catalogue) as EventType[];
  return [
    INTRODUCTION,
    fieldTable(shared),
    ORDER,
    index(names),
    ...names.map((name) => section(name, own[name] ?? [])),
  ].join('\n');
}

const INTRODUCTION = `# Events

Generated from \`src/model/catalogue.ts\` and \`src/model/event.ts\`: do not edit. What happened is in
\`state/events.jsonl\`, what every check found in \`state/health.jsonl\`: one JSON object a line, UTF-8, only ever appended
to. Files that grew too long are \`events-<first seq>.jsonl\` and are never written again. The intent is on disk before a
deed, the outcome after it. No secret and no value of an environment is ever written. Recipes for reading it:
[jq-recipes.md](jq-recipes.md).

## Every event
`;

const ORDER = `The first four keys are \`event_type\`, \`trace_id\`, \`timestamp\` and \`repo\`, in this order, and pairs are written
\`"key": "value"\`: \`grep '"trace_id": "X"'\` works. A reader skips keys that it does not know and lines that it cannot
read. \`trace_id\` is that of the commit which caused the event.

## All of them
`;

function index(names: readonly EventType[]): string {
  const rows = names.map((name) => {
    const { log, level, says } = catalogue[name];
    return `| [\`${name}\`](#${name}) | ${log} | ${level} | ${cell(says)} |`;
  });
  return ['| event | log | level | says |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function section(name: EventType, fields: readonly Field[]): string {
  const { log, level, says } = catalogue[name];
  return [`## ${name}\n`, `${sentence(says)} \`${log}.jsonl\`, ${level}.\n`, fieldTable(fields)].join('\n');
}

function fieldTable(fields: readonly Field[]): string {
  const rows = fields.map(({ name, optional, type, says }) => {
    return `| \`${name}\` | \`${cell(type)}\` | ${[optional ? 'Where it applies.' : '', cell(says)].join(' ').trim()} |`;
  });
  return ['| field | type | |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const cell = (text: string): string => text.replaceAll('|', '\\|');
