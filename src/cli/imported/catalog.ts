import { argumentsIn } from './arguments.ts';
import { importedAs, leftOut, type Given, type Imported } from './entry.ts';
import { fieldsOf, isFields, listOf, lost, textOf, textsOf, unplaced, type Fields } from './fields.ts';
import { renamed } from './names.ts';
import { holdsTemplate } from './secrecy.ts';
import type { Variable } from './variables.ts';
import { mountOf } from './volumes.ts';

/** One server of a Docker MCP catalog, or the `server.yaml` of Docker's registry. */
export function fromCatalog(name: string, given: Fields, key: string): Imported {
  const image = textOf(given['image']);
  if (image === undefined) return leftOut(name, `needs an image; it is a ${kindOf(given)}`);
  const run = { ...given, ...fieldsOf(given['run']) };
  const secrets = secretsOf(given);
  const named = secrets.filter((each) => each.name !== '');
  return importedAs(name, {
    ...{ image, transport: 'stdio' },
    arguments: argumentsIn(textsOf(run['command'])),
    variables: [...named, ...variablesOf(given, run)],
    mounts: textsOf(run['volumes']).map(mountOf),
    docker: { user: userOf(run) },
    more: aboutOf(given),
    notes: [
      ...renamed(key, name),
      ...secrets.filter((each) => each.name === '').map(nameless),
      ...(run['longLived'] === false ? [KEPT] : []),
      ...lost(unplacedIn(given, run)),
    ],
  });
}

const kindOf = ({ type }: Fields): string =>
  type === undefined || type === 'remote' ? 'remote server' : `"${textOf(type) ?? ''}"`;

const nameless = ({ value }: Variable): string =>
  `the secret ${value ?? ''} is left out: it names no variable`;

const KEPT = 'it is kept running, though the catalog starts it anew for each call';

/** A secret without a variable has the name '' and keeps its own as the value. */
function secretsOf(given: Fields): readonly Variable[] {
  return listOf(given['secrets'] ?? fieldsOf(given['config'])['secrets'])
    .map(fieldsOf)
    .map((each) => {
      const env = textOf(each['env']);
      const isRequired = each['required'] !== false;
      return env === undefined
        ? { name: '', value: textOf(each['name']), isSecret: true, isRequired }
        : { name: env, value: undefined, isSecret: true, isRequired };
    });
}

const variablesOf = (given: Fields, run: Fields): readonly Variable[] =>
  listOf(run['env'] ?? fieldsOf(given['config'])['env'])
    .map(fieldsOf)
    .map((each) => ({
      name: textOf(each['name']) ?? '',
      value: textOf(each['value']),
      isSecret: false,
      isRequired: false,
    }));

const userOf = ({ user }: Fields): string | undefined => {
  const text = textOf(user);
  return text === undefined || holdsTemplate(text) ? undefined : text;
};

/** Who it is, for people. */
function aboutOf(given: Fields): NonNullable<Given['more']> {
  const about = fieldsOf(given['about']);
  const meta = { ...fieldsOf(given['meta']), ...fieldsOf(given['metadata']) };
  const category = textOf(meta['category']);
  return {
    description: textOf(given['description']) ?? textOf(about['description']),
    repository: textOf(fieldsOf(given['source'])['project']),
    maintainers: [textOf(meta['owner'])].filter((owner) => owner !== undefined),
    tags: [...new Set([...textsOf(meta['tags']), ...(category === undefined ? [] : [category])])],
    tools: listOf(given['tools']).flatMap(toolOf),
  };
}

function toolOf(tool: unknown): readonly Fields[] {
  const name = isFields(tool) ? textOf(tool['name']) : textOf(tool);
  const description = textOf(fieldsOf(tool)['description']);
  return name === undefined ? [] : [{ name, ...(description === undefined ? {} : { description }) }];
}

function unplacedIn(given: Fields, run: Fields): readonly string[] {
  const { config, about, source, metadata, meta } = given;
  return [
    ...unplaced(given, ofServer),
    ...unplaced(fieldsOf(given['run']), ofRun, 'run.'),
    ...(Array.isArray(config)
      ? ['config']
      : unplaced(fieldsOf(config), ['secrets', 'env', 'description'], 'config.')),
    ...unplaced(fieldsOf(about), ['description'], 'about.'),
    ...unplaced(fieldsOf(source), ['project'], 'source.'),
    ...[metadata, meta].flatMap((each) =>
      unplaced(fieldsOf(each), ['category', 'tags', 'owner'], 'metadata.'),
    ),
    ...(run['user'] !== undefined && userOf(run) === undefined ? ['user'] : []),
  ];
}

const ofRun = ['command', 'volumes', 'env', 'user', 'longLived'];
const ofServer = [
  ...ofRun,
  ...[
    'name',
    'type',
    'image',
    'description',
    'secrets',
    'tools',
    'run',
    'config',
    'about',
    'source',
    'metadata',
    'meta',
  ],
];
