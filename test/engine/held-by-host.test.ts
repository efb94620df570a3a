import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askEngine, callEngine } from '../../examples/engine/engine-call.ts';
import { isReady } from '../../examples/stage/status.ts';
import { openTestStage, type TestStage } from '../support/stage.ts';

let stage: TestStage;
let folder: string;
beforeAll(async () => {
  stage = await openTestStage();
  folder = await realpath(await mkdtemp(join(tmpdir(), 'held-by-host-')));
  await mkdir(join(folder, 'work'));
});
afterAll(async () => {
  await stage.close();
  await rm(folder, { recursive: true });
});

const engine = async <T>(path: string, body: object): Promise<T> => {
  const { text } = await askEngine(stage.engine.docker.socket, path, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return JSON.parse(text) as T;
};
const drop = (path: string): Promise<unknown> =>
  callEngine(stage.engine.docker.socket, path, { method: 'DELETE' });

test('a contributor gets nothing of the host by a link, a name of a volume, a network or a port: each is told, the others go on', async () => {
  const [port, volume] = [1023, `${stage.name('vol')}_db`];
  await engine('/volumes/create', { Name: volume });
  const { Id } = await engine<{ Id: string }>('/networks/create', { Name: stage.name('other-net') });
  await symlink('/', join(folder, 'out'));
  const policy = join(folder, 'policy.yaml');
  const work = join(folder, 'work');
  const rules = {
    trusted_images: ['127.0.0.1:*/*/*'],
    allow_host_paths: [folder],
    allow_networks: [Id.slice(0, 5)],
  };
  await writeFile(policy, JSON.stringify(rules));
  const watching = await stage.watch({ options: ['--policy', policy] });
  const path = (source: string): object => ({ volumes: [{ source, target: '/data', read_only: true }] });
  await stage.merge([
    stage.entry('well', { docker: path(work) }),
    stage.entry('link', { docker: path(join(folder, 'out')) }),
    stage.entry('vol', { docker: { volumes: [{ source: 'db', target: '/data' }] } }),
    stage.entry('net', { docker: { networks: ['mcp-network', Id.slice(0, 5)] } }),
    stage.entry('port', { docker: { host_port: port } }),
  ]);
  for (const [short, phase, reason] of [
    ['vol', 'held', 'foreign_volume'],
    ['link', 'refused', 'host_path_link'],
    ['net', 'held', 'network_missing'],
    ['port', 'refused', 'host_port_not_allowed'],
  ] as const) {
    const record = await watching.status.server(stage.name(short), (one) => one.reason === reason);
    expect(record, short).toMatchObject({ phase, endpoints: [] });
    expect(record.suggested_action, short).toMatch(/\w+/);
    if (short === 'vol') await drop(`/volumes/${volume}`);
  }
  for (const short of ['vol', 'well']) await watching.status.server(stage.name(short), isReady);
  await drop(`/networks/${Id}`);
});
