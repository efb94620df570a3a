import { readManifest } from '../../manifest/read.ts';
import { toYaml } from '../../manifest/yaml.ts';
import { openArguments, type Argument } from './arguments.ts';
import type { Fields } from './fields.ts';
import { environmentOf, type Variable } from './variables.ts';
import { volumesOf, type Mount } from './volumes.ts';

/** What was made of somebody else's file: entries of a manifest, and what could not be carried over. */
export interface Imported {
  readonly entries: readonly Fields[];
  readonly notes: readonly string[];
}

/** What each form says in its own words, brought together: the manifest's own are made of it here alone. */
export interface Given {
  readonly image: string;
  readonly transport: 'http' | 'sse' | 'stdio';
  /** Of the server; an image without a tag takes it. */
  readonly version?: string | undefined;
  readonly arguments: readonly Argument[];
  readonly variables: readonly Variable[];
  readonly mounts: readonly Mount[];
  /** More keys of `docker`, as the manifest writes them. */
  readonly docker?: Fields;
  /** More keys of the entry, as the manifest writes them. */
  readonly more?: Fields;
  readonly notes: readonly string[];
}

/** One entry, and what has to be said about it. What would not validate is left out, with the reason. */
export function importedAs(name: string, given: Given): Imported {
  const { command, variables, notes } = openArguments(given.arguments);
  const { env, secrets, notes: said } = environmentOf([...given.variables, ...variables], name);
  const { volumes, notes: mounted } = volumesOf(given.mounts, name);
  const { image, version } = versioned(given);
  const entry = present({
    ...{ name, ...given.more, version, transport: given.transport },
    docker: present({ image, ...given.docker, command, volumes }),
    config: present({ env, secrets }),
  });
  const problem = problemOf(entry);
  if (problem !== null) return leftOut(name, problem);
  const stdio = given.transport === 'stdio' ? [STDIO] : [];
  return { entries: [entry], notes: toldOf(name, [...stdio, ...given.notes, ...notes, ...said, ...mounted]) };
}

export const leftOut = (name: string, why: string): Imported => ({
  entries: [],
  notes: toldOf(name, [`left out: ${why}`]),
});

export const joined = (all: readonly Imported[]): Imported => ({
  entries: all.flatMap(({ entries }) => entries),
  notes: all.flatMap(({ notes }) => notes),
});

const STDIO = 'it speaks stdio: it is listed, and not run until it can be bridged';

const toldOf = (name: string, notes: readonly string[]): readonly string[] =>
  notes.map((note) => `${name}: ${note}`);

/** A tag or digest is believed before a version; without either the image's own default is meant. */
function versioned({ image, version }: Given): { image: string; version: string | undefined } {
  if (/[:@]/.test(image.slice(image.lastIndexOf('/') + 1))) return { image, version: undefined };
  return version === undefined ? { image: `${image}:latest`, version } : { image, version };
}

/** Without what is not there or empty. */
const present = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !isNothing(value)));

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && Object.keys(Object(value) as object).length === 0);

/** The first error that the manifest's own reader has. */
function problemOf(entry: Fields): string | null {
  const content = new TextEncoder().encode(toYaml({ version: '1.1', servers: [entry] }));
  const read = readManifest({ content, file: 'import' });
  const [first] = read.ok ? [] : read.error.problems.filter(({ severity }) => severity === 'error');
  return first === undefined ? null : `${first.path.replace('servers[0].', '')}: ${first.message}`;
}
