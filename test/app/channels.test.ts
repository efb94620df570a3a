import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openChannels, openTelling, readChannels, warningOfChannels } from '../../src/app/channels.ts';
import { StartError } from '../../src/app/config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { DesiredState } from '../../src/model/desired.ts';
import { event } from '../notify/events.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'channels-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = `
channels:
  ops: { webhook: { url: 'https://example.org/hook', secret_file: /etc/secret } }
  local: { log: {} }
default: [ops]
`;

describe('the channels file', () => {
  it('is read', () => {
    expect(readChannels(file, 'channels.yaml')).toMatchObject({ ok: true, value: { default: ['ops'] } });
  });

  it.each([
    ['channels:\n  ops: { webhok: {} }', 2, 'unknown key `webhok`'],
    ['channels:\n  ops: { webhook: { url: "https://a" } }', 2, '`secret_file` is missing'],
    ['', 0, '`channels` is missing'],
    ['channels: [', 1, 'Flow sequence'],
  ])('%j is refused with its line', (text, line, message) => {
    const read = readChannels(text, 'channels.yaml');
    if (read.ok) throw new Error('it was taken');
    const problem = read.error.find((one) => one.message.includes(message));
    expect(problem).toMatchObject({ file: 'channels.yaml', line });
  });

  it('that cannot be used ends the start with every problem', async () => {
    const path = join(folder, 'channels.yaml');
    await writeFile(path, 'channels: { a: {}, b: { log: 1 } }');
    const refused = await openChannels(path).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StartError);
    expect(String(refused).split(path).length).toBeGreaterThan(2);
    await expect(openChannels(join(folder, 'none.yaml'))).rejects.toThrow('--channels');
    expect(await openChannels(null)).toBeNull();
  });
});

describe('an entry that names a channel nobody described', () => {
  const servers = [
    { name: 'a', notificationChannel: 'ops' },
    { name: 'b', notificationChannel: 'nobody' },
    { name: 'c', notificationChannel: null },
  ];
  const desired = { servers } as unknown as DesiredState;

  async function warned(channels: Parameters<typeof warningOfChannels>[1]): Promise<unknown[]> {
    const said: unknown[] = [];
    const log = { ...silentLog, warn: (fields: object) => said.push(fields) };
    const read = warningOfChannels(async () => ok(desired), channels, log);
    await read({} as never, () => 't');
    return said;
  }

  it('is told of in the log, with server and channel', async () => {
    expect(await warned({ channels: { ops: { log: {} } } })).toEqual([
      { server_name: 'b', channel: 'nobody' },
    ]);
    expect(await warned(null)).toHaveLength(2);
  });

  it('of a manifest that is refused says nothing', async () => {
    const read = warningOfChannels(async () => err({ error: 'no' }), null, silentLog);
    expect(await read({} as never, () => 't')).toEqual({ ok: false, error: { error: 'no' } });
  });
});

describe('telling', () => {
  it('goes to nobody without a file', async () => {
    const nobody = await openTelling({
      file: null,
      state: folder,
      channelOf: () => null,
      clock: systemClock,
      log: silentLog,
    });
    nobody.tell(event('server_down'));
    await nobody.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes to the channel of the entry, by way of the outbox', async () => {
    const said: string[] = [];
    const log = { ...silentLog, warn: (_fields: object, text: string) => said.push(text) };
    const channels = { channels: { local: { log: {} } } };
    const telling = await openTelling({
      file: channels,
      state: folder,
      channelOf: () => 'local',
      clock: systemClock,
      log,
    });
    telling.tell(event('server_down'));
    await expect.poll(() => said).toEqual([expect.stringContaining('demo: ')]);
    await telling.close();
    expect(await readdir(join(folder, 'outbox'))).toContain('incidents.json');
  });
});
