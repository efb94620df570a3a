import { containerRules } from './rules/container.ts';
import { dependencyRules } from './rules/dependencies.ts';
import { effectRules } from './rules/effects.ts';
import { nameRules } from './rules/names.ts';
import { timingRules } from './rules/timings.ts';
import { versionRules } from './rules/versions.ts';
import { warning } from './finding.ts';
import type { Finding } from './finding.ts';
import type { Manifest } from './schema/manifest.ts';
import type { ServerEntry } from './schema/server.ts';

/** A manifest in the making: some entries may have been found broken and are not in it. */
export interface Draft {
  /** There is a list of servers, empty or not. */
  readonly listed: boolean;
  /** Every name that is written, broken entries included. */
  readonly names: readonly (string | null)[];
  readonly sound: readonly Entry[];
  readonly manifest: Manifest;
}

export interface Entry {
  /** `servers[2]` */
  readonly path: string;
  readonly entry: ServerEntry;
}

const ofOne: readonly ((entry: Entry) => readonly Finding[])[] = [
  versionRules,
  containerRules,
  timingRules,
  effectRules,
];

/** What a schema cannot say: of one entry alone, and of all together. */
export function checkRules(draft: Draft): readonly Finding[] {
  return [
    ...emptiness(draft),
    ...nameRules(draft),
    ...dependencyRules(draft),
    ...draft.sound.flatMap((entry) => ofOne.flatMap((rules) => rules(entry))),
  ];
}

function emptiness({ names, listed }: Draft): readonly Finding[] {
  if (names.length > 0 || !listed) return [];
  const advice = 'An empty list removes nothing; write `desired_state: stopped` to stop a server.';
  return [warning('servers', 'no server is listed', advice)];
}
