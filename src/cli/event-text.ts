import { ownValue } from '../lib/own-value.ts';
import { plain } from '../lib/plain.ts';
import { catalogue, type CatalogueEntry } from '../model/catalogue.ts';
import type { Event } from '../model/event.ts';
import { painted, type Style, type Tone } from './table.ts';

/** One event on one line: when, who, what, what it says, the facts that matter, and why. */
export function eventText(event: Event, style: Style): string {
  const { says, level } = catalogue[event.event_type];
  const facts = factsOf(event as unknown as Readonly<Record<string, unknown>>);
  return [
    painted({ text: event.timestamp, tone: 'quiet' }, style),
    painted({ text: (event.server_name ?? '-').padEnd(SERVER_WIDTH), tone: 'strong' }, style),
    painted({ text: event.event_type.padEnd(TYPE_WIDTH), tone: tones[level] }, style),
    plain(facts === '' ? says : `${says}: ${facts}`),
  ].join('  ');
}

const SERVER_WIDTH = 24;
const TYPE_WIDTH = 23;

const tones: { readonly [L in CatalogueEntry['level']]: Tone } = {
  debug: 'quiet',
  info: 'plain',
  warn: 'warn',
  error: 'bad',
};

/** What people look for first, in this order; `why` closes the line. */
const telling = [
  'version',
  'from_version',
  'to_version',
  'instance',
  'from',
  'to',
  'gate',
  'outcome',
  'reason',
  'error',
  'attempt',
  'strategy',
  'seconds',
  'seconds_down',
  'servers',
  'servers_failed',
  'added',
  'changed',
  'removed',
  'drift',
  'silent',
  'request',
  'revision',
  'suggested_action',
];

function factsOf(event: Readonly<Record<string, unknown>>): string {
  const details = event['details'] as { error?: unknown } | undefined;
  const named = telling
    .map((name) => [name, valueText(ownValue(event, name))] as const)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name} ${value}`);
  return [...named, valueText(details?.error), valueText(event['why'])]
    .filter((each) => each !== '')
    .join(', ');
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(wordOf).join(' ');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

const wordOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
