import { createServer, type AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { told } from '../../src/probe/listening.ts';
import { failed } from '../../src/probe/result.ts';
import { targetAt } from './stage.ts';

async function listeningOn(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

/** This process stands for one in a container: its control group has a name as well. */
const container = readFileSync('/proc/self/cgroup', 'utf8').trim();
const said = (port: number, result = failed('closed', true), more = {}) =>
  told(result, targetAt(1, { container, inside: { pid: process.pid, port }, ...more }));

it.each(['127.0.0.1', '127.8.9.1', '::1'])(
  'who listens on %s alone is reached by nobody else',
  async (host) => {
    const port = await listeningOn(host);
    for (const reason of ['closed', 'refused'])
      expect(await said(port, failed(reason, true))).toMatchObject({
        ...{ outcome: 'failed', silent: true, reason: 'listens_on_loopback' },
        departures: [expect.stringContaining(`127.0.0.1:${port} inside its container`)],
      });
  },
);

it.each(['0.0.0.0', '::'])('who listens on %s is not told to', async (host) => {
  expect(await said(await listeningOn(host))).toMatchObject({ reason: 'closed', departures: [] });
});

it('who listens nowhere, answers, or is another process than it was, is left as it is', async () => {
  const port = await listeningOn('127.0.0.1');
  expect(await said(1)).toMatchObject({ reason: 'closed' });
  expect(await said(port, failed('timeout', true))).toMatchObject({ reason: 'timeout' });
  expect(await said(port, failed('closed', false))).toMatchObject({ reason: 'closed' });
  const gone = { inside: { pid: 2 ** 22 + 1, port } };
  for (const more of [{ container: 'another' }, { container: '' }, { inside: null }, gone])
    expect(await said(port, failed('closed', true), more)).toMatchObject({ reason: 'closed' });
});
