import { error } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { namespaceOf } from '../entry.ts';
import type { Draft, Entry } from '../rules.ts';

/** Names, namespaces and fixed ports belong to one server each. */
export function nameRules({ names, sound }: Draft): readonly Finding[] {
  return [
    ...repeatedNames(names),
    ...repeated(sound, 'namespace', namespaceOf),
    ...repeated(sound, 'docker.host_port', ({ docker }) => docker?.host_port || null),
    ...borrowed(sound),
  ];
}

/** Of broken entries too: whoever mends them is told at once. */
function repeatedNames(names: Draft['names']): readonly Finding[] {
  return names.flatMap((name, at) => {
    const first = names.indexOf(name);
    if (name === null || first === at) return [];
    const message = `the name \`${name}\` is taken by servers[${first}]`;
    return [error(`servers[${at}].name`, message, 'Write another one.')];
  });
}

function repeated(
  sound: readonly Entry[],
  key: string,
  valueOf: (entry: Entry['entry']) => string | number | null,
): readonly Finding[] {
  const first = new Map<string | number, Entry>();
  return sound.flatMap((one) => {
    const value = valueOf(one.entry);
    const other = value === null ? undefined : first.get(value);
    if (value !== null && other === undefined) first.set(value, one);
    if (value === null || other === undefined) return [];
    const message = `the ${key} \`${value}\` is taken by ${other.path} (${other.entry.name})`;
    return [error(`${one.path}.${key}`, message, 'Write another one.')];
  });
}

/** `/servers/{id}` takes a name or a namespace: one word must not mean two servers. */
function borrowed(sound: readonly Entry[]): readonly Finding[] {
  const owners = new Map(sound.map((one) => [one.entry.name, one]));
  return sound.flatMap((one) => {
    const owner = owners.get(namespaceOf(one.entry));
    if (owner === undefined || owner.entry.name === one.entry.name) return [];
    const message = `the namespace \`${namespaceOf(one.entry)}\` is the name of ${owner.path}`;
    return [error(`${one.path}.namespace`, message, 'Write another namespace.')];
  });
}
