import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askEngine } from '../../examples/engine/engine-call.ts';
import { freePort } from '../../examples/engine/registry.ts';
import { tarOf } from '../../examples/images/node-base.ts';
import { containersOf } from '../../examples/stage/containers.ts';
import { Gateway } from '../../examples/stage/gateway.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { program } from '../support/program.ts';
import {
  allReady,
  eventsOf,
  isLive,
  isOf,
  openTestStage,
  theServer,
  untilEvent,
  type TestStage,
} from '../support/stage.ts';

const update = {
  ...{ min_healthy_seconds: 1, healthy_deadline_seconds: 11, soak_seconds: 6 },
  ...{ drain_min_seconds: 1, drain_timeout_seconds: 2 },
};

let stage: TestStage;
beforeEach(async () => {
  stage = await openTestStage();
});
afterEach(() => stage.close());

test('a writable volume and a fixed port allow one copy: the plan says so, port and data outlive the update and the way back', async () => {
  const port = await freePort();
  await theServer(stage.engine, '3.1.0');
  await theServer(stage.engine, '3.2.0', 'answer-503');
  const watching = await stage.watch();
  const a = stage.name('a');
  const merge = (version: string): Promise<string> =>
    stage.merge([
      stage.entry(
        'a',
        { update, docker: { host_port: port, volumes: [{ source: 'data', target: '/data' }] } },
        version,
      ),
    ]);
  const first = await merge('1.0.0');
  await allReady(watching, first, [a]);
  await write();
  await untilEvent(watching, isOf(a, 'update_completed', '1.0.0'));
  await merge('3.1.0');
  expect(await plannedSince(first)).toContain(
    `it is stopped before the new one starts (fixed host port ${port}, writable volume data)`,
  );
  await untilEvent(watching, isOf(a, 'server_ready', '3.1.0'));
  expect(await statesOf(), 'the old one is kept until the new one is proven').toEqual(['exited', 'running']);
  await untilEvent(watching, isOf(a, 'update_completed', '3.1.0'));
  await merge('3.2.0');
  const verdict = await untilEvent(watching, isOf(a, 'version_quarantined', '3.2.0'));
  expect(verdict).toMatchObject({ gate: 'health', evidence: { reason: 'status_503' } });
  const back = await watching.status.server(a, isLive('3.1.0'));
  expect(back.url).toBe(`http://127.0.0.1:${port}`);
  await read();
  await answersAll(watching, a);
  const told = await Promise.all(
    ['server_stopped', 'server_starting'].map((type) => eventsOf(watching, type, a)),
  );
  const order = told.flat().sort((one, other) => one.seq - other.seq);
  expect(order.map(({ event_type, version }) => `${event_type} ${version ?? '-'}`).slice(0, 5)).toEqual([
    ...['server_starting 1.0.0', 'server_stopped 1.0.0', 'server_starting 3.1.0'],
    ...['server_stopped 3.1.0', 'server_starting 3.2.0'],
  ]);
});

/** A gateway that follows the status is answered by the version that came back, each time. */
async function answersAll({ url }: Watching, server: string): Promise<void> {
  const gateway = await new Gateway(url).open();
  gateway.load(server, 50);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await gateway.close();
  expect(gateway.failed).toEqual([]);
  expect(gateway.traffic(server, 'short').answered).toBeGreaterThan(50);
}

async function plannedSince(base: string): Promise<string> {
  const from = ['--manifest', stage.repository.url, '--state', join(stage.folder, 'plan')];
  const trusted = `127.0.0.1:${stage.engine.registry.port}/liminalcommons/*`;
  const { stdout, stderr } = await program(['plan', ...from, '--base', base, '--trust', trusted]);
  return stdout + stderr;
}

const statesOf = async (): Promise<string[]> =>
  (await containersOf(stage.engine, stage.owner)).map(({ State }) => State).sort();

/** Puts a file into the volume, as the server would. */
async function write(): Promise<void> {
  const folder = await mkdtemp(join(stage.folder, 'proof-'));
  await writeFile(join(folder, 'proof'), 'kept');
  await askEngine(stage.engine.docker.socket, await archive('/data'), {
    method: 'PUT',
    body: tarOf(['-C', folder, 'proof']),
  });
}

/** Throws when the file is not there. */
async function read(): Promise<void> {
  const { text } = await askEngine(stage.engine.docker.socket, await archive('/data/proof'));
  expect(text).toContain('kept');
}

async function archive(path: string): Promise<string> {
  const running = (await containersOf(stage.engine, stage.owner)).find(({ State }) => State === 'running');
  return `/containers/${running?.Id ?? '-'}/archive?path=${encodeURIComponent(path)}`;
}
