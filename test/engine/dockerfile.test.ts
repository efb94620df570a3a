import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askEngine, callEngine } from '../../examples/engine/engine-call.ts';
import { bring } from '../../examples/engine/packages.ts';
import { freePort } from '../../examples/engine/registry.ts';
import { buildImage } from '../../examples/images/engine-images.ts';
import { tarOf } from '../../examples/images/node-base.ts';
import { containersOf } from '../../examples/stage/containers.ts';
import { isReady, StatusFollower } from '../../examples/stage/status.ts';
import { composeOf } from '../support/compose.ts';
import { offlineBases } from '../support/offline-bases.ts';
import { openTestStage, type TestStage } from '../support/stage.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const context = [
  ...['.dockerignore', '.npmrc', 'Dockerfile', 'LICENSE', 'package.json', 'package-lock.json'],
  ...['tsconfig.json', 'tsconfig.build.json', 'src'],
];
let stage: TestStage;
let image: string;
let id = '';

const post = (path: string, body: object = {}): Promise<{ readonly text: string }> =>
  askEngine(stage.engine.docker.socket, path, {
    method: 'POST',
    body: JSON.stringify(body),
    deadlineMs: 60_000,
  });

const inspect = async (path: string): Promise<Inspected> =>
  JSON.parse((await askEngine(stage.engine.docker.socket, path)).text) as Inspected;

beforeAll(async () => {
  stage = await openTestStage();
  image = `127.0.0.1:${stage.engine.registry.port}/mcp-orchestration/orchestrator:${stage.name('test')}`;
  const buildArguments = await offlineBases(stage.engine);
  await buildImage(stage.engine, {
    reference: image,
    context: tarOf(['-C', root, ...context]),
    buildArguments,
  });
});
afterAll(async () => {
  const { socket } = stage.engine.docker;
  const remove = (path: string): Promise<unknown> =>
    callEngine(socket, path, { method: 'DELETE', deadlineMs: 60_000 });
  if (id !== '') await remove(`/containers/${id}?force=1&v=1`);
  await stage.close();
  await remove(`/images/${image}?force=1`);
});

test('the image is small, runs as nobody in particular, and says how to ask for its health', async () => {
  const { Config, Size } = await inspect(`/images/${image}/json`);
  expect(Config).toMatchObject({
    User: '1000:1000',
    StopSignal: 'SIGTERM',
    Entrypoint: ['node', '/app/dist/main.js'],
    Healthcheck: { Test: expect.arrayContaining(['CMD']) as string[] },
  });
  expect(Config.Labels).toMatchObject({ 'org.opencontainers.image.licenses': 'MIT' });
  const base = await inspect(
    `/images/127.0.0.1:${stage.engine.registry.port}/mcp-orchestration/offline-runtime:1/json`,
  );
  expect(Size - base.Size).toBeLessThan(50_000_000);
});

test('in a container, with the socket and its group alone, it reconciles a server', async () => {
  const { socket } = stage.engine.docker;
  const server = stage.name('a');
  // A container does not reach the registry of this machine; with a digest nobody has to ask it.
  const the = `127.0.0.1:${stage.engine.registry.port}/liminalcommons/the-server`;
  const { RepoDigests } = await inspect(`/images/${the}:1.0.0/json`);
  const digest = RepoDigests.find((one) => one.startsWith(the)) ?? '';
  await stage.merge([stage.entry('a', { docker: { image: digest } })]);
  const port = await freePort();
  await callEngine(socket, '/networks/create', {
    method: 'POST',
    body: JSON.stringify({ Name: 'mcp-network', CheckDuplicate: true }),
  });
  const created = await post('/containers/create', {
    Image: image,
    Cmd: ['run', '--manifest', '/manifest', '--owner', stage.owner, '--trust', `${the}`, '--open-status'],
    Env: ['MCP_ORCHESTRATION_LISTEN=0.0.0.0:8090'],
    ExposedPorts: { '8090/tcp': {} },
    // The image's own question, asked more often.
    Healthcheck: { Interval: 1_000_000_000, StartPeriod: 1_000_000_000 },
    HostConfig: {
      Binds: [`${socket}:/var/run/docker.sock`, `${stage.repository.bare}:/manifest:ro`],
      Tmpfs: { '/tmp': 'mode=1777', '/var/lib/mcp-orchestration': 'uid=1000,mode=0700' },
      GroupAdd: [String((await stat(socket)).gid)],
      PortBindings: { '8090/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
      ...{ NetworkMode: 'mcp-network', CapDrop: ['ALL'], ReadonlyRootfs: true, Init: true },
      SecurityOpt: ['no-new-privileges:true'],
    },
  });
  id = (JSON.parse(created.text) as { readonly Id: string }).Id;
  await post(`/containers/${id}/start`);
  const status = new StatusFollower(`http://127.0.0.1:${port}`);
  const ready = await status.server(server, isReady, 60_000).catch(async (error: unknown) => {
    const logs = await askEngine(socket, `/containers/${id}/logs?stdout=1&stderr=1`);
    throw new Error(`${String(error)}\n${logs.text}`);
  });
  expect(ready.endpoints[0]?.container_url).toMatch(new RegExp(`^http://${server}-.*:8080$`));
  const healthy = async (): Promise<string | undefined> =>
    (await inspect(`/containers/${id}/json`)).State.Health?.Status;
  await expect.poll(healthy).toBe('healthy');
});

test('it ends by itself when it is asked to, and its server runs on', async () => {
  await post(`/containers/${id}/stop?t=15`);
  expect((await inspect(`/containers/${id}/json`)).State).toMatchObject({ ExitCode: 0, Running: false });
  const servers = await containersOf(stage.engine, stage.owner);
  expect(servers.map(({ State }) => State)).toEqual(['running']);
});

test('the compose file, started by docker-compose as it is, is well, asks for its token and deploys a server', async () => {
  await bring(['docker-compose'], console.log);
  const { engine, owner, folder, name, repository } = stage;
  const { socket } = engine.docker;
  const the = `127.0.0.1:${engine.registry.port}/liminalcommons/the-server`;
  const { RepoDigests } = await inspect(`/images/${the}:1.0.0/json`);
  await stage.merge([
    stage.entry('composed', { docker: { image: RepoDigests.find((one) => one.startsWith(the)) } }),
  ]);
  const port = await freePort();
  const compose = await composeOf({
    ...{ engine, folder, name: name('compose') },
    instead: {
      'mcp-orchestration:0.1.0': image,
      '/var/run/docker.sock:': `${socket}:`,
      '127.0.0.1:8090:8090': `127.0.0.1:${port}:8090`,
    },
    more: {
      environment: { MCP_ORCHESTRATION_OWNER: owner, MCP_ORCHESTRATION_TRUST: the },
      volumes: [`${repository.bare}:/manifest:ro`],
    },
    exported: {
      MANIFEST: '/manifest',
      DOCKER_GROUP: String((await stat(socket)).gid),
    },
  });
  try {
    await compose('up', '--detach', '--no-build');
    const url = `http://127.0.0.1:${port}`;
    const asked = async (headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${url}/servers/${name('composed')}/status`, { headers });
    await expect.poll(async () => (await asked().catch(() => null))?.status).toBe(401);
    const ready = async (): Promise<unknown> => {
      const answer = await asked({ authorization: 'Bearer a-token-of-a-test' });
      return ((await answer.json()) as { readonly phase?: string }).phase;
    };
    await expect.poll(ready).toBe('ready');
    await expect.poll(() => compose('ps')).toContain('healthy');
  } catch (error) {
    throw new Error(`${String(error)}\n${await compose('logs', '--no-color')}`);
  } finally {
    await compose('rm', '--stop', '--force', '-v');
    await callEngine(socket, `/volumes/${name('compose')}`, { method: 'DELETE' });
  }
});

interface Inspected {
  readonly Size: number;
  readonly RepoDigests: readonly string[];
  readonly Config: Readonly<Record<string, unknown>>;
  readonly State: { readonly Health?: { readonly Status: string } };
}
