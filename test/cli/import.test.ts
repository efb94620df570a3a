import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { defaultPolicy, trusting } from '../../src/manifest/policy.ts';
import { validateManifest } from '../../src/manifest/validate.ts';
import { parseYaml } from '../../src/manifest/yaml.ts';
import { terminal } from './terminal.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function type(...line: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = { ...terminal(), version: '0' };
  const code = await runProgram(commands, line, io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

interface Made {
  readonly code: number;
  readonly out: string;
  readonly notes: readonly string[];
  readonly servers: readonly Record<string, unknown>[];
}

/** What `import` makes of a document; whatever it makes has to validate. */
async function imported(document: unknown): Promise<Made> {
  const file = join(folder, 'given');
  await writeFile(file, typeof document === 'string' ? document : JSON.stringify(document));
  const { code, out, err } = await type('import', file);
  const notes = err.split('\n').slice(0, -1);
  if (out === '') return { code, out, notes, servers: [] };
  const content = new TextEncoder().encode(out);
  const { problems } = validateManifest(
    { content, file: 'made.yaml' },
    trusting(defaultPolicy, ['*/*', '*/*/*']),
  );
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const read = parseYaml(out, 'made.yaml');
  const value = read.ok ? (read.value.value as { servers: Record<string, unknown>[] }) : { servers: [] };
  return { code, out, notes, servers: value.servers };
}

/** The one server of a client's configuration that starts it so. */
const fromDocker = (args: readonly string[], more: object = {}): Promise<Made> =>
  imported({ mcpServers: { fs: { command: 'docker', args: ['run', ...args], ...more } } });

const STDIO = 'fs: it speaks stdio: it is listed, and not run until it can be bridged';

describe('import of a docker run', () => {
  it.each([
    [
      ['-i', '--rm', '--read-only', 'mcp/fs:1.0.0', '/data'],
      { image: 'mcp/fs:1.0.0', command: ['/data'], read_only_root: true },
    ],
    [['-ti', 'mcp/fs:1.0.0'], { image: 'mcp/fs:1.0.0' }],
    [['-it', '--rm=true', '--read-only=false', 'mcp/fs'], { image: 'mcp/fs:latest' }],
    [
      ['-iu', '1000:1000', '-m512m', '--cpus=0.5', '--pids-limit', '64', 'mcp/fs:1'],
      { image: 'mcp/fs:1', user: '1000:1000', resources: { cpus: 0.5, memory: '512m', pids: 64 } },
    ],
    [
      ['--sig-proxy', '--init', '--', 'mcp/fs:1', '-x', '--read-only'],
      { image: 'mcp/fs:1', command: ['-x', '--read-only'] },
    ],
    [
      ['-v', 'notes:/notes:ro', '--mount', 'type=volume,src=data,dst=/data', '-v/cache', 'mcp/fs:1'],
      {
        image: 'mcp/fs:1',
        volumes: [
          { source: 'notes', target: '/notes', read_only: true },
          { source: 'data', target: '/data' },
          { source: 'cache', target: '/cache' },
        ],
      },
    ],
  ])('%j', async (args, docker) => {
    expect((await fromDocker(args)).servers[0]?.['docker']).toEqual(docker);
  });

  it('tells of each flag that has no place, and carries the rest', async () => {
    const { notes } = await fromDocker([
      '--name',
      'x',
      '-p',
      '80:81',
      '--env-file',
      'f',
      '--network',
      'web',
      '-w',
      '/',
      'mcp/fs:1',
    ]);
    expect(notes).toEqual([
      STDIO,
      ...['name', 'env-file', 'network', 'workdir'].map(
        (name) => `fs: the docker flag --${name} is not carried over`,
      ),
      'fs: the published port 81 is not carried over',
    ]);
  });

  it('says loudly what no server is given', async () => {
    const { notes, out } = await fromDocker([
      ...[
        '--privileged',
        '--network',
        'host',
        '--cap-add=SYS_ADMIN',
        '--pid=host',
        '--security-opt',
        'no-new-privileges',
      ],
      ...['-v', '/var/run/docker.sock:/var/run/docker.sock', '--privileged=false', 'mcp/fs:1'],
    ]);
    const refused = notes.filter((note) => note.startsWith('fs: REFUSED: '));
    expect(refused.map((note) => note.split(': ')[2])).toEqual([
      ...['--privileged', '--network host', '--cap-add SYS_ADMIN', '--pid host'],
      '/var/run/docker.sock at /var/run/docker.sock',
    ]);
    expect([notes.length, out]).toEqual([6, expect.not.stringContaining('sock')]);
  });

  it('leaves out a server whose flags it does not know: the next word may be the image or not', async () => {
    const { code, notes } = await fromDocker(['--new-flag', 'a', 'mcp/fs']);
    expect([code, notes]).toEqual([1, ['fs: left out: its docker flag --new-flag is not known here']]);
  });

  it.each([
    ['-v', '/srv/notes:/notes', 'a folder of the host has to be allowed by the policy (allow_host_paths)'],
    ['-v', '${workspaceFolder}:/notes', "another program's settings fill in"],
    ['--mount', 'type=bind,src=/srv,dst=/srv', 'a folder of the host'],
    ['-v', 'a:b/../c', 'a volume needs an absolute path'],
    ['--mount', 'type=tmpfs,dst=/tmp', 'the docker flag --mount is not carried over'],
  ])('cannot mount with %s %s, and says so', async (flag, text, sentence) => {
    const { servers, notes } = await fromDocker([flag, text, 'mcp/fs:1']);
    expect(servers[0]?.['docker']).toEqual({ image: 'mcp/fs:1' });
    expect(notes[1]).toContain(sentence);
  });

  it('copies no value of the environment, and no secret among the arguments', async () => {
    const made = await fromDocker(
      [
        ...['-e', 'TOKEN', '--env=MODE=hunter2', '-eA-B=1', 'mcp/fs:1', 'serve', '--api-key=hunter2'],
        ...[
          '--password',
          'hunter2',
          '--dsn',
          'postgres://me:hunter2@db/x',
          'https://me:hunter2@x',
          'DB_PASSWORD=hunter2',
        ],
        ...['--header', 'Authorization: Bearer hunter2', '--root', '${workspaceFolder}', '--verbose'],
      ],
      { env: { TOKEN: 'hunter2', PORT: 1 } },
    );
    expect(`${made.out}${made.notes.join()}`).not.toContain('hunter2');
    const secrets = [
      'TOKEN',
      'PORT',
      'MODE',
      'API_KEY',
      'PASSWORD',
      'DSN',
      'ARGUMENT_5',
      'DB_PASSWORD',
      'HEADER',
    ];
    expect(made.servers[0]?.['docker']).toEqual({ image: 'mcp/fs:1', command: ['serve', '--verbose'] });
    expect(made.servers[0]?.['config']).toEqual({
      secrets: secrets.map((name) => ({ name, required: true })),
    });
    expect(made.notes).toEqual(
      expect.arrayContaining([
        'fs: A-B is left out: no variable can be named so',
        'fs: the value of TOKEN is not copied: put it into <secrets>/fs/TOKEN',
        'fs: the argument --api-key is left out, for it holds a secret: it is the variable API_KEY now; see that the server reads it',
        "fs: the argument --root is left out: another program's settings fill it in; write it under docker.command",
      ]),
    );
  });
});

describe('import of a client configuration', () => {
  const run = { command: 'docker', args: ['run', 'mcp/a:1'] };

  it.each([
    ['VS Code', { servers: { a: { type: 'stdio', ...run } }, inputs: [] }],
    ['VS Code settings', { mcp: { servers: { a: run } } }],
    ['Zed', { context_servers: { a: run } }],
    [
      'opencode',
      { mcp: { a: { type: 'local', command: ['/usr/bin/docker', 'container', 'run', 'mcp/a:1'] } } },
    ],
    ['gh-aw', { mcpServers: { a: { container: 'mcp/a:1' } } }],
  ])('%s', async (_client, document) => {
    expect((await imported(document)).servers).toEqual([
      { name: 'a', transport: 'stdio', docker: { image: 'mcp/a:1' } },
    ]);
  });

  it('takes mounts and arguments of a container, and stops what was switched off', async () => {
    const a = {
      container: 'mcp/a:1',
      entrypoint: 'x',
      entrypointArgs: ['y'],
      mounts: ['d:/d:ro'],
      disabled: true,
    };
    const { servers, notes } = await imported({ mcpServers: { a } });
    expect(servers[0]).toMatchObject({
      desired_state: 'stopped',
      docker: { command: ['y'], volumes: [{ source: 'd', target: '/d', read_only: true }] },
    });
    expect(notes).toContain('a: not carried over: entrypoint');
  });

  it('gives each server a name of its own', async () => {
    const { servers, notes } = await imported({
      mcpServers: { 'fetch-2': run, fetch_2: run, 'mcp-server-x': run, x: run },
    });
    expect(servers.map(({ name }) => name)).toEqual(['fetch-2', 'fetch-2-2', 'mcp-server-x', 'x-2']);
    expect(notes).toContain('fetch-2-2: it was fetch_2: another server has that name');
  });

  it('says why a server is left out', async () => {
    const { code, notes } = await imported({
      mcpServers: {
        time: { command: 'uvx', args: ['mcp-server-time'] },
        far: { url: 'https://x.example/mcp' },
        none: { command: 'docker', args: ['run', '-i'] },
        gateway: { command: 'docker', args: ['mcp', 'gateway', 'run'] },
        odd: { command: 'docker', args: ['run', 'MCP/Odd'] },
      },
    });
    expect([code, notes]).toEqual([
      1,
      [
        'time: left out: needs an image; "uvx" runs on the host',
        'far: left out: runs elsewhere already',
        'none: left out: its docker run names no image',
        'gateway: left out: needs an image; "docker mcp" is no docker run',
        expect.stringContaining('odd: left out: docker.image: '),
      ],
    ]);
  });
});

describe('import of a server.json', () => {
  const weather = (oci: object, more: object = {}): object => ({
    name: 'io.github.acme/Weather',
    description: 'Weather',
    version: '1.2.0',
    packages: [{ registryType: 'oci', identifier: 'docker.io/acme/weather:1.2.0', ...oci }],
    ...more,
  });

  it('takes all that a manifest has a word for, and names the rest', async () => {
    const { servers, notes } = await imported(
      weather(
        {
          transport: {
            type: 'streamable-http',
            url: 'http://localhost:{port}/v1/mcp',
            variables: { port: { default: '3000' } },
            headers: [],
          },
          environmentVariables: [
            { name: 'KEY', isSecret: true, isRequired: true },
            { name: 'LEVEL', default: 'info' },
            { name: 'TENANT', value: '{tenant}' },
            { name: 'API_TOKEN', value: 'hunter2' },
          ],
          packageArguments: [
            { type: 'named', name: '--port', value: '3000' },
            { type: 'named', name: '--verbose' },
            { type: 'named', name: '--region', valueHint: 'region' },
            { type: 'named', name: '--pin', isSecret: true },
            { type: 'positional', value: 'x' },
            { type: 'positional', valueHint: 'directory' },
          ],
          runtimeArguments: [
            { type: 'named', name: '--network', value: 'host' },
            { type: 'named', name: '-v', value: 'data:/data' },
            { type: 'named', name: '--mount', value: 'type=bind,src={dir},dst=/dir' },
            { type: 'named', name: '-e', value: 'MODE=fast' },
            { type: 'positional', value: '--read-only' },
          ],
        },
        {
          title: 'W',
          websiteUrl: 'https://w.example',
          icons: [],
          _meta: {},
          remotes: [{ type: 'sse', url: 'https://x.example' }],
          repository: { url: 'https://github.com/acme/weather', source: 'github' },
        },
      ),
    );
    expect(servers).toEqual([
      {
        name: 'weather',
        description: 'Weather',
        repository: 'https://github.com/acme/weather',
        transport: 'http',
        docker: {
          image: 'docker.io/acme/weather:1.2.0',
          port: 3000,
          path: '/v1/mcp',
          read_only_root: true,
          command: ['--port', '3000', '--verbose', 'x'],
          volumes: [{ source: 'data', target: '/data' }],
        },
        config: {
          env: { LEVEL: 'info', MODE: 'fast' },
          secrets: [
            { name: 'KEY', required: true },
            { name: 'API_TOKEN', required: false },
            { name: 'PIN', required: true },
          ],
        },
      },
    ]);
    expect(notes).toEqual([
      'weather: REFUSED: --network host: it gives power over the host, which no policy allows; it will run without',
      'weather: not carried over: transport.headers',
      'weather: the argument --region is left out: it has no value',
      'weather: the argument directory is left out: it has no value',
      'weather: its remotes are not run here',
      'weather: not carried over: title, websiteUrl, icons, _meta',
      'weather: the argument --pin is left out, for it holds a secret: it is the variable PIN now; see that the server reads it',
      'weather: KEY needs a value: put it into <secrets>/weather/KEY',
      'weather: the value of API_TOKEN is not copied: put it into <secrets>/weather/API_TOKEN',
      'weather: PIN needs a value: put it into <secrets>/weather/PIN',
      "weather: TENANT is left out: another program's settings fill it in; write its value under config.env",
      "weather: a volume is left out: another program's settings fill in {dir} at /dir; write it under docker.volumes",
      'weather: the volume data is weather_data here, and empty at first',
    ]);
  });

  it('keeps sse, and takes the port that is published', async () => {
    const transport = { type: 'sse', url: 'http://localhost:8080/sse' };
    const runtimeArguments = [{ type: 'named', name: '-p', value: '8080:3000' }];
    const { servers } = await imported(weather({ transport, runtimeArguments }));
    expect(servers[0]).toMatchObject({ transport: 'sse', docker: { port: 3000, path: '/sse' } });
  });

  it('says that a port was not said', async () => {
    const { servers, notes } = await imported(
      weather({ transport: { type: 'streamable-http', url: 'http://localhost/mcp' } }),
    );
    expect(servers[0]).toMatchObject({ transport: 'http', docker: { port: 8080, path: '/mcp' } });
    expect(notes).toEqual(['weather: its address says no port: 8080 is written; see that it is right']);
  });

  it('takes the version for an image without a tag, and names packages of another kind', async () => {
    const document = weather({ identifier: 'acme/weather', transport: { type: 'stdio' } });
    const { packages } = document as { packages: object[] };
    const { servers, notes } = await imported({
      server: { ...document, packages: [...packages, { registryType: 'npm' }] },
      _meta: {},
    });
    expect(servers[0]).toMatchObject({
      version: '1.2.0',
      transport: 'stdio',
      docker: { image: 'acme/weather' },
    });
    expect(notes).toContain('weather: its npm package is not run here');
  });

  it('refuses a docker flag that it does not know', async () => {
    const { notes } = await imported(
      weather({ runtimeArguments: [{ type: 'named', name: '--new', value: 'x' }] }),
    );
    expect(notes).toEqual(['weather: left out: its docker flag --new is not known here']);
  });
});

describe('import of a Docker MCP catalog', () => {
  it('takes all that a manifest has a word for, and names the rest', async () => {
    const { servers, notes } = await imported(`
registry:
  fetch:
    image: mcp/fetch
    title: Fetch
    description: Fetches
    icon: https://x.example/icon.png
    type: server
    command: [--once, "--paths={{fetch.paths}}", --api-key=hunter2]
    volumes: ["cache:/cache", "{{fetch.paths|volume|into}}", "/srv:/srv"]
    user: "{{fetch.user}}"
    longLived: false
    allowHosts: ["x.example:443"]
    disableNetwork: true
    prefix: f
    sseEndpoint: http://x.example/sse
    tools: [{ name: fetch, description: Gets it, arguments: [] }, { name: look }]
    env: [{ name: LEVEL, value: info }, { name: HOST, value: "{{fetch.host}}" }, { name: EMPTY }]
    secrets: [{ name: fetch.key, env: FETCH_KEY }, { name: fetch.other }]
    config: [{ name: fetch }]
    metadata: { category: web, tags: [http, web], owner: acme, license: MIT }
  far: { type: remote, remote: { url: "https://x.example" } }
  poci: { type: poci }
`);
    expect(servers).toEqual([
      {
        name: 'fetch',
        description: 'Fetches',
        maintainers: ['acme'],
        tags: ['http', 'web'],
        tools: [{ name: 'fetch', description: 'Gets it' }, { name: 'look' }],
        transport: 'stdio',
        docker: {
          image: 'mcp/fetch:latest',
          command: ['--once'],
          volumes: [{ source: 'cache', target: '/cache' }],
        },
        config: {
          env: { LEVEL: 'info' },
          secrets: [
            { name: 'FETCH_KEY', required: true },
            { name: 'EMPTY', required: false },
            { name: 'API_KEY', required: true },
          ],
        },
      },
    ]);
    expect(notes.join('\n')).not.toContain('hunter2');
    expect(notes).toEqual(
      expect.arrayContaining([
        'fetch: the secret fetch.other is left out: it names no variable',
        'fetch: it is kept running, though the catalog starts it anew for each call',
        'fetch: not carried over: title, icon, allowHosts, disableNetwork, prefix, sseEndpoint, config, metadata.license, user',
        "fetch: HOST is left out: another program's settings fill it in; write its value under config.env",
        'far: left out: needs an image; it is a remote server',
        'poci: left out: needs an image; it is a "poci"',
      ]),
    );
  });

  it('takes one server of the registry of Docker', async () => {
    const { servers, notes } = await imported({
      name: 'one',
      image: 'mcp/one',
      about: { description: 'One', title: 'One', icon: 'x' },
      meta: { category: 'c', tags: ['t'] },
      source: { project: 'https://github.com/acme/one', commit: 'abc' },
      run: { user: '1000', volumes: ['a:/b'], allowHosts: ['x'] },
      config: { secrets: [{ name: 'x', env: 'X_KEY' }], env: [{ name: 'MODE', value: 'm' }], parameters: {} },
      requirement: 'r',
    });
    expect(servers).toEqual([
      {
        name: 'one',
        description: 'One',
        repository: 'https://github.com/acme/one',
        tags: ['t', 'c'],
        transport: 'stdio',
        docker: { image: 'mcp/one:latest', user: '1000', volumes: [{ source: 'a', target: '/b' }] },
        config: { env: { MODE: 'm' }, secrets: [{ name: 'X_KEY', required: true }] },
      },
    ]);
    expect(notes).toContain(
      'one: not carried over: requirement, run.allowHosts, config.parameters, about.title, about.icon, source.commit',
    );
  });
});

describe('import of what is none of these', () => {
  it.each([
    [
      { name: 'a/b', packages: [{ registryType: 'npm' }] },
      'b: left out: needs an image; it is offered as npm only',
    ],
    [{ name: 'a/b', remotes: [{}] }, 'a remote server only'],
    [{ what: 1 }, 'none of the forms that can be imported; it is known by its keys: `packages`'],
    ['a: [', 'cannot be read'],
  ])('says why it makes nothing of %j', async (document, sentence) => {
    const { code, notes } = await imported(document);
    expect([code, notes.join('\n')]).toEqual([1, expect.stringContaining(sentence)]);
  });

  it('says that a file is not there', async () => {
    expect((await type('import', join(folder, 'no'))).err).toContain('ENOENT');
  });
});

describe('import of JSON as editors write it', () => {
  const run = (image: string): string => `"command": "docker", "args": ["run", "-i", "--rm", "${image}"]`;

  it('takes no server that is commented out, and reads comments and commas wherever they stand', async () => {
    const { servers, code } = await imported(`\uFEFF// mine
{
  "mcpServers": {
    // "slack": { ${run('acme/slack:1')} },
    /* "old": { ${run('acme/old:1')} }, */
    "github": {
      ${run('acme/github:1')}, // "disabled": true
      "env": { "URL": "http://x/*not a comment*/y" },
    },
  },
}`);
    expect(code).toBe(0);
    expect(servers.map(({ name }) => name)).toEqual(['github']);
  });

  it('says where the value of each input goes', async () => {
    const { notes, servers } = await imported(`{
  // what VS Code asks for
  "inputs": [
    { "type": "promptString", "id": "token", "description": "a token of GitHub", "password": true },
    { "type": "promptString", "id": "unused" },
  ],
  "servers": { "github": { ${run('acme/github:1')}, "env": { "GITHUB_TOKEN": "\${input:token}" } } },
}`);
    expect(servers).toMatchObject([{ config: { secrets: [{ name: 'GITHUB_TOKEN', required: true }] } }]);
    expect(notes).toContain('the input token (a token of GitHub): GITHUB_TOKEN of github has its value');
    expect(notes).toContain('the input unused: no server uses it');
  });

  it.each([
    ['{ "servers": { "a": 1 "b": 2 } }', 'cannot be read: comma expected at line 1, column 23'],
    [`${'['.repeat(2_000_000)}`, 'is nested more than 100 deep'],
    [`{ "a": "${'x'.repeat(5_000_000)}" }`, 'is larger than 4 MiB'],
    [`a: ${'['.repeat(100_000)}`, 'cannot be read: nested too deeply'],
  ])('says in a sentence what is wrong: %#', async (text, says) => {
    const { code, notes } = await imported(text);
    expect(code).toBe(1);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(says);
  });
});
