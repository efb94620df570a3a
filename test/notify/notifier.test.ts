import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { silentLog, type Log } from '../../src/lib/log.ts';
import {
  channelsSchema,
  openNotifier,
  type ChannelsFile,
  type NotifierOptions,
} from '../../src/notify/index.ts';
import { sign } from '../../src/notify/webhook.ts';
import { event } from './events.ts';
import { eventually } from '../support/eventually.ts';

interface Letter {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let folder = '';
const closers: (() => Promise<unknown>)[] = [];
/** A hundred times faster than life. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outbox-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
});

/** A receiver that answers as `code` says, and what it got. */
async function receiver(code: (nth: number) => number | 'hang' = () => 200) {
  const letters: Letter[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      letters.push({ headers: request.headers, body });
      const answer = code(letters.length);
      if (answer !== 'hang') response.writeHead(answer).end('thanks');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const close = () =>
    new Promise<void>((closed) => {
      server.close(() => closed());
      server.closeAllConnections();
    });
  closers.push(close);
  return { letters, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

async function secret(text: string): Promise<string> {
  const path = join(folder, `secret-${Math.random()}`);
  await writeFile(path, `${text}\n`);
  return path;
}

let ids = 0;
async function open(file: ChannelsFile, more: Partial<NotifierOptions> = {}) {
  const notifier = await openNotifier({
    file,
    folder: join(folder, 'outbox'),
    channelOf: () => null,
    clock: hasty,
    random: () => 0.5,
    newId: () => `m${(ids += 1)}`,
    log: silentLog,
    ...more,
  });
  closers.push(() => notifier.close());
  return notifier;
}

const waiting = async () =>
  (await readdir(join(folder, 'outbox'))).filter((name) => name !== 'incidents.json');

async function webhookTo(url: string): Promise<ChannelsFile> {
  const secret_file = await secret('shh');
  return { channels: { ops: { webhook: { url, secret_file } } }, default: ['ops'] };
}

describe('our own death', () => {
  const letterOf = ({ body }: Letter) => JSON.parse(body) as { kind: string; event: { seq: number } };

  it('loses no message: what was written down and not told yet is told by the next run, once', async () => {
    const { letters, url } = await receiver();
    const file = await webhookTo(url);
    const first = await open(file);
    const log = [
      event('server_down', { seq: 1 }),
      event('server_healthy', { seq: 2 }),
      event('server_down', { seq: 3, server_name: 'other' }),
    ];
    first.tell(log[0]!);
    await first.close();
    for (let lives = 0; lives < 2; lives += 1) {
      const next = await open(file);
      for (const one of log) next.recall(one);
      next.tell(event('manifest_synced', { seq: 4 + lives }));
      await eventually(() => expect(letters).toHaveLength(3));
      await next.close();
    }
    expect(letters.map(letterOf)).toMatchObject([
      { kind: 'opened', event: { seq: 1 } },
      { kind: 'resolved', event: { seq: 2 } },
      { kind: 'opened', event: { seq: 3 } },
    ]);
  });

  it('between a message and the note of it repeats it with the same id', async () => {
    const { letters, url } = await receiver();
    const file = await webhookTo(url);
    const first = await open(file);
    const down = event('server_down', { seq: 1 });
    const before = await readFile(join(folder, 'outbox', 'incidents.json'));
    first.tell(down);
    await eventually(() => expect(letters).toHaveLength(1));
    await first.close();
    await writeFile(join(folder, 'outbox', 'incidents.json'), before);
    const second = await open(file);
    second.recall(down);
    second.tell(event('manifest_synced', { seq: 2 }));
    await eventually(() => expect(letters).toHaveLength(2));
    expect(letters[1]?.headers['x-mcp-id']).toBe(letters[0]?.headers['x-mcp-id']);
  });

  it('tells nobody of what was before there was anybody to tell', async () => {
    const { letters, url } = await receiver();
    const notifier = await open(await webhookTo(url));
    notifier.recall(event('server_down', { seq: 1, time_ms: Date.now() - 60_000 }));
    notifier.tell(event('server_down', { seq: 2, server_name: 'other' }));
    await eventually(() => expect(letters).toHaveLength(1));
  });
});

describe('a webhook', () => {
  it('gets one signed message for each trouble and its end', async () => {
    const { letters, url } = await receiver();
    const notifier = await open(await webhookTo(url));
    notifier.tell(event('server_started'));
    notifier.tell(event('server_down', { reason: 'timeout' }));
    notifier.tell(event('server_down'));
    notifier.tell(event('server_healthy'));
    await eventually(() => expect(letters).toHaveLength(2));
    const [first, second] = letters.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(first).toMatchObject({ kind: 'opened', server: 'demo', event: { event_type: 'server_down' } });
    expect(second).toMatchObject({ kind: 'resolved' });
    const { headers, body } = letters[0] as Letter;
    expect(headers['x-mcp-id']).toBe(first?.['id']);
    const signature = sign('shh', String(headers['x-mcp-timestamp']), body);
    expect(headers['x-mcp-signature']).toBe(`sha256=${signature}`);
    await eventually(async () => expect(await waiting()).toEqual([]));
  });

  it('that is in trouble gets each message again until it takes it, in order', async () => {
    const { letters, url } = await receiver((nth) => (nth < 4 ? 503 : 200));
    const notifier = await open(await webhookTo(url));
    notifier.tell(event('server_down'));
    notifier.tell(event('server_healthy'));
    await eventually(() => expect(letters).toHaveLength(5));
    await eventually(async () => expect(await waiting()).toEqual([]));
    const kinds = letters.map(({ body }) => (JSON.parse(body) as { kind: string }).kind);
    expect(kinds).toEqual(['opened', 'opened', 'opened', 'opened', 'resolved']);
    expect(new Set(letters.slice(0, 4).map(({ headers }) => headers['x-mcp-id'])).size).toBe(1);
  });

  it('gets what it missed after our own death', async () => {
    const gone = await receiver();
    await gone.close();
    const first = await open(await webhookTo(gone.url));
    first.tell(event('server_down'));
    await first.close();
    expect(await waiting()).toHaveLength(1);
    const { letters, url } = await receiver();
    const second = await open(await webhookTo(url));
    await eventually(() => expect(letters).toHaveLength(1));
    // The trouble itself is remembered too: it is not opened twice, and its end is told.
    second.tell(event('server_down'));
    second.tell(event('server_healthy'));
    await eventually(() => expect(letters).toHaveLength(2));
    expect(letters[1]?.body).toContain('"resolved"');
  });

  it('that refuses a message for its own sake is not asked again', async () => {
    const { letters, url } = await receiver((nth) => (nth === 1 ? 422 : 200));
    const notifier = await open(await webhookTo(url));
    notifier.tell(event('server_down'));
    notifier.tell(event('server_healthy'));
    await eventually(() => expect(letters).toHaveLength(2));
    expect(letters[1]?.body).toContain('"resolved"');
  });

  it('that is away for a day loses the message, and the log says so', async () => {
    const { url } = await receiver(() => 500);
    const said: object[] = [];
    const log: Log = { ...silentLog, warn: (fields) => void said.push(fields) };
    const notifier = await open(await webhookTo(url), { log });
    notifier.tell(event('server_down', { time_ms: Date.now() - 25 * 3600_000 }));
    await eventually(() => expect(said).toMatchObject([{ channel: 'ops', lost: true }]));
    await eventually(async () => expect(await waiting()).toEqual([]));
  });

  it('that hangs holds back neither our stop nor another channel', async () => {
    const hanging = await receiver(() => 'hang');
    const { letters, url } = await receiver();
    const { channels } = await webhookTo(hanging.url);
    const slack = { slack: { url_file: await secret(url) } };
    const file = { channels: { ...channels, chat: slack }, default: ['ops', 'chat'] };
    const notifier = await open(file);
    notifier.tell(event('server_down'));
    await eventually(() => expect(hanging.letters.length + letters.length).toBe(2));
    const from = Date.now();
    await notifier.close();
    expect(Date.now() - from).toBeLessThan(2000);
    expect(await waiting()).toHaveLength(1);
  });

  it('without its secret is tried again', async () => {
    const { letters, url } = await receiver();
    const secret_file = join(folder, 'later');
    const notifier = await open({ channels: { ops: { webhook: { url, secret_file } } }, default: ['ops'] });
    notifier.tell(event('server_down'));
    await eventually(async () => expect(await waiting()).toHaveLength(1));
    await writeFile(secret_file, 'shh');
    await eventually(() => expect(letters).toHaveLength(1));
  });
});

describe('the channel', () => {
  it('is the one that the entry names, else the usual ones', async () => {
    const [team, ops] = [await receiver(), await receiver()];
    const channels = {
      team: { slack: { url_file: await secret(team.url) } },
      ops: { slack: { url_file: await secret(ops.url) } },
    };
    const names: Record<string, string> = { a: 'team', b: 'nobody-knows' };
    const notifier = await open(
      { channels, default: ['ops', 'unknown'] },
      { channelOf: (name) => names[name] ?? null },
    );
    notifier.tell(event('server_down', { server_name: 'a', reason: '<!channel> & more' }));
    notifier.tell(event('server_down', { server_name: 'b' }));
    notifier.tell({ ...event('registry_read_failed'), server_name: undefined } as never);
    await eventually(() => expect([team.letters.length, ops.letters.length]).toEqual([1, 2]));
    const { text } = JSON.parse(team.letters[0]?.body ?? '') as { text: string };
    expect(text).toMatch(/^:red_circle: a: .*&lt;!channel&gt; &amp; more/);
  });

  it('may be our own log', async () => {
    const said: string[] = [];
    const log: Log = { ...silentLog, warn: (_fields, message) => void said.push(message) };
    const notifier = await open({ channels: { console: { log: {} } }, default: ['console'] }, { log });
    notifier.tell(event('server_down'));
    await eventually(() =>
      expect(said).toEqual([expect.stringContaining('demo: the server does not answer')]),
    );
  });

  it('may be none at all', async () => {
    const notifier = await open({ channels: {} });
    notifier.tell(event('server_down'));
    await notifier.close();
    expect(await waiting()).toEqual([]);
  });

  it('is reminded of what lasts', async () => {
    const { letters, url } = await receiver();
    const file = { ...(await webhookTo(url)), reminder_seconds: 60 };
    let now = Date.now();
    const notifier = await open(file, { clock: { ...hasty, now: () => now } });
    notifier.tell(event('server_down', { time_ms: now }));
    await eventually(() => expect(letters).toHaveLength(1));
    now += 120_000;
    await eventually(() => expect(letters.length).toBeGreaterThan(1));
    expect(letters[1]?.body).toContain('for 2 minutes');
  });
});

describe('the outbox', () => {
  it('keeps the newest five hundred', async () => {
    const gone = await receiver();
    await gone.close();
    let dropped = 0;
    const log: Log = {
      ...silentLog,
      warn: (_fields, message) => void (dropped += message.includes('made room') ? 1 : 0),
    };
    const notifier = await open(await webhookTo(gone.url), { log });
    for (let n = 0; n < 510; n += 1) notifier.tell(event('update_available', { time_ms: Date.now() + n }));
    await notifier.close();
    expect(await waiting()).toHaveLength(500);
    expect(dropped).toBe(10);
  });

  it('survives files that were cut or are not its own', async () => {
    const gone = await receiver();
    await gone.close();
    const first = await open(await webhookTo(gone.url));
    first.tell(event('server_down'));
    await first.close();
    await writeFile(join(folder, 'outbox', '000-cut.json'), '{"id":');
    await writeFile(join(folder, 'outbox', '000-odd.json'), '{"id":"x"}');
    await writeFile(join(folder, 'outbox', 'incidents.json'), '[');
    const { letters, url } = await receiver();
    await open(await webhookTo(url));
    await eventually(() => expect(letters).toHaveLength(1));
    await eventually(async () => expect(await waiting()).toEqual([]));
  });

  it('that cannot be written is told in the log and stops nobody', async () => {
    const said: string[] = [];
    const log: Log = { ...silentLog, error: (_fields, message) => void said.push(message) };
    const notifier = await open({ channels: { console: { log: {} } }, default: ['console'] }, { log });
    await rm(join(folder, 'outbox'), { recursive: true });
    notifier.tell(event('server_down'));
    await eventually(() => expect(said).toEqual(['notifications have trouble of their own']));
  });
});

describe('the file of channels', () => {
  const validate = new Ajv2020({ allErrors: true, strict: true }).compile(channelsSchema);
  const problems = (file: unknown) =>
    validate(file) ? [] : (validate.errors ?? []).map(({ instancePath }) => instancePath);

  it('may name webhooks, slack and the log', () => {
    const channels = {
      ops: { slack: { url_file: '/run/secrets/slack' } },
      pager: { webhook: { url: 'https://pager.example/hook', secret_file: '/run/secrets/pager' } },
      console: { log: {} },
    };
    expect(problems({ channels, default: ['ops'], reminder_seconds: 3600 })).toEqual([]);
  });

  it.each([
    [{}, ''],
    [{ channels: { ops: { mail: {} } } }, '/channels/ops'],
    [{ channels: { ops: { webhook: { url: 'https://x' } } } }, '/channels/ops/webhook'],
    [{ channels: { ops: { webhook: { url: 'ftp://x', secret_file: 'f' } } } }, '/channels/ops/webhook/url'],
    [{ channels: { ops: { log: {}, slack: { url_file: 'f' } } } }, '/channels/ops'],
    [{ channels: {}, reminder_seconds: 1 }, '/reminder_seconds'],
  ])('saying %j is wrong at "%s"', (file, path) => {
    expect(problems(file)).toContain(path);
  });

  it('that tells somebody unknown by default is complained about', async () => {
    const said: object[] = [];
    const log: Log = { ...silentLog, warn: (fields) => void said.push(fields) };
    await open({ channels: { console: { log: {} } }, default: ['console', 'cosnole'] }, { log });
    expect(said).toEqual([{ unknown: ['cosnole'] }]);
  });
});
