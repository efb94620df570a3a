import { ownValue } from '../../lib/own-value.ts';
import type { Argument } from './arguments.ts';
import { flagsOf, type Flags } from './docker-flags.ts';
import { readDockerRun } from './docker-run.ts';
import { importedAs, leftOut, type Imported } from './entry.ts';
import { fieldsOf, listOf, lost, textOf, unplaced, type Fields } from './fields.ts';
import { namesFor } from './names.ts';
import type { Variable } from './variables.ts';

const PORT = 8080;

/** An official `server.json`: of its packages the image, for nothing else is run here. */
export function fromServerJson(given: Fields): Imported {
  const name =
    namesFor([textOf(given['name'])?.split('/').at(-1) ?? ''])
      .values()
      .next().value ?? '';
  const packages = listOf(given['packages']).map(fieldsOf);
  const image = packages.find((each) => each['registryType'] === 'oci');
  if (image === undefined)
    return leftOut(
      name,
      `needs an image; it is offered as ${packages.map(kindOf).join(', ') || 'a remote server'} only`,
    );
  const run = runtimeOf(listOf(image['runtimeArguments']).map(fieldsOf));
  if (typeof run === 'string') return leftOut(name, `its docker flag ${run} is not known here`);
  const reached = transportOf(fieldsOf(image['transport']), run.ports);
  const args = listOf(image['packageArguments']).map(fieldsOf);
  return importedAs(name, {
    image: textOf(image['identifier']) ?? '',
    transport: reached.transport,
    version: textOf(image['version']) ?? textOf(given['version']),
    arguments: args.filter((each) => !isOpen(each)).map(argumentOf),
    variables: [...listOf(image['environmentVariables']).map(fieldsOf).map(variableOf), ...run.variables],
    mounts: run.mounts,
    docker: { ...reached.docker, ...dockerOf(run) },
    more: { description: textOf(given['description']), repository: fieldsOf(given['repository'])['url'] },
    notes: [...run.notes, ...reached.notes, ...notesOn(given, image)],
  });
}

/** What of the server, and of the package that was taken, found no place. */
function notesOn(given: Fields, image: Fields): readonly string[] {
  const open = listOf(image['packageArguments']).map(fieldsOf).filter(isOpen);
  const others = listOf(given['packages']).map(fieldsOf);
  const kinds = others.filter((each) => each['identifier'] !== image['identifier']).map(kindOf);
  return [
    ...open.map((each) => `the argument ${labelOf(each)} is left out: it has no value`),
    ...kinds.map((kind) => `its ${kind} package is not run here`),
    ...(listOf(given['remotes']).length > 0 ? ['its remotes are not run here'] : []),
    ...lost([...unplaced(given, ofServer), ...unplaced(image, ofPackage, 'packages.')]),
  ];
}

const kindOf = (given: Fields): string => textOf(given['registryType']) ?? 'other';

/** The keys of `docker` that flags of `docker run` say as well. */
export const dockerOf = ({ user, resources, isReadOnly }: Flags): Fields => ({
  ...{ user, resources },
  ...(isReadOnly ? { read_only_root: true } : {}),
});

const ofServer = ['$schema', 'name', 'description', 'version', 'repository', 'packages', 'remotes'];
const ofPackage = [
  ...['registryType', 'registryBaseUrl', 'identifier', 'version', 'runtimeHint', 'transport'],
  ...['runtimeArguments', 'packageArguments', 'environmentVariables'],
];

/** `runtimeArguments` are flags of `docker run`; a string names the one that is not known. */
function runtimeOf(given: readonly Fields[]): Flags | string {
  const named = given.filter((each) => each['type'] === 'named').map(runtimeWords);
  const rest = given.filter((each) => each['type'] !== 'named').flatMap((each) => filled(each) ?? []);
  const read = [...named, rest].map(readDockerRun);
  const unknown = read.find((each) => each.unknown !== null)?.unknown;
  return unknown ?? flagsOf(read.flatMap(({ flags }) => flags));
}

function runtimeWords(given: Fields): readonly string[] {
  const name = textOf(given['name']) ?? '';
  const value = filled(given);
  if (value === undefined) return [name];
  return name.startsWith('--') ? [`${name}=${value}`] : [name, value];
}

function transportOf(given: Fields, published: readonly number[]) {
  const type = textOf(given['type']);
  if (type === undefined || type === 'stdio')
    return { transport: 'stdio', docker: {}, notes: unused(published) } as const;
  const transport = type === 'sse' ? 'sse' : 'http';
  const [, port, path] =
    /^\w+:\/\/[^/:]*(?::(\d+))?(\/[^?#\s]*)?/.exec(filled({ ...given, value: given['url'] }) ?? '') ?? [];
  const [first, ...others] = published;
  const known = first ?? (port === undefined ? undefined : Number(port));
  const notes = [
    ...(known === undefined ? [`its address says no port: ${PORT} is written; see that it is right`] : []),
    ...(first !== undefined ? unused(others) : []),
    ...lost(unplaced(given, ['type', 'url', 'variables'], 'transport.')),
  ];
  return {
    transport,
    docker: { port: known ?? PORT, path: path === '/' ? undefined : path },
    notes,
  } as const;
}

const unused = (ports: readonly number[]): readonly string[] =>
  ports.map((port) => `the published port ${port} is not carried over`);

const variableOf = (given: Fields): Variable => ({
  name: textOf(given['name']) ?? '',
  value: filled(given),
  isSecret: given['isSecret'] === true,
  isRequired: given['isRequired'] === true,
});

/** A place for a value that somebody has to give; a manifest cannot ask for arguments. */
const isOpen = (given: Fields): boolean =>
  filled(given) === undefined &&
  given['isSecret'] !== true &&
  (given['type'] !== 'named' || given['valueHint'] !== undefined || given['isRequired'] === true);

const labelOf = (given: Fields): string => textOf(given['name']) ?? textOf(given['valueHint']) ?? '';

const argumentOf = (given: Fields): Argument => ({
  flag: given['type'] === 'named' ? (textOf(given['name']) ?? null) : null,
  value: filled(given),
  joined: false,
  isSecret: given['isSecret'] === true,
});

/** The value, with `{name}` replaced where the file itself says by what. */
function filled(given: Fields): string | undefined {
  const variables = fieldsOf(given['variables']);
  const text = textOf(given['value']) ?? textOf(given['default']);
  return text?.replaceAll(/\{([A-Za-z_][\w.-]*)\}/g, (template, name: string) => {
    const { value, default: fallback, isSecret } = fieldsOf(ownValue(variables, name));
    return isSecret === true ? template : (textOf(value) ?? textOf(fallback) ?? template);
  });
}
