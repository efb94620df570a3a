import { closest } from '../suggest.ts';
import { error, warning } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { undeployable } from '../entry.ts';
import type { Draft, Entry } from '../rules.ts';

/** What `depends_on` names must exist, be able to become ready, and not come back to where it began. */
export function dependencyRules(draft: Draft): readonly Finding[] {
  return [...unknown(draft), ...hopeless(draft), ...cycles(draft.sound)];
}

function unknown({ names, sound }: Draft): readonly Finding[] {
  const known = new Set(names.filter((name) => name !== null));
  return eachDependency(sound, (path, name) => {
    if (known.has(name)) return null;
    const meant = closest(name, [...known]);
    const advice =
      meant === null ? `Add a server of that name, or remove it here.` : `Did you mean \`${meant}\`?`;
    return error(path, `no server is named \`${name}\``, advice);
  });
}

function hopeless({ sound }: Draft): readonly Finding[] {
  const entries = new Map(sound.map(({ entry }) => [entry.name, entry]));
  return eachDependency(sound, (path, name) => {
    const entry = entries.get(name);
    if (entry === undefined) return null;
    const why =
      entry.desired_state === 'stopped' ? 'is to be stopped' : undeployable(entry) && 'cannot be deployed';
    return why
      ? warning(path, `\`${name}\` ${why}: what depends on it is never promoted`, 'Remove the dependency.')
      : null;
  });
}

function eachDependency(
  sound: readonly Entry[],
  judge: (path: string, name: string) => Finding | null,
): readonly Finding[] {
  return sound.flatMap(({ path, entry }) =>
    (entry.depends_on ?? []).flatMap((name, index) => judge(`${path}.depends_on[${index}]`, name) ?? []),
  );
}

/** Each cycle is told once, at the entry that closes it. */
function cycles(sound: readonly Entry[]): readonly Finding[] {
  const graph = new Map(sound.map(({ entry }) => [entry.name, entry.depends_on ?? []]));
  const done = new Set<string>();
  return sound.flatMap(({ path, entry }) => {
    const circle = done.has(entry.name) ? null : circleFrom(entry.name, graph, done);
    if (circle === null) return [];
    return [
      error(
        `${path}.depends_on`,
        `the dependencies go in a circle: ${circle.join(' -> ')}`,
        'Remove one of them.',
      ),
    ];
  });
}

/** Depth first with a stack of our own: a chain of ten thousand servers must not end in a stack overflow. */
function circleFrom(
  start: string,
  graph: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
): string[] | null {
  const trail: string[] = [start];
  const ahead: string[][] = [[...(graph.get(start) ?? [])]];
  const onTrail = new Set(trail);
  while (trail.length > 0) {
    const next = ahead.at(-1)?.pop();
    if (next === undefined) {
      const left = trail.pop() ?? '';
      onTrail.delete(left);
      done.add(left);
      ahead.pop();
    } else if (onTrail.has(next)) {
      trail.forEach((name) => done.add(name));
      return [...trail.slice(trail.indexOf(next)), next];
    } else if (!done.has(next)) {
      trail.push(next);
      onTrail.add(next);
      ahead.push([...(graph.get(next) ?? [])]);
    }
  }
  return null;
}
