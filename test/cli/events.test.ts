import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { events } from '../../src/cli/events.ts';
import { toLine } from '../../src/journal/line.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { checkpoint, event, foreign, START, stateFolder } from '../journal/sample.ts';
import { terminal } from './terminal.ts';

const down = event(2, {
  event_type: 'server_down',
  server_name: 'mcp-server-coda',
  from: 'degraded',
  to: 'unhealthy',
  reason: '3_consecutive_failures',
  why: 'it does not answer',
});
const synced = event(3, {
  event_type: 'manifest_synced',
  trace_id: 'other',
  server_name: undefined,
  version: undefined,
  revision: 'abc',
  added: ['a', 'b'],
  changed: [],
});
const unread = event(4, {
  event_type: 'registry_read_failed',
  server_name: undefined,
  details: { error: 'bad \u001b[2J' },
});

async function log(): Promise<string> {
  const state = await stateFolder();
  const lines = [event(1), down, synced, unread, checkpoint(5)].map((each) => `${toLine(each)}\n`).join('');
  await writeFile(join(state, 'events.jsonl'), `${foreign.join('\n')}\ngarbage\n${lines}`);
  return state;
}

async function shown(options: Record<string, string | boolean | string[]>, io = terminal()) {
  const code = await events.run({ arguments: [], options }, io);
  return { code, out: io.stdout.text, said: io.stderr.text, lines: io.stdout.text.split('\n').length - 1 };
}

describe('events', () => {
  it('are a line each: when, who, what, and what matters', async () => {
    const { code, out, said } = await shown({ state: await log() });
    expect(code).toBe(0);
    expect(out).toBe(
      `2026-11-20T12:00:01Z  mcp-server-github         server_removed           nothing of the server is left: version 1.0.0
2026-11-20T12:00:02Z  mcp-server-coda           server_down              the server does not answer or has exited: version 1.0.0, from degraded, to unhealthy, reason 3_consecutive_failures, it does not answer
2026-11-20T12:00:03Z  -                         manifest_synced          a revision of the manifest was accepted and is in force; written at every start as well: added a b, revision abc
2026-11-20T12:00:04Z  -                         registry_read_failed     a revision of the manifest could not be accepted; the last good one stays in force: version 1.0.0, bad  [2J
`,
    );
    expect(said).toBe('1 lines could not be read and were skipped\n');
  });

  it('are shown where one makes us stumble, which is named', async () => {
    const state = await log();
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const poison = toLine(event(9, { event_type: 'revision_settled', servers: [] })).replace('[]', deep);
    await appendFile(join(state, 'events.jsonl'), `${poison}\n${toLine(event(10))}\n`);
    const { code, lines, said } = await shown({ state });
    expect([code, lines]).toEqual([0, 5]);
    expect(said).toContain(
      '1 lines were set aside for a mistake of ours; send us the first, seq 9 (revision_settled): RangeError',
    );
  });

  it('are filtered by server, trace, type and time', async () => {
    const state = await log();
    expect((await shown({ state, server: 'mcp-server-coda' })).lines).toBe(1);
    expect((await shown({ state, trace: 'other' })).out).toContain('manifest_synced');
    expect((await shown({ state, type: ['server_down', 'memory_checkpoint'] })).lines).toBe(2);
    expect((await shown({ state, since: '2026-11-20T12:00:03Z' })).lines).toBe(2);
    const clock = { ...systemClock, now: () => START + 64_000 };
    expect((await shown({ state, since: '1m' }, terminal({ clock }))).lines).toBe(1);
  });

  it('with --json are the lines of the log', async () => {
    expect((await shown({ state: await log(), json: true, server: 'mcp-server-coda' })).out).toBe(
      `${toLine(down)}\n`,
    );
  });

  it('that do not exist are not a failure', async () => {
    const state = await stateFolder();
    expect(await shown({ state })).toMatchObject({ code: 0, said: `no such event in ${state}\n` });
    const eventsFile = join(state, 'inbox.jsonl');
    expect((await shown({ state, eventsFile })).said).toBe(`no such event in ${eventsFile}\n`);
  });

  it.each([
    [{ type: ['down'] }, /^events: --type must be a type of event, not "down"; perhaps server_down/],
    [{ type: ['nonsense'] }, /see docs\/events.md/],
    [{ since: 'yesterday' }, /^events: --since must be a time such as/],
  ])('are not asked for with what cannot be read: %o', async (options, sentence) => {
    const { code, said } = await shown(options);
    expect(code).toBe(64);
    expect(said).toMatch(sentence);
  });

  it('are followed until the signal', async () => {
    const state = await log();
    const stop = new AbortController();
    let looks = 0;
    const clock = {
      ...systemClock,
      async sleep() {
        looks += 1;
        if (looks === 1) await appendFile(join(state, 'events.jsonl'), `${toLine(event(6))}\n`);
        else stop.abort();
      },
    };
    const { out } = await shown(
      { state, follow: true, json: true, server: 'mcp-server-github' },
      terminal({ clock, signal: stop.signal }),
    );
    expect(out).toBe(`${toLine(event(1))}\n${toLine(event(6))}\n`);
  });
});
