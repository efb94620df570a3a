import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defineCommand } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { openLog } from '../../src/lib/log.ts';
import { judge } from '../../src/notify/incident.ts';
import { describeChanges } from '../../src/plan/markdown.ts';
import { event } from '../support/world.ts';
import { terminal } from './terminal.ts';

/** A title for the window, a cleared screen, a line of its own, text that runs backwards. */
const evil = '\u001b]0;pwned\u0007\u001b[2J\u001b[1A\r\nvalid: 1 server\u2028\u202egnp.exe\u009b31m';
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

async function type(isTTY: boolean, ...line: string[]) {
  const io = { ...terminal({ isTTY, env: { NO_COLOR: '1' } }), version: '0' };
  const code = await runProgram(commands, line, io);
  return { code, text: io.stdout.text + io.stderr.text };
}

async function file(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shield-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'given.yaml');
  await writeFile(path, content);
  return path;
}

const quoted = JSON.stringify(evil);
const hostile = `version: "1.1"
trace_id: ${quoted}
servers:
  - name: ${quoted}
    ${quoted}: 1
    version: ${quoted}
    docker: { image: ${quoted}, port: 80, networks: [${quoted}], volumes: [{ source: ${quoted}, target: ${quoted} }] }
    config: { env: { ${quoted}: a }, secrets: [{ name: ${quoted} }] }
`;

describe('nothing that a file says steers a terminal', () => {
  it.each([true, false])(
    'in the problems of a manifest, a policy, a channels file (terminal: %s)',
    async (isTTY) => {
      const path = await file(hostile);
      for (const line of [
        ['validate', path],
        ['validate', path, '--json'],
        ['validate', path, '--policy', path],
        ['plan', '--manifest', path, '--base', 'x'],
        ['import', path],
        ['wait', '--revision', evil],
        [evil],
      ]) {
        const { text, code } = await type(isTTY, ...line);
        expect(code).not.toBe(0);
        expect(text).not.toMatch(steering);
        expect(text.split('\n')).not.toContain('valid: 1 server');
      }
    },
  );

  it('in a plan, a notification, a line of the log', async () => {
    const change = {
      server: 'a',
      kind: 'refused',
      what: [`${evil}|<b>![x](y)\`@all`],
      effect: evil,
    } as const;
    for (const form of ['text', 'markdown'] as const) {
      expect(describeChanges([change], form)).not.toMatch(steering);
      expect(describeChanges([change], form).split('\n')).toHaveLength(form === 'text' ? 2 : 3);
    }
    expect(describeChanges([change], 'markdown')).toContain('&lt;b>!\\[x\\](y)\\`@all');
    const refused = event('server_refused', { reason: 'r', error: evil, suggested_action: evil });
    expect(judge({}, refused).notice?.text).toMatch(/^github: .*pwned/);
    expect(judge({}, refused).notice?.text).not.toMatch(steering);

    const path = await file('');
    openLog({ level: 'info', fd: openSync(path, 'w'), scrub: (text) => text }).info({ evil }, evil);
    const line = (await readFile(path, 'utf8')).trimEnd();
    expect(line).not.toMatch(steering);
    expect(JSON.parse(line)).toMatchObject({ evil, msg: evil });
  });
});

describe('nobody sees a stack', () => {
  it.each([
    [
      'an image of 4 MB',
      `version: "1.1"\nservers:\n  - { name: a, docker: { image: ${'a/'.repeat(2_000_000)}, port: 80 } }\n`,
    ],
    ['100,000 levels', `version: ${'['.repeat(100_000)}`],
    ['more than 4 MB', 'a'.repeat(5_000_000)],
    ['aliases', `a: &a [x]\nb: [${'*a, '.repeat(1_000)}]\n`],
  ])('whoever gives %s to a command', async (_what, content) => {
    const path = await file(content);
    for (const line of [
      ['validate', path],
      ['validate', '.', '--policy', path],
      ['import', path],
    ]) {
      const { text, code } = await type(false, ...line);
      expect(code).not.toBe(0);
      expect(text).not.toMatch(/^\s+at /m);
      expect(text).not.toContain('mistake in mcp-orchestration');
      expect(text.length).toBeLessThan(100_000);
    }
  });

  it('when it is our own mistake: one sentence that asks to report it, and where it was', async () => {
    const broken = defineCommand({
      name: 'broken',
      summary: 's',
      about: 'a',
      exits: {},
      examples: ['a', 'b'],
      arguments: {},
      options: {},
      run: () => Promise.reject(new TypeError(`cannot read ${evil}`)),
    });
    const io = { ...terminal(), version: '0' };
    expect(await runProgram([broken], ['broken'], io)).toBe(1);
    expect(io.stderr.text).toMatch(
      /^a mistake in mcp-orchestration itself \(shield\.test\.ts:\d+\): cannot read .*please report it.*\n$/,
    );
    expect(io.stderr.text).not.toMatch(steering);
  });
});
