import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { settlingOf } from '../../src/cli/settling.ts';
import { wait } from '../../src/cli/wait.ts';
import { toLine } from '../../src/journal/line.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Event } from '../../src/model/event.ts';
import { lockWriter } from '../../src/state/index.ts';
import { openStatusServer } from '../../src/status/index.ts';
import type { StatusServer } from '../../src/status/status.ts';
import { git } from '../support/git-remote.ts';
import { event, stateFolder } from '../journal/sample.ts';
import { terminal } from './terminal.ts';

const A = 'aaaaaaa1';
const B = 'bbbbbbb2';
const C = 'ccccccc3';

const synced = (seq: number, revision: string, commits: string[] = []): Event =>
  event(seq, {
    event_type: 'manifest_synced',
    server_name: undefined,
    version: undefined,
    revision,
    source: '/nowhere#ecosystem-manifest.yaml',
    commits: commits.map((each) => ({ revision: each, trace_id: 't', subject: 's' })),
    entries: { coda: 'h1', github: 'h2' },
  });
const settled = (seq: number, revision: string, outcome: string, failed: string[] = []): Event =>
  event(seq, {
    event_type: 'revision_settled',
    server_name: undefined,
    version: undefined,
    revision,
    outcome,
    seconds: 40,
    servers_failed: failed,
  });
const refused = (seq: number, revision?: string): Event =>
  event(seq, { event_type: 'registry_read_failed', revision, details: { error: 'line 3: what?' } });

describe('a revision', () => {
  const stateOf = (sha: string, ...events: Event[]): string => settlingOf(sha, events).state;

  it('is not known before it is met', () => {
    expect(stateOf(A)).toBe('unknown');
    expect(stateOf(A, synced(1, B), settled(2, B, 'applied'), refused(3))).toBe('unknown');
  });

  it('that is refused for its format is told which version it says', () => {
    const details = { error: 'Schema version mismatch', registry_version: '2.0', expected: '>=1.0.0 <1.2.0' };
    const mismatch = event(1, { event_type: 'registry_read_failed', revision: A, details });
    expect(settlingOf(A, [mismatch])).toEqual({
      state: 'refused',
      error: 'Schema version mismatch: it says 2.0, and >=1.0.0 <1.2.0 is read here',
    });
  });

  it('is under way until it is settled, and may be named by its beginning', () => {
    expect(stateOf(A, synced(1, A))).toBe('under way');
    expect(stateOf('aaaaaaa', synced(1, A), event(2), settled(3, A, 'applied'))).toBe('applied');
    expect(stateOf(A, synced(1, A), settled(2, A, 'partial', ['coda']))).toBe('partial');
  });

  it('is settled by a descendant that was deployed in its place, not by what came before', () => {
    expect(stateOf(A, synced(1, B), settled(2, B, 'applied'), synced(3, C, [A, C]))).toBe('under way');
    expect(stateOf(A, synced(3, C, [A, C]), settled(4, B, 'partial'), settled(5, C, 'applied'))).toBe(
      'applied',
    );
    expect(stateOf(A, synced(1, A), synced(2, B), settled(3, B, 'applied'))).toBe('applied');
  });

  it('that a newer one overtook is superseded, whatever became of that', () => {
    const history = [synced(1, A), settled(2, A, 'superseded'), synced(3, B, [B]), settled(4, B, 'applied')];
    expect(stateOf(A, ...history)).toBe('superseded');
  });

  it('that was refused is refused, unless a descendant mends it', () => {
    expect(stateOf(A, refused(1, A))).toBe('refused');
    expect(stateOf(A, refused(1, A), synced(2, B, [A, B]), settled(3, B, 'applied'))).toBe('applied');
  });
});

describe('wait', () => {
  const open: StatusServer[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
  });

  async function running(): Promise<StatusServer> {
    const server = await openStatusServer({
      listen: { host: '127.0.0.1', port: 0 },
      token: null,
      allowHosts: [],
      clock: systemClock,
      bootId: 'b1',
      programVersion: '0.1.0',
    });
    open.push(server);
    server.publish({ schema_version: '1.0', view: 'clear', servers: [], source: source });
    return server;
  }
  const source = {
    ...{ url: 'x', branch: null, attempted_revision: null, applied_revision: null },
    ...{ state: 'synced' as const, last_successful_sync_at: null, error: null },
  };

  async function waited(options: Record<string, string | boolean>, io = terminal()) {
    const given = {
      url: 'http://127.0.0.1:1',
      state: join(await stateFolder(), 'none'),
      revision: A,
      timeout: '5s',
    };
    const code = await wait.run({ arguments: [], options: { ...given, ...options } }, io);
    return { code, out: io.stdout.text, said: io.stderr.text };
  }

  it('ends with 0 when the endpoint tells that it is applied', async () => {
    const server = await running();
    server.note(synced(1, A));
    const waiting = waited({ url: server.url });
    await systemClock.sleep(200);
    server.note(settled(2, A, 'applied'));
    expect(await waiting).toEqual({
      code: 0,
      out: `applied: ${A} after 40 s\ncoda    as desired\ngithub  as desired\n`,
      said: '',
    });
  });

  it('ends with 1 when a server is not as desired, and names it', async () => {
    const server = await running();
    for (const each of [synced(1, A), settled(2, A, 'partial', ['coda'])]) server.note(each);
    expect(await waited({ url: server.url })).toMatchObject({
      code: 1,
      out: `partial: ${A} after 40 s\ncoda    not as desired\ngithub  as desired\n`,
    });
  });

  it('ends with 1 when it was overtaken or refused', async () => {
    const server = await running();
    for (const each of [synced(1, A), settled(2, A, 'superseded')]) server.note(each);
    expect(await waited({ url: server.url })).toMatchObject({
      code: 1,
      out: `superseded: ${A} after 40 s\n`,
    });
    server.note(refused(3, B));
    expect(await waited({ url: server.url, revision: B })).toMatchObject({
      code: 1,
      out: 'refused: line 3: what?\n',
    });
  });

  it('falls back on the log when nobody answers, and says so', async () => {
    const state = await stateFolder();
    const path = join(state, 'events.jsonl');
    await writeFile(path, `${toLine(synced(1, A))}\n`);
    const waiting = waited({ state });
    await systemClock.sleep(200);
    await appendFile(path, `${toLine(settled(2, A, 'applied'))}\n`);
    expect((await waiting).code).toBe(0);
  });

  it('goes on where a line makes us stumble, and says which', async () => {
    const state = await stateFolder();
    const poison = event(2, {
      event_type: 'manifest_synced',
      server_name: undefined,
      commits: [null],
    });
    const log = [synced(1, A), poison, settled(3, A, 'applied')].map((each) => `${toLine(each)}\n`).join('');
    await writeFile(join(state, 'events.jsonl'), log);
    const { code, said } = await waited({ state });
    expect([code, said]).toEqual([
      0,
      expect.stringContaining('send us the first, seq 2 (manifest_synced): TypeError'),
    ]);
  });

  it('says at once that no orchestrator runs, where the log has the answer already', async () => {
    const state = await stateFolder();
    const log = [synced(1, A), settled(2, A, 'applied')].map((each) => `${toLine(each)}\n`).join('');
    await writeFile(join(state, 'events.jsonl'), log);
    const { code, out } = await waited({ state, timeout: '10m' });
    const says = `no orchestrator runs: none answers at http://127.0.0.1:1, and none holds the state folder ${state}`;
    expect([code, out.split('\n').at(-2)]).toEqual([0, says]);
    const { out: json } = await waited({ state, timeout: '10m', json: true });
    expect(JSON.parse(json)).toMatchObject({ state: 'applied', orchestrator_runs: false });
  });

  it('says nothing of that while one holds the state folder, though its endpoint does not answer', async () => {
    const state = await stateFolder();
    const who = { pid: process.pid, host: 'here', started: new Date().toISOString() };
    const lock = await lockWriter(state, { who, clock: systemClock });
    if (!lock.ok) throw new Error(lock.error);
    const { code, out } = await waited({ state, timeout: '1' });
    expect([code, out]).toEqual([4, `${A} has not been met within 1 s\n`]);
    const { out: json } = await waited({ state, timeout: '1', json: true });
    expect(JSON.parse(json)).toMatchObject({ state: 'unknown', orchestrator_runs: true });
    await lock.value.release();
  });

  it('ends with 4 after the timeout, and says what was missing', async () => {
    const nobody = await waited({ timeout: '1' });
    expect(nobody.code).toBe(4);
    expect(nobody.out).toMatch(
      new RegExp(`^${A} has not been met within 1 s\nno orchestrator runs: none .*\n$`),
    );
    expect(nobody.said).toMatch(/^no orchestrator answers at http:\/\/127.0.0.1:1: .*; still waiting\n$/);
    const server = await running();
    server.note(synced(1, A));
    const slow = await waited({ timeout: '1', url: server.url });
    expect(slow).toMatchObject({ code: 4, out: `${A} is still under way after 1 s\n`, said: '' });
  });

  it('says when the endpoint will not tell', async () => {
    const server = await running();
    const { said } = await waited({ timeout: '1', url: `${server.url.replace('127.0.0.1', '127.0.0.2')}` });
    expect(said).toContain('still waiting');
  });

  it('fails when the log cannot be read', async () => {
    const state = await stateFolder();
    await mkdir(join(state, 'events.jsonl'));
    const { code, said } = await waited({ state });
    expect(code).toBe(1);
    expect(said).toMatch(/wait: .*events.jsonl cannot be used: EISDIR/);
  });

  it.each(['abc', 'main', 'HEAD~1'])('wants a commit and not %s', async (revision) => {
    const { code, said } = await waited({ revision });
    expect([code, said]).toEqual([
      64,
      `wait: --revision must be a commit, 7 hexadecimal digits at least, not "${revision}"\n`,
    ]);
  });

  describe('after a start without memory, when no event names the commits before', () => {
    /** Commits, oldest first. */
    async function repository(count: number): Promise<{ folder: string; commits: readonly string[] }> {
      const folder = await stateFolder();
      await git(folder, 'init', '--quiet');
      const commits: string[] = [];
      for (let each = 0; each < count; each += 1) {
        await git(folder, 'commit', '--allow-empty', '--quiet', '-m', `number ${each}`);
        commits.push((await git(folder, 'rev-parse', 'HEAD')).trim());
      }
      return { folder, commits };
    }
    const inForce = (revision: string, from: string): string => {
      const event = { ...synced(1, revision), source: `${from}#ecosystem-manifest.yaml` };
      return [event, settled(2, revision, 'applied')].map((each) => `${toLine(each)}\n`).join('');
    };

    it('asks the repository whether what is in force descends from it', async () => {
      const { folder, commits } = await repository(3);
      const state = await stateFolder();
      await writeFile(join(state, 'events.jsonl'), inForce(commits[1] ?? '', folder));
      const done = await waited({ state, revision: commits[0] ?? '', json: true });
      expect(done.code).toBe(0);
      expect(JSON.parse(done.out)).toEqual({
        ...{ asked: commits[0], state: 'applied', revision: commits[1], seconds: 40 },
        ...{ servers: ['coda', 'github'], failed: [], orchestrator_runs: false },
      });
      expect(await waited({ state, revision: commits[2] ?? '', timeout: '1s' })).toMatchObject({ code: 4 });
    });

    it('asks our clone where the repository is elsewhere', async () => {
      const { folder, commits } = await repository(2);
      const state = await stateFolder();
      await mkdir(join(state, 'source'), { recursive: true });
      await git(state, 'clone', '--bare', '--quiet', folder, 'source/repository.git');
      await writeFile(join(state, 'events.jsonl'), inForce(commits[1] ?? '', 'https://git.example/manifest'));
      expect(await waited({ state, revision: commits[0] ?? '' })).toMatchObject({ code: 0 });
      await writeFile(join(state, 'source/repository.git/config'), '[broken');
      const { code, said } = await waited({ state, revision: commits[0] ?? '', timeout: '1s' });
      expect([code, said]).toEqual([4, expect.stringContaining('cannot be told')]);
    });
  });
});
