import type { LoggedEvent } from '../../examples/stage/events.ts';
import { lastOf } from './log.ts';
import type { Offer, ScriptEntry } from './script.ts';
import type { SeenContainer } from './sight.ts';

/** What is looked at when everything has come to rest. */
export interface End {
  readonly wanted: readonly ScriptEntry[];
  /** All that the registry has. */
  readonly offers: readonly Offer[];
  readonly containers: readonly SeenContainer[];
  readonly events: readonly LoggedEvent[];
  /** Images of the history that are on the engine's disk. */
  readonly images: readonly { readonly name: string; readonly id: string }[];
}

/** What is not as git says, or is left over; empty when all is well. Each names the server and what was seen. */
export function unfinished(end: End): string[] {
  const extra = end.containers.filter(({ server }) => !end.wanted.some((entry) => entry.server === server));
  return [
    ...extra.map(({ name }) => `${name} is in no entry`),
    ...end.wanted.flatMap((entry) => unfinishedServer(entry, end)),
    ...lostImages(end),
  ];
}

function unfinishedServer(entry: ScriptEntry, end: End): string[] {
  const { server } = entry;
  const its = end.containers.filter((one) => one.server === server);
  const running = its.filter((one) => one.running);
  if (entry.stopped) return running.map(({ name }) => `${name} runs, and git says stopped`);
  const live = running.filter(({ joined }) => joined);
  if (live.length > 1) return [`${server} has ${live.length} live instances`];
  const open = choices(entry, end);
  const best = open.at(-1);
  // Each of its versions was set aside: whatever is there was chosen because of that.
  if (best === undefined) return running.length > 1 ? [`${server} runs ${running.length} times`] : [];
  if (best.behaviour !== 'ok') return withoutChoice(entry, best, open, end);
  return [...notLive(entry, best, live[0]), ...superfluous(entry, its)];
}

/** The versions that the entry leads to and that were not set aside since it last changed, lowest first. */
function choices(entry: ScriptEntry, { offers, events }: End): Offer[] {
  const begun = events.findLastIndex(
    ({ event_type, added, changed }) =>
      event_type === 'manifest_synced' && [added, changed].some((names) => includes(names, entry.server)),
  );
  const isAside = ({ event_type, server_name }: LoggedEvent): boolean =>
    event_type === 'version_quarantined' && server_name === entry.server;
  const aside = events.slice(Math.max(begun, 0)).filter(isAside);
  // What a commit went back from is a floor: nothing below it is taken but what git names.
  const left = aside
    .filter((event) => event['gate'] === 'reverted')
    .map(({ version }) => minor(version ?? ''));
  const above = Math.max(minor(entry.version), ...left);
  return offers
    .filter(({ version }) => version === entry.version || (entry.follows && minor(version) > above))
    .filter(({ version }) => !aside.some((event) => event.version === version))
    .sort((a, b) => minor(a.version) - minor(b.version));
}

/** A version that is bad and has no alternative is recovered for ever, and the log says so. */
function withoutChoice(entry: ScriptEntry, best: Offer, open: readonly Offer[], { events }: End): string[] {
  if (open.some(({ behaviour }) => behaviour === 'ok'))
    return [`${entry.server} stays with ${best.version} (${best.behaviour}), and git allows a good one`];
  const told = lastOf(events, entry.server, 'recovery_started', 'recovery_exhausted', 'update_gate_failed');
  return told === undefined ? [`${entry.server} has only a bad version, and the log does not say so`] : [];
}

function notLive(entry: ScriptEntry, best: Offer, live: SeenContainer | undefined): string[] {
  const wanted = `${best.version} with SOAK=${entry.env}`;
  if (live === undefined) return [`${entry.server} has no live instance, ${wanted} is wanted`];
  const { VERSION: version, SOAK: env } = live.env;
  if (version === best.version && env === String(entry.env)) return [];
  return [`${entry.server} is ${version} with SOAK=${env}, ${wanted} is wanted`];
}

const superfluous = ({ server }: ScriptEntry, its: readonly SeenContainer[]): string[] =>
  its.length <= 1
    ? []
    : [`${server} has ${its.length} containers: ${its.map(({ name }) => name).join(', ')}`];

/** One that nobody wrote down to have brought here is never taken away again. */
function lostImages({ images, containers, events }: End): string[] {
  const used = new Set(containers.map(({ imageId }) => imageId));
  const brought = events
    .filter(({ event_type }) => /^image_pull/.test(event_type))
    .map((event) => event['image_digest']);
  return images
    .filter(({ id, name }) => !used.has(id) && !brought.includes(name.split('@')[1]))
    .map(({ name }) => `the image ${name} was brought here, and nobody wrote that down`);
}

const minor = (version: string): number => Number(version.split('.')[1]);
const includes = (names: unknown, name: string): boolean =>
  Array.isArray(names) && (names as unknown[]).includes(name);
