/** What was made of somebody else's file: entries of a manifest, and what could not be carried over. */
export interface Imported {
  readonly entries: readonly Fields[];
  readonly notes: readonly string[];
}

export type Fields = Readonly<Record<string, unknown>>;

const PORT = 8080;

/** An official `server.json`, a Docker MCP catalog or `server.yaml`, or a client's configuration; null: none of them. */
export function importFrom(document: unknown): Imported | null {
  const given = fieldsOf(document);
  if (Array.isArray(given['packages']) || Array.isArray(given['remotes'])) return fromServerJson(given);
  if (isFields(given['registry'])) return joined(Object.entries(given['registry']).map(fromCatalog));
  const servers = given['mcpServers'] ?? given['servers'];
  if (isFields(servers)) return joined(Object.entries(servers).map(fromClient));
  return typeof given['image'] === 'string' ? fromCatalog([String(given['name']), given]) : null;
}

const joined = (all: readonly Imported[]): Imported => ({
  entries: all.flatMap(({ entries }) => entries),
  notes: all.flatMap(({ notes }) => notes),
});

function fromServerJson(given: Fields): Imported {
  const packages = listOf(given['packages']).map(fieldsOf);
  const image = packages.find((each) => each['registryType'] === 'oci');
  const name = nameOf(String(given['name']).split('/').at(-1) ?? '');
  const kinds = packages.map((each) => String(each['registryType']));
  if (image === undefined)
    return refused(name, `needs an image; it is offered as ${kinds.join(', ') || 'a remote server'} only`);
  const { env, secrets, notes } = variablesOf(listOf(image['environmentVariables']).map(fieldsOf));
  const transport = fieldsOf(image['transport'])['type'] === 'stdio' ? 'stdio' : 'http';
  const flags = listOf(image['runtimeArguments']).map((each) =>
    String(fieldsOf(each)['name'] ?? fieldsOf(each)['value']),
  );
  const command = listOf(image['packageArguments']).flatMap((each) => wordsOf(fieldsOf(each)));
  const entry = entryOf(name, String(image['identifier']), {
    ...{ transport, env, secrets, command, description: given['description'] },
    ...{ version: given['version'], repository: fieldsOf(given['repository'])['url'] },
  });
  return told(name, entry, [
    ...notes,
    ...flags.map((each) => `the docker flag ${each} is not carried over`),
    ...(Array.isArray(given['remotes']) ? ['its remotes are not run here'] : []),
    ...(transport === 'stdio' ? [STDIO] : []),
  ]);
}

function fromCatalog([key, value]: readonly [string, unknown]): Imported {
  const given = fieldsOf(value);
  const name = nameOf(key);
  if (typeof given['image'] !== 'string') return refused(name, 'needs an image; it is a remote server');
  const run = { ...given, ...fieldsOf(given['run']) };
  const config = fieldsOf(given['config']);
  const secrets = listOf(given['secrets'] ?? config['secrets']).map((each) => String(fieldsOf(each)['env']));
  const env = Object.fromEntries(
    listOf(run['env'] ?? config['env']).map((each) => [
      String(fieldsOf(each)['name']),
      String(fieldsOf(each)['value']),
    ]),
  );
  const description = given['description'] ?? fieldsOf(given['about'])['description'];
  const entry = entryOf(name, given['image'], {
    ...{ transport: 'stdio', env, description, command: listOf(run['command']).map(String) },
    ...{ secrets: secrets.map((each) => ({ name: each, required: true })), user: run['user'] },
  });
  const lost = ['volumes', 'allowHosts', 'extraHosts', 'disableNetwork', 'oauth', 'config', 'policy'];
  return told(name, entry, [
    STDIO,
    ...lost.filter((each) => run[each] !== undefined).map((each) => `${each} is not carried over`),
    ...(given['longLived'] === false
      ? ['it is kept running, though the catalog starts it anew for each call']
      : []),
  ]);
}

/** `docker run` in a client's configuration; anything else would run commands of this host. */
function fromClient([key, value]: readonly [string, unknown]): Imported {
  const given = fieldsOf(value);
  const name = nameOf(key);
  const args = listOf(given['args']).map(String);
  if (typeof given['url'] === 'string') return refused(name, 'runs elsewhere already');
  if (!/(^|\/)docker$/.test(String(given['command'])) || args[0] !== 'run')
    return refused(name, `needs an image; "${String(given['command'])}" runs on the host`);
  const { image, command, variables, lost } = dockerRun(args.slice(1));
  if (image === undefined) return refused(name, 'its docker run names no image');
  const values = fieldsOf(given['env']);
  const names = [...new Set([...variables, ...Object.keys(values)])];
  // A value in such a file is a secret more often than not: none is copied.
  const secrets = names.map((each) => ({ name: each, required: true }));
  const entry = entryOf(name, image, { transport: 'stdio', command, secrets });
  return told(name, entry, [
    STDIO,
    ...lost.map((each) => `the docker flag ${each} is not carried over`),
    ...names.map((each) => `the value of ${each} is not copied: put it into <secrets>/${name}/${each}`),
  ]);
}

const silent: readonly string[] = [
  '-i',
  '-t',
  '-it',
  '--rm',
  '--interactive',
  '--tty',
  '--init',
  '-d',
  '--detach',
];
const alone: readonly string[] = [...silent, '--privileged'];

function dockerRun(args: readonly string[]) {
  const variables: string[] = [];
  const lost: string[] = [];
  let at = 0;
  for (; args[at]?.startsWith('-') === true; at += 1) {
    const [flag = '', joinedValue] = (args[at] ?? '').split(/=(.*)/s);
    const text = alone.includes(flag) ? '' : (joinedValue ?? args[(at += 1)] ?? '');
    if (flag === '-e' || flag === '--env') variables.push(text.split('=')[0] ?? '');
    else if (!silent.includes(flag)) lost.push(flag);
  }
  return { image: args[at], command: args.slice(at + 1), variables, lost };
}

function variablesOf(given: readonly Fields[]) {
  const secret = given.filter(
    (each) => each['isSecret'] === true || (each['value'] ?? each['default']) === undefined,
  );
  const open = given.filter((each) => !secret.includes(each));
  return {
    secrets: secret.map((each) => ({ name: String(each['name']), required: each['isRequired'] === true })),
    env: Object.fromEntries(
      open.map((each) => [String(each['name']), String(each['value'] ?? each['default'])]),
    ),
    notes: secret.map((each) => `${String(each['name'])} needs a value in <secrets>`),
  };
}

function entryOf(name: string, image: string, more: Fields): Fields {
  const { env, secrets, command, user, transport, version, description, repository } = more;
  const isTagged = /[:@][^/]*$/.test(image);
  return present({
    ...{ name, description, repository, transport },
    version: isTagged || typeof version !== 'string' ? undefined : version,
    docker: present({
      image: isTagged || typeof version === 'string' ? image : `${image}:latest`,
      port: PORT,
      command,
      user,
    }),
    config: present({ env, secrets }),
  });
}

/** Without what is not there or empty. */
const present = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) =>
        (value !== undefined && Object.keys(Object(value) as object).length > 0) || typeof value === 'number',
    ),
  );

const STDIO = 'it speaks stdio: it is listed, and not run until it can be bridged';

const refused = (name: string, why: string): Imported => ({
  entries: [],
  notes: [`${name}: left out: ${why}`],
});
const told = (name: string, entry: Fields, notes: readonly string[]): Imported => ({
  entries: [entry],
  notes: notes.map((note) => `${name}: ${note}`),
});

/** A name that a manifest takes. */
const nameOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '') || 'server';

const wordsOf = (argument: Fields): readonly string[] =>
  [argument['type'] === 'named' ? argument['name'] : undefined, argument['value'] ?? argument['default']]
    .filter((each) => each !== undefined)
    .map(String);

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
