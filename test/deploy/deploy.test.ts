import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { environmentName } from '../../src/cli/command.ts';
import { run } from '../../src/cli/run.ts';

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const execute = promisify(execFile);

const known = new Set(Object.keys(run.options).map(environmentName));
const optionsIn = (text: string): string[] => [...new Set(text.match(/MCP_ORCHESTRATION_[A-Z_]+/g) ?? [])];

test.each([
  'examples/deploy/compose.yaml',
  'examples/deploy/mcp-orchestration.service',
  'examples/deploy/README.md',
  'Dockerfile',
])('every option that %s sets is one that `run` has', async (file) => {
  const options = optionsIn(await read(file));
  expect(options.length).toBeGreaterThan(0);
  expect(options.filter((name) => !known.has(name))).toEqual([]);
});

describe('the compose file', async () => {
  const compose = parse(await read('examples/deploy/compose.yaml')) as Compose;
  const service = compose.services['mcp-orchestration'];

  test('has one service, the network of the servers and a volume for the state', () => {
    expect(Object.keys(compose.services)).toEqual(['mcp-orchestration']);
    expect(compose.networks).toEqual({ 'mcp-network': { name: 'mcp-network' } });
    expect(Object.keys(compose.volumes)).toEqual(['state']);
    expect(service?.volumes).toContain('state:/var/lib/mcp-orchestration');
  });

  test("gives the engine's socket through its group, and no other right", () => {
    expect(service).toMatchObject({ cap_drop: ['ALL'], read_only: true });
    expect(service?.security_opt).toEqual(['no-new-privileges:true']);
    expect(service?.group_add).toHaveLength(1);
    expect(service).not.toHaveProperty('privileged');
    expect(service).not.toHaveProperty('cap_add');
    expect(service).not.toHaveProperty('user');
    expect(service?.ports.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
  });

  test('is understood by docker-compose of the first version too', async () => {
    const file = fileURLToPath(new URL('../../examples/deploy/compose.yaml', import.meta.url));
    const env = { ...process.env, MANIFEST: 'https://example.org/manifest.git', DOCKER_GROUP: '999' };
    const { stdout } = await execute('docker-compose', ['--file', file, 'config'], { env });
    expect((parse(stdout) as Compose).volumes).toEqual({ state: { name: 'mcp-orchestration_state' } });
  });

  test('asks for a token where other containers can reach it', () => {
    expect(service?.environment).toMatchObject({
      MCP_ORCHESTRATION_LISTEN: '0.0.0.0:8090',
      MCP_ORCHESTRATION_TOKEN_FILE: expect.any(String) as string,
    });
  });
});

describe('the systemd unit', async () => {
  const unit = await read('examples/deploy/mcp-orchestration.service');
  const valuesOf = (key: string): string[] =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map((match) => match[1] ?? '');

  test('is hardened', () => {
    for (const key of [
      'NoNewPrivileges',
      'PrivateTmp',
      'ProtectHome',
      'RestrictNamespaces',
      'PrivateDevices',
    ])
      expect(valuesOf(key), key).toEqual(['yes']);
    expect(valuesOf('ProtectSystem')).toEqual(['strict']);
    expect(valuesOf('CapabilityBoundingSet')).toEqual(['']);
    expect(valuesOf('SupplementaryGroups')).toEqual(['docker']);
    expect(valuesOf('User')).toEqual(['mcp-orchestration']);
  });

  test('waits longer than the program takes to end, and does not start it again where that would not help', () => {
    expect(Number(valuesOf('TimeoutStopSec')[0])).toBeGreaterThan(10);
    expect(valuesOf('RestartPreventExitStatus')).toEqual(['4 64']);
    expect(valuesOf('StateDirectory')).toEqual(['mcp-orchestration']);
  });

  test('has only keys that begin a line in a known section', () => {
    const lines = unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of lines) expect(line).toMatch(/^(\[(Unit|Service|Install)\]|[A-Z][A-Za-z]+=.*)$/);
    expect(lines.filter((line) => line.startsWith('['))).toEqual(['[Unit]', '[Service]', '[Install]']);
  });

  test('systemd itself finds nothing wrong with it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-orchestration-unit-'));
    const file = join(folder, 'mcp-orchestration.service');
    try {
      // Whether the program is installed on this machine is not the question.
      await writeFile(file, unit.replace('/usr/local/bin/mcp-orchestration', process.execPath));
      const { stderr } = await execute('systemd-analyze', ['verify', '--man=no', file]);
      expect(stderr).toBe('');
      const { stdout } = await execute('systemd-analyze', ['security', '--offline=true', file]);
      const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
      expect(exposure).toBeLessThan(2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: unknown;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Service {
  readonly volumes: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly security_opt: readonly string[];
  readonly group_add: readonly string[];
  readonly ports: readonly string[];
}
