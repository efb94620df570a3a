import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { terminal } from './terminal.ts';
import { eventually } from '../support/eventually.ts';
import { FakeEngine } from '../support/fake-engine.ts';

const MANIFEST = `version: "1.1"
servers:
  - name: mcp-server-a
    version: "1.0.0"
    docker: { image: liminalcommons/mcp-server-a, port: 8080 }
    update: { min_healthy_seconds: 0 }
`;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'program-'));
  await writeFile(join(folder, 'ecosystem-manifest.yaml'), MANIFEST);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function type(
  line: string,
  more: { env?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<{ code: number; out: string; err: string }> {
  const io = terminal(more);
  const code = await runProgram(commands, line.split(' '), { ...io, version: '1.2.3' });
  return { code, out: io.stdout.text, err: io.stderr.text };
}

const alone = (more = ''): string =>
  `--manifest ${folder} --state ${folder}/state --runtime memory --listen 127.0.0.1:0 --log-level silent${more}`;

/** Once it holds its lock and writes. */
const begun = (): Promise<unknown> =>
  eventually(async () =>
    expect(await readFile(`${folder}/state/events.jsonl`, 'utf8')).toContain('orchestrator_started'),
  );

describe('the program', () => {
  it('tells its version and its commands', async () => {
    expect(await type('--version')).toMatchObject({ code: 0, out: '1.2.3\n' });
    const { code, out } = await type('--help');
    expect(code).toBe(0);
    for (const { name } of commands) expect(out).toContain(name);
  });

  it.each(commands)(
    'has a manual for $name: what it does, exit codes, two examples that it would take',
    async (command) => {
      const { code, out } = await type(`${command.name} --help`);
      expect(code).toBe(0);
      for (const part of ['Exit codes:\n  0 ', '  64  a bad', 'Examples:\n  ', 'environment variable'])
        expect(out).toContain(part);
      expect(command.about.length).toBeGreaterThan(30);
      for (const example of command.examples) {
        expect(example).toContain(`mcp-orchestration ${command.name}`);
        const flags = (example.match(/ --[a-z-]+/g) ?? []).map((flag) => flag.trim());
        expect(flags.filter((flag) => !out.includes(flag))).toEqual([]);
      }
    },
  );

  it('answers a misspelt command with the right one, and 64', async () => {
    const { code, err } = await type('valdate');
    expect(code).toBe(64);
    expect(err).toContain('validate');
  });

  it('refuses an option that does not exist with 64', async () => {
    expect(await type('status --colour')).toMatchObject({ code: 64 });
  });

  it('says which option is missing', async () => {
    const { code, err } = await type('run');
    expect([code, err]).toEqual([64, 'run: --manifest is needed\n']);
  });
});

describe('a second orchestrator on an engine', () => {
  it('is refused with one plain sentence and 4', async () => {
    const engine = await FakeEngine.open();
    const stop = new AbortController();
    const line = (state: string): string =>
      `run --manifest ${folder} --state ${folder}/${state} --docker ${engine.socket} --owner o${process.pid}` +
      ' --listen 127.0.0.1:0 --log-format text --log-level error';
    try {
      const first = type(line('state'), { signal: stop.signal });
      await begun();
      await eventually(async () => expect(engine.callsTo(/GET .*containers.json/)).not.toEqual([]));
      const { code, err } = await type(line('other'));
      expect(code).toBe(4);
      expect(err).toMatch(/^another orchestrator \(.*\) already runs as owner .* --owner\n$/);
      stop.abort();
      expect((await first).code).toBe(0);
    } finally {
      stop.abort();
      await engine.destroy();
    }
  });
});

describe('validate', () => {
  it('counts the servers of a manifest that is right', async () => {
    expect(await type(`validate ${folder}`)).toMatchObject({ code: 0, out: 'valid: 1 server\n' });
  });

  it('says every problem with its place, and exits 3', async () => {
    await writeFile(join(folder, 'ecosystem-manifest.yaml'), `${MANIFEST}    colour: red\n`);
    const { code, out } = await type(`validate ${folder}/ecosystem-manifest.yaml`);
    expect(code).toBe(3);
    expect(out).toContain('ecosystem-manifest.yaml:7:5');
    expect(out).toContain('1 error, 0 warnings');
    expect(JSON.parse((await type(`validate ${folder} --json`)).out)).toHaveLength(1);
  });

  it('judges by the policy file, and says what is wrong with one that cannot be used', async () => {
    const policy = join(folder, 'policy.yaml');
    await writeFile(policy, 'trusted_images: [ghcr.io/acme/*]\n');
    expect(await type(`validate ${folder} --policy ${policy}`)).toMatchObject({ code: 3 });
    await writeFile(policy, 'trusted_image: []\n');
    const broken = await type(`validate ${folder} --policy ${policy}`);
    expect(broken.code).toBe(64);
    expect(broken.err).toContain('trusted_images');
    expect(await type(`validate ${folder} --policy ${folder}/none`)).toMatchObject({ code: 64 });
  });

  it('reads no more of a file without end than a manifest may have', async () => {
    const { code, out } = await type('validate /dev/zero');
    expect([code, out]).toEqual([3, expect.stringContaining('larger than 4 MiB')]);
  });

  it('says that there is no such file', async () => {
    const { code, err } = await type(`validate ${folder}/none.yaml`);
    expect([code, err]).toEqual([64, expect.stringContaining('there is no such file')]);
  });
});

describe('run --once', () => {
  it('settles, prints the outcome of every server, and exits 0', async () => {
    const { code, out } = await type(`run ${alone()} --once`);
    expect(out).toContain('mcp-server-a  ready');
    expect(code).toBe(0);
  });

  it('exits 1 when a server is not as desired', async () => {
    const secret = '    config: { secrets: [{ name: TOKEN, required: true }] }\n';
    await writeFile(join(folder, 'ecosystem-manifest.yaml'), `${MANIFEST}${secret}`);
    const { code, out } = await type(`run ${alone()} --once`);
    expect(out).toContain('missing_secret');
    expect(code).toBe(1);
  });

  it('exits 3 with every problem when the manifest is refused', async () => {
    await writeFile(join(folder, 'ecosystem-manifest.yaml'), 'version: "0.9"\nservers: []\n');
    const { code, err } = await type(`run ${alone()} --once`);
    expect(err).toContain('ecosystem-manifest.yaml:1');
    expect(code).toBe(3);
  });

  it('exits 64 where there is no git that newer versions could be written to', async () => {
    const { code, err } = await type(`run ${alone()} --once --write-back branch`);
    expect([code, err]).toEqual([
      64,
      expect.stringContaining('--write-back needs a git repository') as string,
    ]);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(await type(`run ${alone()} --once --write-back both`)).toMatchObject({ code: 64 });
  });

  it('tells other programs of a format that is not ours in the words they look for, and people the place', async () => {
    await writeFile(join(folder, 'ecosystem-manifest.yaml'), 'version: "0.9.0"\nservers: []\n');
    const { err } = await type(`run ${alone()} --once`);
    expect(err).toContain('ecosystem-manifest.yaml:1');
    const events = (await readFile(join(folder, 'state/events.jsonl'), 'utf8')).trim().split('\n');
    const failed = events.map((line) => JSON.parse(line) as { event_type: string; details: unknown });
    expect(failed.find((event) => event.event_type === 'registry_read_failed')?.details).toEqual({
      error: 'Schema version mismatch',
      registry_version: '0.9.0',
      expected: '>=1.0.0 <1.2.0',
    });
  });

  it('says what the engine says when it cannot be reached, and what to do', async () => {
    const away = alone().replace('--runtime memory', `--docker ${folder}/none.sock`);
    const { code, out, err } = await type(`run ${away} --once --timeout 2s`);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^not settled after 2 s: .*none\.sock/);
    expect(err.trim().split('. ')).not.toHaveLength(1);
  });

  it('tells machines the outcome as JSON', async () => {
    const told = await type(`run ${alone()} --once --json`);
    const servers = [{ name: 'mcp-server-a', phase: 'ready' }];
    expect(JSON.parse(told.out)).toMatchObject({ outcome: 'applied', error: null, servers });
    await writeFile(join(folder, 'ecosystem-manifest.yaml'), 'servers: 1\n');
    const { code, out } = await type(`run ${alone()} --once --json`);
    expect([code, JSON.parse(out)]).toEqual([3, expect.objectContaining({ outcome: 'refused' })]);
  });

  it('takes an empty CHORA_TRACE_ID for none', async () => {
    await type(`run ${alone()} --once`, { env: { CHORA_TRACE_ID: '' } });
    expect(await readFile(join(folder, 'state/events.jsonl'), 'utf8')).not.toContain('"trace_id": ""');
  });

  it('gives up after its timeout', async () => {
    await rm(join(folder, 'ecosystem-manifest.yaml'));
    const gone = `run --manifest ${folder}/none.git --state ${folder}/state --runtime memory --listen 127.0.0.1:0`;
    const { code } = await type(`${gone} --log-level silent --once --timeout 1s`);
    expect([1, 3]).toContain(code);
  });
});

describe('run', () => {
  it('goes on until it is stopped, and then exits 0', async () => {
    const stop = new AbortController();
    const running = type(`run ${alone()}`, { signal: stop.signal });
    await begun();
    stop.abort();
    expect(await running).toMatchObject({ code: 0 });
  });

  it('names the orchestrator that already writes to its state folder, and exits 4', async () => {
    const stop = new AbortController();
    const first = type(`run ${alone()}`, { signal: stop.signal });
    await begun();
    const second = await type(`run ${alone()}`);
    stop.abort();
    await first;
    expect(second.code).toBe(4);
    expect(second.err).toContain(`${process.pid}`);
  });

  it.each([
    ['--listen nowhere', 64, 'host:port'],
    ['--listen 0.0.0.0:0', 64, '--token-file'],
    ['--token-file /nonexistent/token', 64, '--token-file'],
    ['--branch ..', 64, 'branch'],
    ['--state /dev/null/state', 5, '/dev/null'],
  ])('refuses %s with %i and one sentence', async (option, code, word) => {
    const told = await type(`run ${alone(` ${option}`)}`);
    expect(told.code).toBe(code);
    expect(told.err).toContain(word);
    expect(told.err.trim().split('\n')).toHaveLength(1);
  });

  it('refuses an empty token file', async () => {
    await writeFile(join(folder, 'token'), '\n');
    const told = await type(`run ${alone(` --token-file ${folder}/token`)}`);
    expect([told.code, told.err]).toEqual([64, expect.stringContaining('is empty')]);
  });

  it('says when its status address is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const second = await type(`run ${alone().replace('127.0.0.1:0', `127.0.0.1:${port}`)}`);
    other.close();
    expect([second.code, second.err]).toEqual([64, expect.stringContaining('--listen')]);
  });
});
