import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/lib/clock.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { status } from '../../src/cli/status.ts';
import { longText } from '../../src/cli/status-text.ts';
import { openStatusServer } from '../../src/status/index.ts';
import type { StatusServer } from '../../src/status/status.ts';
import { stateFolder } from '../journal/sample.ts';
import { coda, github, record, view } from '../status/view.ts';
import { terminal } from './terminal.ts';
import { eventually } from '../support/eventually.ts';

/** For a fact to come true. */

const open: StatusServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function running(token: string | null = null): Promise<StatusServer> {
  const server = await openStatusServer({
    listen: { host: '127.0.0.1', port: 0 },
    token,
    allowHosts: [],
    clock: systemClock,
    bootId: 'b1',
    programVersion: '0.1.0',
  });
  open.push(server);
  return server;
}

async function shown(options: Record<string, string | boolean>, id?: string, io = terminal()) {
  const code = await status.run({ arguments: [id], options }, io);
  return { code, out: io.stdout.text, said: io.stderr.text };
}

describe('status', () => {
  it('is a table of everybody under where the manifest comes from', async () => {
    const server = await running();
    server.publish(
      view([
        github,
        record('mcp-server-n8n', {
          ...{
            version: '1.0.0',
            desired_version: '1.1.0',
            phase: 'failed',
            health: 'unhealthy',
            mcp_url: null,
          },
          ...{ reason: 'did_not_start', why: 'waiting to try again', uptime_seconds: null },
        }),
        record('held', {
          phase: 'held',
          health: 'unknown',
          version: null,
          desired_version: null,
          why: 'ours',
        }),
      ]),
    );
    const { code, out } = await shown({ url: server.url });
    expect(code).toBe(0);
    expect(out).toBe(
      `https://github.com/liminalcommons/ecosystem-manifest  main  9f2c4e8a7b1d  synced
3 servers, 1 healthy, 1 unhealthy, 1 unknown

SERVER             VERSION         PHASE   HEALTH     UP   MCP                         NOW
mcp-server-github  1.4.2           ready   healthy    13m  http://127.0.0.1:49155/mcp  as desired; the old instance is draining
mcp-server-n8n     1.0.0 -> 1.1.0  failed  unhealthy  -    -                           did_not_start: waiting to try again
held               -               held    unknown    13m  http://127.0.0.1:49155/mcp  ours
`,
    );
  });

  it('says what is wrong with the manifest or with our view, and that nobody is there', async () => {
    const server = await running();
    const source = {
      ...view([]).source,
      state: 'refused' as const,
      error: 'line 3: what?',
      applied_revision: null,
      branch: null,
    };
    server.publish(view([], { view: 'suspect', source }));
    const { out } = await shown({ url: server.url });
    expect(out).toContain('refused\nline 3: what?\n');
    expect(out).toContain('our own view is doubted');
    expect(out).toContain('no servers\n');
    server.publish(view([], { source: { ...source, attempted_revision: null } }));
    expect((await shown({ url: server.url })).out).toContain('ecosystem-manifest  refused');
  });

  it('of one server tells all about it', async () => {
    const server = await running();
    server.publish(view([github, coda]));
    const { out } = await shown({ url: server.url }, 'github');
    expect(out).toContain('server     mcp-server-github\n');
    expect(out).toContain('set aside  1.4.1 at health: did not become healthy in time\n');
    expect(out).toContain('draining   http://mcp-server-github-i-7c11:8080/mcp\n');
    server.publish(
      view([
        record('x', {
          ...{ reason: 'crashes', suggested_action: 'look at its log', uptime_seconds: null, image: null },
          recovery: { attempts: 2, max_attempts: 3, next_attempt_at: null, requires_manual: false },
          update: {
            ...{ strategy: 'pinned', available: '2.0.0', state: 'none', quarantined: [] },
            ...{ reason: null, at: null, passed_over: [] },
          },
        }),
      ]),
    );
    const sick = await shown({ url: server.url }, 'x');
    for (const line of ['do         look', 'recovery   2 of 3', 'available  2.0.0'])
      expect(sick.out).toContain(line);
    expect(sick.out).not.toContain('up for');
  });

  it('with --json is the answer of the endpoint', async () => {
    const server = await running();
    server.publish(view([github]));
    const { out } = await shown({ url: server.url, json: true });
    expect(JSON.parse(out)).toMatchObject({
      schema_version: '1.0',
      servers: [{ name: 'mcp-server-github' }],
    });
  });

  it('shows the token from its file', async () => {
    const server = await running('hunter2');
    server.publish(view([github]));
    const tokenFile = join(await stateFolder(), 'token');
    expect((await shown({ url: server.url })).said).toMatch(/^status: this endpoint asks for a token; send/);
    expect((await shown({ url: server.url, tokenFile })).said).toMatch(
      /^status: the token cannot be read: ENOENT/,
    );
    await writeFile(tokenFile, 'hunter2\n');
    expect((await shown({ url: server.url, tokenFile })).code).toBe(0);
  });

  it('ends with 1 and a sentence when nobody answers, or not as we do', async () => {
    expect(await shown({ url: 'http://127.0.0.1:1' })).toMatchObject({ code: 1, out: '' });
    expect((await shown({ url: 'nowhere' })).said).toBe('status: --url must be a URL, not "nowhere"\n');
    const server = await running();
    expect((await shown({ url: server.url })).said).toContain('has not looked yet; ask again in a moment');
    const other = createServer((_request, response) => response.writeHead(500).end('{}')).listen(
      0,
      '127.0.0.1',
    );
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    expect((await shown({ url: `http://127.0.0.1:${port}` })).said).toBe(
      'status: the status endpoint answered 500\n',
    );
    other.close();
  });
});

describe('status --watch', () => {
  /** Ends after so many pauses; each is a step of the test. */
  function watcher(stop: AbortController, onSleep: () => void): Clock {
    return {
      ...systemClock,
      async sleep() {
        onSleep();
        stop.abort();
      },
    };
  }

  it('redraws at every change, says when we cannot be reached, and ends with 0', async () => {
    const server = await running();
    server.publish(view([github]));
    const stop = new AbortController();
    const io = terminal({ isTTY: true, clock: watcher(stop, () => undefined), signal: stop.signal });
    const watching = shown({ url: server.url, watch: true }, undefined, io);
    await eventually(() => expect(io.stdout.text).toContain('mcp-server-github'));
    server.publish(view([github, coda]));
    await eventually(() => expect(io.stdout.text).toContain('mcp-server-coda'));
    await server.close();
    const { code, out } = await watching;
    expect(code).toBe(0);
    const screens = out.split('\u001b[H\u001b[2J').slice(1);
    expect(screens[0]).not.toContain('mcp-server-coda');
    expect(screens[1]).toContain('mcp-server-coda');
    expect(screens.at(-1)).toContain('no orchestrator answers');
  });

  it('ends at once when it is told to while it waits', async () => {
    const server = await running();
    server.publish(view([github]));
    const stop = new AbortController();
    const io = terminal({ signal: stop.signal });
    const watching = shown({ url: server.url, watch: true, json: true }, 'github', io);
    await eventually(() => expect(io.stdout.text).not.toBe(''));
    stop.abort();
    const { code, out } = await watching;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ name: 'mcp-server-github' });
  });
});

it('a length of time is told in its two greatest units', () => {
  expect([5, 59, 61, 3_700, 90_000].map(longText)).toEqual(['5s', '59s', '1m', '1h 1m', '1d 1h']);
});
