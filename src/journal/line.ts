import { ownValue } from '../lib/own-value.ts';
import { catalogue } from '../model/catalogue.ts';
import type { Event } from '../model/event.ts';

/** The wire shape of one line (contracts section 4), without its newline. Nobody else knows it. */
export function toLine(event: Event): string {
  const { head, own, tail } = inOrder(event as unknown as Record<string, unknown>);
  return spaced({ ...head, ...own, ...tail });
}

/** Reads a line leniently (spacing, CRLF, key order, unknown fields). null: a comment, somebody else's, or unreadable. */
export function fromLine(text: string): Event | null {
  const reading = readLine(text);
  return reading.kind === 'event' ? reading.event : null;
}

/** `other`: empty, a comment or another repository's line, which is nobody's fault; `unreadable`: worth counting. */
type Reading =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'other' }
  | { readonly kind: 'unreadable' };

export function readLine(text: string): Reading {
  // trim() takes a byte order mark and the CR of CRLF with it.
  const bare = text.trim();
  if (bare === '' || bare.startsWith('#')) return { kind: 'other' };
  const value = parse(bare);
  if (!isObject(value)) return { kind: 'unreadable' };
  if (value['repo'] !== 'mcp-orchestration' || value['seq'] === undefined) return { kind: 'other' };
  return isEvent(value) ? { kind: 'event', event: value } : { kind: 'unreadable' };
}

const first = ['event_type', 'trace_id', 'timestamp', 'repo', 'seq', 'time_ms', 'server_name'];
const last = ['version', 'image_digest', 'revision', 'rollout_id', 'incident_id', 'attempt', 'why'];

function inOrder(event: Record<string, unknown>) {
  const known = [...first, ...last];
  return {
    head: pick(event, first),
    own: pick(
      event,
      Object.keys(event).filter((key) => !known.includes(key)),
    ),
    tail: pick(event, last),
  };
}

const pick = (event: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    keys.filter((key) => ownValue(event, key) !== undefined).map((key) => [key, ownValue(event, key)]),
  );

/** `{"key": "value", ...}`: inside strings JSON escapes every newline, so those of the indentation are the only ones. */
function spaced(value: Record<string, unknown>): string {
  return JSON.stringify(value, null, 1).replace(/,\n */g, ', ').replace(/\n */g, '');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An event of a newer program than this one is not an event here: its type is unknown. */
function isEvent(value: Record<string, unknown>): value is Event & Record<string, unknown> {
  const { event_type: type, seq, server_name: server } = value;
  return (
    typeof type === 'string' &&
    Object.hasOwn(catalogue, type) &&
    typeof value['trace_id'] === 'string' &&
    typeof value['timestamp'] === 'string' &&
    Number.isSafeInteger(value['time_ms']) &&
    Number.isSafeInteger(seq) &&
    (seq as number) > 0 &&
    (server === undefined || typeof server === 'string') &&
    LISTS.every((name) => isAbsent(value, name) || Array.isArray(ownValue(value, name))) &&
    RECORDS.every((name) => isAbsent(value, name) || isObject(ownValue(value, name))) &&
    (type !== 'memory_checkpoint' || value['memory'] !== undefined)
  );
}

const isAbsent = (value: Record<string, unknown>, name: string): boolean =>
  ownValue(value, name) === undefined;

/** What is walked through by whoever reads events: of another type, a line is not ours, whoever wrote it. */
const LISTS = [
  ...['added', 'changed', 'removed', 'allow_removal', 'unpruned', 'commits'],
  ...['servers_failed', 'silent', 'drift'],
];
const RECORDS = ['entries', 'memory', 'evidence'];
