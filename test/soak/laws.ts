import type { LoggedEvent } from '../../examples/stage/events.ts';
import type { ContainerNews } from './engine-news.ts';

/** What was seen of a whole history. */
export interface Past {
  readonly owner: string;
  readonly events: readonly LoggedEvent[];
  readonly news: readonly ContainerNews[];
  /** Containers that the history itself hurt, and when (Unix ms): nobody else wrote those deeds down. */
  readonly byHand: ReadonlyMap<string, number>;
  /** A container of somebody else, which nobody may touch once it is made (Unix ms). */
  readonly foreign: { readonly container: string; readonly madeAt: number };
  /** Server -> the most copies that ran at one time. */
  readonly mostRunning: ReadonlyMap<string, number>;
  /** Servers that were exclusive from their first day to their last. */
  readonly exclusive: ReadonlySet<string>;
  readonly engineRestarted: boolean;
}

/** Laws that hold at every moment; each broken one in a sentence. */
export const brokenLaws = (past: Past): string[] => [
  ...gapsInLog(past),
  ...tooManyCopies(past),
  ...foreignTouched(past),
  ...deedsWithoutIntent(past),
  ...runAgain(past),
  ...ownMistakes(past),
];

function gapsInLog({ events }: Past): string[] {
  const at = events.findIndex(({ seq }, position) => seq !== position + 1);
  return at === -1 ? [] : [`line ${at + 1} of the log has seq ${events[at]?.seq}`];
}

function tooManyCopies({ mostRunning, exclusive }: Past): string[] {
  return [...mostRunning]
    .filter(([server, most]) => most > (exclusive.has(server) ? 1 : 2))
    .map(([server, most]) => `${most} copies of ${server} ran at one time`);
}

/** An engine that restarts stops them itself, and joins nobody anywhere. */
function foreignTouched({ news, foreign, engineRestarted }: Past): string[] {
  const forbidden = engineRestarted ? /^(destroy|rename|update|exec)/ : /^(?!top|attach)/;
  return news
    .filter(({ id, action, at }) => id === foreign.container && at > foreign.madeAt && forbidden.test(action))
    .map(({ action, id }) => `somebody else's container ${id.slice(0, 12)} met ${action}`);
}

/** Clocks are one; the engine's time is cut to a millisecond, ours is taken before the line is written. */
const TOLERANCE_MS = 20;

function deedsWithoutIntent(past: Past): string[] {
  return past.news.flatMap((one) => {
    if (one.attributes['io.liminalcommons.mcp-orchestration.owner'] !== past.owner) return [];
    const intents = intentsOf(one.action);
    if (intents.length === 0 || past.byHand.has(one.id)) return [];
    const instance = one.attributes['io.liminalcommons.mcp-orchestration.instance'];
    const told = past.events.some(
      (event) =>
        intents.includes(event.event_type) &&
        event['instance'] === instance &&
        event.time_ms <= one.at + TOLERANCE_MS,
    );
    return told ? [] : [`${one.action} of ${instance} at ${one.at} came before any ${intents.join(' or ')}`];
  });
}

function intentsOf(action: string): readonly string[] {
  if (action === 'create') return ['server_starting'];
  // One that was created and could not be started is taken away under its first intent.
  if (action === 'destroy') return ['instance_removing', 'update_gate_failed'];
  return [];
}

/** Only a changed entry or a person lifts a quarantine; which entry is meant stands in the spec. */
function runAgain({ events }: Past): string[] {
  return events.flatMap((event, position) => {
    if (event.event_type !== 'version_quarantined') return [];
    const later = events.slice(position + 1);
    const again = later.findIndex(
      (one) =>
        one.event_type === 'server_starting' &&
        one.server_name === event.server_name &&
        one['spec'] === event['spec'],
    );
    if (again === -1 || later.slice(0, again).some((one) => lifts(one, event.server_name))) return [];
    return [`${event.server_name} ${event.version} was set aside (seq ${event.seq}) and begun again`];
  });
}

function lifts({ event_type, added, changed }: LoggedEvent, server: string | undefined): boolean {
  return (
    event_type === 'manifest_synced' &&
    [added, changed].some((names) => Array.isArray(names) && (names as unknown[]).includes(server))
  );
}

const ownMistakes = ({ events }: Past): string[] =>
  events
    .filter(({ event_type }) => event_type === 'internal_error')
    .map((event) => `our own mistake: ${JSON.stringify(event)}`);
