import { afterAll, beforeAll, expect, test } from 'vitest';
import { askEngine } from '../../examples/engine/engine-call.ts';
import { runningOf } from '../../examples/stage/faults.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { isReady } from '../../examples/stage/status.ts';
import {
  allReady,
  behave,
  eventsOf,
  isOf,
  openTestStage,
  untilEvent,
  type TestStage,
} from '../support/stage.ts';
import { buildTestServerImage } from '../support/test-server-image.ts';

/** Takes connections until it is told not to. Says nothing, and is no HTTP server. */
const taciturn = `
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => undefined).on('data', () => server.close());
});
server.listen(8080);
setInterval(() => undefined, 60_000);`;

/** What many a server does by itself: only who is in its container reaches it. */
const shutIn = `require('node:http').createServer((_, answer) => answer.end('{}')).listen(8080, '127.0.0.1')`;

let stage: TestStage;
let watching: Watching;

beforeAll(async () => {
  stage = await openTestStage();
  const probed = { engine: stage.engine, name: stage.name('probed'), version: '1.0.0' };
  const ask = `fetch('http://127.0.0.1:8080/health').then(({ ok }) => process.exit(ok ? 0 : 1))`;
  // No shell is in these images.
  const command = JSON.stringify(['node', '-e', ask]);
  const healthcheck = `HEALTHCHECK --interval=2s --timeout=10s --retries=1 CMD ${command}`;
  const { repository: image } = await buildTestServerImage({ ...probed, instructions: [healthcheck] });
  watching = await stage.watch();
  const curl = 'HEALTHCHECK --interval=2s --retries=1 CMD ["/usr/bin/curl", "-f", "http://localhost:8080/"]';
  const unasked = { ...probed, name: stage.name('unasked'), instructions: [curl] };
  const { repository: withoutCurl } = await buildTestServerImage(unasked);
  const entries = [
    stage.entry('shut-in', { docker: { command: ['node', '-e', shutIn] } }),
    stage.entry('unasked', { health_check: { docker: {} }, docker: { image: withoutCurl } }),
    stage.entry('tcp', { health_check: { tcp: {} }, docker: { command: ['node', '-e', taciturn] } }),
    stage.entry('docker', { health_check: { docker: {} }, docker: { image } }),
    stage.entry('hungry', { docker: { resources: { memory: '128m' } } }),
    stage.entry('done', { restart_policy: 'on-failure' }),
    stage.entry('parked', { restart_policy: 'unless-stopped' }),
  ];
  const names = ['tcp', 'docker', 'hungry', 'done', 'parked'].map(stage.name);
  await allReady(watching, await stage.merge(entries), names);
  for (const name of names) await untilEvent(watching, isOf(name, 'update_completed'));
});
afterAll(() => stage.close());

test.concurrent('a server that is asked by tcp is down when it takes no more connections', async () => {
  const tcp = stage.name('tcp');
  const { url } = await watching.status.server(tcp, isReady);
  await fetch(url ?? '', { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  const down = await untilEvent(watching, isOf(tcp, 'server_down'));
  expect(down).toMatchObject({ reason: '3_consecutive_failures', attempt: 0 });
  await isBroughtBack(tcp);
});

test.concurrent("a server that is asked by docker is as its image's own HEALTHCHECK says", async () => {
  const docker = stage.name('docker');
  await behave(await watching.status.server(docker, isReady), 'answer-503');
  const down = await untilEvent(watching, isOf(docker, 'server_down'));
  expect(down).toMatchObject({ reason: '3_consecutive_failures' });
  await isBroughtBack(docker);
});

test.concurrent(
  'a server that eats more memory than it may have is told from one that ended itself',
  async () => {
    const hungry = stage.name('hungry');
    await behave(await watching.status.server(hungry, isReady), 'eat-memory');
    const down = await untilEvent(watching, isOf(hungry, 'server_down'));
    expect(down).toMatchObject({ reason: 'oom_killed', oom: true, by: 'itself' });
    await isBroughtBack(hungry);
  },
);

test.concurrent(
  'a server that listens on 127.0.0.1 in its container is told from one that is not there',
  async () => {
    await isToldOf(stage.name('shut-in'), {
      reason: 'listens_on_loopback',
      says: 'it listens on 127.0.0.1:8080 inside its container, where nobody else reaches it',
      action: 'make it listen on 0.0.0.0',
    });
  },
);

test.concurrent(
  'a HEALTHCHECK whose command is not in the image is told in the words of the engine',
  async () => {
    await isToldOf(stage.name('unasked'), {
      reason: 'healthcheck_not_run',
      says: '/usr/bin/curl',
      action: 'put the command of its HEALTHCHECK into the image',
    });
  },
);

test.concurrent('a server that is done and may be done stays stopped', async () => {
  const done = stage.name('done');
  await behave(await watching.status.server(done, isReady), 'exit-zero');
  await staysStopped(done, 'exited_0');
});

test.concurrent(
  'a server that a person stopped stays stopped where its policy says so, until it is started by hand',
  async () => {
    const parked = stage.name('parked');
    const id = await runningOf(stage, parked);
    await byHand(id, 'stop?t=1');
    await staysStopped(parked, 'stopped_by_hand');
    await byHand(id, 'start');
    await watching.status.server(parked, isReady);
    expect(await eventsOf(watching, 'recovery_started', parked)).toEqual([]);
  },
);

async function isToldOf(
  server: string,
  { reason, says, action }: { readonly reason: string; readonly says: string; readonly action: string },
): Promise<void> {
  const failed = await untilEvent(watching, isOf(server, 'update_gate_failed'));
  expect(failed).toMatchObject({
    error: reason,
    suggested_action: expect.stringContaining(action) as string,
  });
  const { departures, suggested_action } = await watching.status.server(
    server,
    (record) => record.departures.length > 0 && record.suggested_action !== null,
  );
  expect(departures).toEqual([expect.stringContaining(says)]);
  expect(suggested_action).toContain(action);
}

async function isBroughtBack(server: string): Promise<void> {
  const back = await untilEvent(watching, isOf(server, 'recovery_successful'), 60_000);
  const [down] = await eventsOf(watching, 'server_down', server);
  expect(back).toMatchObject({ attempts: 1, incident_id: down?.['incident_id'] });
  await watching.status.server(server, isReady);
}

async function staysStopped(server: string, reason: string): Promise<void> {
  await untilEvent(watching, isOf(server, 'server_resting'), 40_000);
  const record = await watching.status.server(server, ({ phase }) => phase === 'stopped');
  expect(record).toMatchObject({ reason });
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(await eventsOf(watching, 'recovery_started', server)).toEqual([]);
}

async function byHand(id: string, action: string): Promise<void> {
  const { socket } = stage.engine.docker;
  await askEngine(socket, `/containers/${id}/${action}`, { method: 'POST', deadlineMs: 60_000 });
}
