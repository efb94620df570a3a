import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
    const sentence = `init: ${join(dir, 'ecosystem-manifest.yaml')} is there already, and nothing was changed\n`;
    expect([again.code, again.err]).toEqual([1, sentence]);
  });

  it('begins in a fresh clone: its README stays, and what is missing is written', async () => {
    const dir = join(folder, 'clone');
    await mkdir(join(dir, '.git'), { recursive: true });
    await writeFile(join(dir, 'README.md'), 'ours');
    const { code, out } = await type('init', dir);
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(`README.md was there already, and is as it was`),
    ]);
    expect(out).not.toContain(`git -C ${dir} init`);
    expect(await readFile(join(dir, 'README.md'), 'utf8')).toBe('ours');
    expect((await type('validate', dir)).code).toBe(0);
  });

  it('writes nothing where it cannot finish', async () => {
    await writeFile(join(folder, 'file'), '');
    const { code, err } = await type('init', join(folder, 'file'));
    expect([code, err]).toEqual([1, expect.stringContaining('give a folder that can be written to')]);
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
    expect(await made('--client', 'zed')).toEqual({ context_servers: { [github.name]: { url } } });
    expect(await made('--client', 'gh-aw')).toEqual({ mcpServers: { [github.name]: { type: 'http', url } } });
    expect(await made('--client', 'opencode')).toEqual({
      mcp: { [github.name]: { type: 'remote', url, enabled: true } },
    });
    expect(await made('--client', 'docker-gateway')).toEqual({
      registry: { [github.name]: { type: 'remote', remote: { url, transport_type: 'streamable' } } },
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
    expect(complete('mcp-orchestration', 'run', '--runtime', '')).toBe('docker memory');
    expect(complete('mcp-orchestration', 'export', 'client')).toBe('client-config');
    expect(complete('mcp-orchestration', 'events', '--type', 'removal')).toBe('removal_held');
    expect(complete('mcp-orchestration', 'export', 'client-config', '--client', 'ze')).toBe('zed');
  });

  it('has words for zsh and fish', async () => {
    expect((await type('completion', '--shell', 'zsh')).out).toMatch(/^autoload/);
    expect((await type('completion', '--shell', 'fish')).out).toContain(
      "-n '__fish_seen_subcommand_from run' -l manifest -d ",
    );
    expect((await type('completion', '--shell', 'fish')).out).toContain("-x -a 'docker memory'");
  });
});
