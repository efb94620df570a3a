import type { RuntimeHint } from '../runtime.ts';
import { labels, loose, text } from './answers.ts';
import { ownerLabel, serverLabel } from './labels.ts';
import type { News } from './news.ts';

/** One event of the engine, as far as we read it. */
interface EngineEvent {
  readonly type: 'container' | 'network' | 'image';
  readonly action: string;
  /** The container it is about, also where a network is the actor. */
  readonly container: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly at: number;
  /** The same for a repeated one. */
  readonly key: string;
}

/** What the engine is asked for: the rest (exec, attach, top, ...) changes nothing we look at. */
export const eventFilters = {
  type: ['container', 'network', 'image'],
  event: [
    ...[
      'create',
      'start',
      'die',
      'oom',
      'kill',
      'stop',
      'pause',
      'unpause',
      'restart',
      'update',
      'rename',
      'destroy',
    ],
    ...['health_status', 'connect', 'disconnect', 'delete', 'untag', 'pull', 'load', 'tag', 'import'],
  ],
};

/** Signals that ask a program for something else than to end. */
const HARMLESS = new Set(['0', '1', '10', '12', '17', '18', '19', '28']);
const IMAGE_GONE = new Set(['delete', 'untag']);

/** null: not an event that we know how to read. */
export function readEvent(raw: unknown): EngineEvent | null {
  const { Type: type, Action: action, Actor, timeNano } = loose(raw);
  if (type !== 'container' && type !== 'network' && type !== 'image') return null;
  if (typeof action !== 'string' || typeof timeNano !== 'number') return null;
  const actor = text(loose(Actor)['ID']);
  const attributes = labels(loose(Actor)['Attributes']);
  const container = type === 'network' ? (attributes['container'] ?? '') : actor;
  const key = [timeNano, type, action, actor, container].join(' ');
  return { type, action, container, attributes, at: Math.floor(timeNano / 1e6), key };
}

/** Writes down what an event changes, and says what it is a hint of. */
export function takeIn(event: EngineEvent, news: News, owner: string): RuntimeHint[] {
  if (event.type === 'image') return imageHints(event, news);
  if (event.type === 'network') return networkHints(event, news);
  if (event.attributes[ownerLabel] === owner) return ourHints(event, news);
  return strangerHints(event);
}

function imageHints(event: EngineEvent, news: News): RuntimeHint[] {
  news.touchImages();
  return IMAGE_GONE.has(event.action) ? [look(null, event)] : [];
}

/** Who it is about is told by id alone; one never observed is not ours, or its own start follows. */
function networkHints(event: EngineEvent, news: News): RuntimeHint[] {
  news.heard(event.container, `network ${event.action}`);
  const server = news.serverOf(event.container);
  return server === null ? [] : [look(server, event)];
}

function ourHints(event: EngineEvent, news: News): RuntimeHint[] {
  const { container, action, at } = event;
  news.heard(container, action);
  if (action === 'die') news.ended(container);
  if (action === 'start') news.started(container);
  const byPerson = isRequestToEnd(event) && !news.isStopOurs(container);
  const asked: RuntimeHint[] = byPerson ? [{ kind: 'kill_requested', container, at }] : [];
  return [...asked, look(event.attributes[serverLabel] ?? null, event)];
}

const isRequestToEnd = ({ action, attributes }: EngineEvent): boolean =>
  action === 'stop' || (action === 'kill' && !HARMLESS.has(attributes['signal'] ?? ''));

/** A stranger matters while it bears a name like ours, or when it frees or takes a port. */
function strangerHints(event: EngineEvent): RuntimeHint[] {
  return ['start', 'die', 'rename', 'destroy'].includes(event.action) ? [look(null, event)] : [];
}

/** `health_status: healthy` is told as `health_status`. */
const look = (server: string | null, event: EngineEvent): RuntimeHint => ({
  kind: 'look',
  server,
  what: event.action.split(':')[0] ?? event.action,
});
