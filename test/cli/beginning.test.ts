import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStatusServer } from '../../src/status/index.ts';
import { github, record, view } from '../status/view.ts';
import { terminal } from './terminal.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beginning-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function type(...line: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = { ...terminal(), version: '0' };
  const code = await runProgram(commands, line, io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

describe('init', () => {
  it('makes a repository that validates, and changes nothing that is there', async () => {
    const dir = join(folder, 'new');
    expect((await type('init', dir)).out).toContain('Next:');
    expect((await type('validate', join(dir, 'ecosystem-manifest.yaml'))).code).toBe(0);
    const again = await type('init', dir);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('EEXIST')]);
  });
});

/** What `import` makes of a document, and whether that validates. */
async function imported(
  document: unknown,
): Promise<{ code: number; out: string; err: string; valid: string }> {
  const file = join(folder, 'given');
  await writeFile(file, typeof document === 'string' ? document : JSON.stringify(document));
  const done = await type('import', file);
  await writeFile(join(folder, 'made.yaml'), done.out);
  const valid =
    done.out === '' ? 'nothing' : (await type('validate', join(folder, 'made.yaml'), '--trust', '**')).err;
  return { ...done, valid };
}

describe('import', () => {
  it('takes an official server.json', async () => {
    const { code, out, err } = await imported({
      name: 'io.github.acme/Weather',
      description: 'Weather',
      version: '1.2.0',
      repository: { url: 'https://github.com/acme/weather', source: 'github' },
      remotes: [{ type: 'sse', url: 'https://x.example' }],
      packages: [
        {
          registryType: 'oci',
          identifier: 'docker.io/liminalcommons/weather:1.2.0',
          transport: { type: 'streamable-http', url: 'http://localhost/mcp' },
          environmentVariables: [
            { name: 'KEY', isSecret: true, isRequired: true },
            { name: 'LEVEL', default: 'info' },
          ],
          packageArguments: [
            { type: 'named', name: '--port', value: '8080' },
            { type: 'positional', value: 'x' },
          ],
          runtimeArguments: [{ type: 'named', name: '--network', value: 'host' }],
        },
      ],
    });
    expect(code).toBe(0);
    for (const wanted of [
      'name: weather',
      'liminalcommons/weather:1.2.0',
      'LEVEL: info',
      'name: KEY',
      '- --port',
      '- x',
    ])
      expect(out).toContain(wanted);
    expect(err).toContain('weather: the docker flag --network is not carried over');
    expect(err).toContain('weather: its remotes are not run here');
    expect((await type('validate', join(folder, 'made.yaml'))).code).toBe(0);
  });

  it('takes a Docker MCP catalog', async () => {
    const { code, out, err } = await imported(`
registry:
  fetch:
    image: mcp/fetch
    description: Fetches
    command: [--once]
    longLived: false
    allowHosts: ["x.example:443"]
    env: [{ name: LEVEL, value: info }]
    secrets: [{ name: fetch.key, env: FETCH_KEY }]
  far: { type: remote, remote: { url: "https://x.example" } }
`);
    expect(code).toBe(0);
    for (const wanted of [
      'name: fetch',
      'image: mcp/fetch:latest',
      'transport: stdio',
      'FETCH_KEY',
      '--once',
    ])
      expect(out).toContain(wanted);
    expect(err.split('\n')).toEqual([
      'fetch: it speaks stdio: it is listed, and not run until it can be bridged',
      'fetch: allowHosts is not carried over',
      'fetch: it is kept running, though the catalog starts it anew for each call',
      'far: left out: needs an image; it is a remote server',
      '',
    ]);
  });

  it('takes one server of the Docker registry', async () => {
    const { out } = await imported({
      name: 'one',
      image: 'mcp/one',
      about: { description: 'One' },
      run: { user: '1000', volumes: ['a:/b'] },
      config: { secrets: [{ name: 'x', env: 'X_KEY' }] },
    });
    expect(out).toContain('description: One');
    expect(out).toContain('X_KEY');
  });

  it('takes docker run from a client configuration, and no value of it', async () => {
    const { code, out, err } = await imported({
      mcpServers: {
        GitHub: {
          command: 'docker',
          args: [
            'run',
            '-i',
            '--rm',
            '-e',
            'TOKEN',
            '--env=MODE=hunter2',
            '-v',
            '/:/host',
            '--privileged',
            'mcp/github:1.0.0',
            'stdio',
          ],
          env: { TOKEN: 'hunter2' },
        },
        time: { command: 'uvx', args: ['mcp-server-time'] },
        far: { url: 'https://x.example/mcp' },
        none: { command: 'docker', args: ['run', '-i'] },
      },
    });
    expect(code).toBe(0);
    expect(out).toContain('image: mcp/github:1.0.0');
    expect(`${out}${err}`).not.toContain('hunter2');
    for (const wanted of [
      'the docker flag -v',
      'the docker flag --privileged',
      'put it into <secrets>/github/TOKEN',
      '"uvx" runs on the host',
      'far: left out: runs elsewhere',
      'none: left out: its docker run names no image',
    ])
      expect(err).toContain(wanted);
  });

  it.each([
    [
      { name: 'a/b', packages: [{ registryType: 'npm' }] },
      'b: left out: needs an image; it is offered as npm only',
    ],
    [{ name: 'a/b', remotes: [{}] }, 'a remote server only'],
    [{ what: 1 }, 'none of the forms'],
    ['a: [', 'cannot be read'],
  ])('says why it makes nothing of %j', async (document, sentence) => {
    const { code, err } = await imported(document);
    expect([code, err]).toEqual([1, expect.stringContaining(sentence)]);
  });

  it('says that a file is not there', async () => {
    expect((await type('import', join(folder, 'no'))).err).toContain('ENOENT');
  });
});

describe('export client-config', () => {
  it('points each client at the servers that run', async () => {
    const server = await openStatusServer({
      listen: { host: '127.0.0.1', port: 0 },
      ...{ token: null, allowHosts: [], clock: systemClock, bootId: 'b', programVersion: '0' },
    });
    const early = await type('export', 'client-config', '--url', server.url);
    expect([early.code, early.err]).toEqual([1, expect.stringContaining('has not looked yet')]);
    server.publish(view([github, record('down', { routable: false, why: 'it fell' })]));
    const made = async (...more: string[]): Promise<unknown> =>
      JSON.parse((await type('export', 'client-config', '--url', server.url, ...more)).out);
    const url = github.mcp_url;
    expect(await made()).toEqual({ mcpServers: { [github.name]: { type: 'http', url } } });
    expect(await made('--client', 'vscode')).toEqual({ servers: { [github.name]: { type: 'http', url } } });
    expect(await made('--client', 'cursor')).toEqual({ mcpServers: { [github.name]: { url } } });
    expect(await made('--client', 'claude-desktop')).toEqual({
      mcpServers: { [github.name]: { command: 'npx', args: ['-y', 'mcp-remote', url] } },
    });
    expect(Object.keys(((await made('--all')) as { mcpServers: object }).mcpServers)).toHaveLength(2);
    expect((await type('export', 'client-config', '--url', server.url)).err).toBe(
      'left out: down: it fell\n',
    );
    await server.close();
    expect((await type('export', 'client-config', '--url', server.url)).code).toBe(1);
    expect((await type('export', 'else')).code).toBe(64);
  });
});

describe('completion', () => {
  it('knows commands and options in bash', async () => {
    const { out } = await type('completion');
    const complete = (...words: string[]): string =>
      execFileSync(
        'bash',
        [
          '-c',
          `${out}\nCOMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _mcp_orchestration; echo "\${COMPREPLY[@]}"`,
        ],
        { encoding: 'utf8' },
      ).trim();
    expect(complete('mcp-orchestration', 'st')).toBe('status');
    expect(complete('mcp-orchestration', 'status', '--wa')).toBe('--watch');
    expect(complete('mcp-orchestration', 'completion', '--sh')).toBe('--shell');
  });

  it('has words for zsh and fish', async () => {
    expect((await type('completion', '--shell', 'zsh')).out).toMatch(/^autoload/);
    expect((await type('completion', '--shell', 'fish')).out).toContain(
      "-n '__fish_seen_subcommand_from run' -l manifest -d ",
    );
  });
});
