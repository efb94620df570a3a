import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askEngine } from '../../examples/engine/engine-call.ts';
import { containersOf } from '../../examples/stage/containers.ts';
import type { Watching } from '../../examples/stage/stage.ts';
import { allReady, eventsOf, openTestStage, type TestStage } from '../support/stage.ts';

let stage: TestStage;
let watching: Watching;
let server: string;
let folder: string;
const first = 'first-value-of-the-secret';
const second = 'second-value-of-the-secret';

beforeEach(async () => {
  stage = await openTestStage();
  server = stage.name('a');
  folder = join(stage.folder, 'secrets');
  await mkdir(join(folder, server), { recursive: true });
  await writeFile(join(folder, server, 'TOKEN'), first);
  watching = await stage.watch({ options: ['--secrets', folder, '--log-level', 'debug'] });
});
afterEach(() => stage.close());

interface Inspected {
  readonly Config: { readonly Env: readonly string[]; readonly Labels: unknown };
}

async function inspected(): Promise<Inspected> {
  const [container] = await containersOf(stage.engine, stage.owner);
  const { text } = await askEngine(stage.engine.docker.socket, `/containers/${container?.Id}/json`);
  return JSON.parse(text) as Inspected;
}

/** Everything that is written or answered, where a secret must never be. */
async function everythingTold(): Promise<string> {
  const { state } = watching.orchestrator;
  const files = await readdir(state, { recursive: true, withFileTypes: true });
  const kept = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), 'utf8'));
  const routes = ['/health', '/servers', `/servers/${server}/status`, '/health/status', '/openapi.json'];
  const answers = routes.map(async (route) => (await fetch(watching.url + route)).text());
  const labels = JSON.stringify((await inspected()).Config.Labels);
  return [...(await Promise.all([...kept, ...answers])), await watching.orchestrator.log(), labels].join(
    '\n',
  );
}

test('a secret reaches its container and is nowhere else; a rotated one is a new version', async () => {
  const wanted = { config: { secrets: [{ name: 'TOKEN', required: true }] } };
  await allReady(watching, await stage.merge([stage.entry('a', wanted)]), [server]);
  expect((await inspected()).Config.Env).toContain(`TOKEN=${first}`);
  const told = await everythingTold();
  expect(told).toContain('TOKEN');
  expect(told).not.toContain(first);

  await writeFile(join(folder, server, 'TOKEN'), second);
  const synced = watching.orchestrator.signal('SIGHUP');
  expect(synced).toBeUndefined();
  await expect.poll(() => eventsOf(watching, 'server_ready', server)).toHaveLength(2);
  await expect.poll(() => containersOf(stage.engine, stage.owner)).toHaveLength(1);
  expect((await inspected()).Config.Env).toContain(`TOKEN=${second}`);
  expect(await everythingTold()).not.toMatch(new RegExp(`${first}|${second}`));
});

test('an entry whose required secret is missing is refused with its name; the others go on', async () => {
  const wanted = { config: { secrets: [{ name: 'ABSENT', required: true }] } };
  const revision = await stage.merge([stage.entry('a', wanted), stage.entry('b')]);
  await allReady(watching, revision, [stage.name('b')]);
  const refused = await watching.status.server(
    server,
    ({ phase }) => phase === 'refused' || phase === 'failed',
  );
  expect(`${refused.reason} ${refused.suggested_action} ${refused.why}`).toContain('ABSENT');
  await writeFile(join(folder, server, 'ABSENT'), 'here-now');
  watching.orchestrator.signal('SIGHUP');
  await allReady(watching, revision, [server, stage.name('b')]);
});
