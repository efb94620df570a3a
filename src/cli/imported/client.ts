import { argumentsIn } from './arguments.ts';
import { flagsOf } from './docker-flags.ts';
import { readDockerRun } from './docker-run.ts';
import { importedAs, leftOut, type Imported } from './entry.ts';
import { fieldsOf, lost, textOf, textsOf, unplaced, type Fields } from './fields.ts';
import { renamed } from './names.ts';
import { dockerOf } from './server-json.ts';

/** `docker run` in a client's configuration; anything else would run commands of this host. */
export function fromClient(name: string, given: Fields, key: string): Imported {
  const words = wordsOf(given);
  if (typeof words === 'string') return leftOut(name, words);
  const { flags, rest, unknown } = readDockerRun(words);
  const [image, ...command] = rest;
  if (unknown !== null) return leftOut(name, `its docker flag ${unknown} is not known here`);
  if (image === undefined) return leftOut(name, 'its docker run names no image');
  const run = flagsOf(flags);
  const values = Object.entries({ ...fieldsOf(given['env']), ...fieldsOf(given['environment']) });
  const named = values.map(([variable, value]) => ({
    name: variable,
    value: textOf(value),
    isRequired: true,
  }));
  // A value in such a file is a secret more often than not: none is copied.
  const variables = [...named, ...run.variables].map((each) => ({ ...each, isSecret: true }));
  return importedAs(name, {
    ...{ image, transport: 'stdio', arguments: argumentsIn(command), variables, mounts: run.mounts },
    docker: dockerOf(run),
    more: given['disabled'] === true || given['enabled'] === false ? { desired_state: 'stopped' } : {},
    notes: [
      ...renamed(key, name),
      ...run.notes,
      ...run.ports.map((port) => `the published port ${port} is not carried over`),
      ...lost(unplaced(given, ofClient)),
    ],
  });
}

const ofClient = [
  ...['command', 'args', 'env', 'environment', 'type', 'disabled', 'enabled'],
  ...['container', 'entrypointArgs', 'mounts'],
];

/** What stands behind `docker run`; a sentence where nothing does. */
function wordsOf(given: Fields): readonly string[] | string {
  const image = textOf(given['container']);
  if (image !== undefined)
    return [
      ...textsOf(given['mounts']).flatMap((mount) => ['-v', mount]),
      image,
      ...textsOf(given['entrypointArgs']),
    ];
  if (given['url'] !== undefined || given['serverUrl'] !== undefined) return 'runs elsewhere already';
  const listed = textsOf(given['command']);
  const [program = textOf(given['command']) ?? '', ...own] = listed;
  const words = [...own, ...textsOf(given['args'])];
  if (!/(^|[/\\])docker(\.exe)?$/.test(program)) return `needs an image; "${program}" runs on the host`;
  const [first, second] = words;
  if (first === 'run') return words.slice(1);
  if (first === 'container' && second === 'run') return words.slice(2);
  return `needs an image; "docker ${first ?? ''}" is no docker run`;
}
