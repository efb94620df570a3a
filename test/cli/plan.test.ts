import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preview, type PreviewConfig } from '../../src/app/preview.ts';
import { commands } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { FakeEngine } from '../support/fake-engine.ts';
import { git } from '../support/git-remote.ts';
import { terminal } from './terminal.ts';

const server = (name: string): string => `
  - name: mcp-server-${name}
    version: "1.0.0"
    docker: { image: liminalcommons/mcp-server-${name}, port: 8080 }
    update: { min_healthy_seconds: 0 }`;
const manifestOf = (...names: readonly string[]): string =>
  `version: "1.1"\nservers:${names.length === 0 ? ' []' : names.map(server).join('')}\n`;
const MANIFEST = manifestOf('a');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'));
  await writeFile(join(folder, 'ecosystem-manifest.yaml'), MANIFEST);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function type(line: string): Promise<{ code: number; out: string; err: string }> {
  const io = terminal();
  const code = await runProgram(commands, line.split(' '), { ...io, version: '1.2.3' });
  return { code, out: io.stdout.text, err: io.stderr.text };
}

const here = (): string => `--manifest ${folder} --state ${folder}/state --runtime memory`;
const runOnce = (): ReturnType<typeof type> =>
  type(`run ${here()} --listen 127.0.0.1:0 --log-level silent --once`);

async function commit(content: string, ...message: readonly string[]): Promise<void> {
  await writeFile(join(folder, 'ecosystem-manifest.yaml'), content);
  await git(folder, 'init', '--initial-branch=main');
  await git(folder, 'add', 'ecosystem-manifest.yaml');
  await git(folder, 'commit', ...message.flatMap((each) => ['-m', each]));
}

describe('plan', () => {
  it('says what run would do, and changes nothing', async () => {
    const { code, out, err } = await type(
      `plan --manifest ${folder} --state ${folder}/state --runtime memory --detailed-exitcode`,
    );
    expect([code, out, err]).toEqual([2, expect.stringContaining('mcp-server-a  pull 1.0.0'), '']);
    const json = await type(`plan --manifest ${folder} --state ${folder}/state --runtime memory --json`);
    expect(JSON.parse(json.out)).toMatchObject({ decisions: [{ server: 'mcp-server-a' }] });
  });

  it('exits 3 when the manifest is refused', async () => {
    await writeFile(join(folder, 'ecosystem-manifest.yaml'), 'servers: 1\n');
    expect(await type(`plan --manifest ${folder} --runtime memory`)).toMatchObject({ code: 3 });
  });

  it('compares with another commit without an engine', async () => {
    await commit(MANIFEST, 'first');
    await commit(MANIFEST.replace('1.0.0', '1.1.0'), 'second');
    const asked = `plan --manifest ${folder} --base HEAD~1 --docker /nonexistent/docker.sock`;
    expect((await type(`${asked} --format markdown`)).out).toContain('1.0.0 -> 1.1.0');
    expect(JSON.parse((await type(`${asked} --format json`)).out)).toHaveLength(1);
    expect(await type(`${asked.replace('HEAD~1', 'main')} --detailed-exitcode`)).toMatchObject({ code: 0 });
  });

  it('lets a change through that mends a broken base, and says that the base cannot be read', async () => {
    await commit('version: "1.1"\nservers: 1\n', 'broken');
    await commit(MANIFEST, 'mended');
    const asked = `plan --manifest ${folder} --base HEAD~1`;
    const { code, out, err } = await type(asked);
    expect([code, out]).toEqual([0, expect.stringMatching(/HEAD~1 cannot be read[^]*mcp-server-a[^]*added/)]);
    expect(err).toContain('ecosystem-manifest.yaml:2');
    expect(JSON.parse((await type(`${asked} --json`)).out)).toMatchObject([{ kind: 'added' }]);
    expect(await type(`plan --manifest ${folder} --base nowhere`)).toMatchObject({ code: 1 });
  });

  it('sees what the commits since the accepted one release, as run would', async () => {
    await commit(manifestOf('a', 'b', 'c'), 'three');
    await runOnce();
    await commit(manifestOf('a'), 'Remove two', 'Allow-Removal: mcp-server-b, mcp-server-c');
    await commit(`${manifestOf('a')}x-note: 1\n`, 'later');
    const { world } = await preview(configOf(folder), terminal());
    expect(world.memory.allowRemoval).toEqual(['mcp-server-b', 'mcp-server-c']);
  });

  it('refuses a history that was rewritten, as run would, unless it is allowed', async () => {
    await commit(MANIFEST, 'first');
    await commit(MANIFEST.replace('1.0.0', '1.1.0'), 'second');
    await runOnce();
    await git(folder, 'reset', '--hard', 'HEAD~1');
    const { code, err } = await type(`plan ${here()}`);
    expect([code, err]).toEqual([3, expect.stringContaining('does not descend from the accepted')]);
    expect(await type(`plan ${here()} --allow-rewind`)).toMatchObject({ code: 0 });
  });

  it('writes nothing: neither into the state folder nor to the engine', async () => {
    await commit(MANIFEST, 'first');
    await runOnce();
    const digest = `sha256:${'a'.repeat(64)}`;
    await commit(
      MANIFEST.replace('mcp-server-a,', `mcp-server-a@${digest},`).replace('"1.0.0"', '"1.1.0"'),
      'next',
    );
    const engine = await FakeEngine.open();
    const before = await everythingIn(join(folder, 'state'));
    const { code, out } = await type(
      `plan --manifest ${folder} --state ${folder}/state --docker ${engine.socket} --detailed-exitcode`,
    );
    await engine.destroy();
    expect([code, out]).toEqual([2, expect.stringContaining('mcp-server-a')]);
    expect(await everythingIn(join(folder, 'state'))).toEqual(before);
    expect(engine.calls.length).toBeGreaterThan(0);
    expect(engine.calls.filter((call) => !/^(GET|HEAD) /.test(call))).toEqual([]);
  });

  it('makes no state folder where there is none', async () => {
    await type(`plan ${here()}`);
    expect(await readdir(folder)).toEqual(['ecosystem-manifest.yaml']);
  });
});

const configOf = (manifest: string): PreviewConfig => ({
  ...{ manifest, branch: null, path: 'ecosystem-manifest.yaml', gitTokenFile: null, sshKey: null },
  ...{
    state: join(manifest, 'state'),
    eventsFile: null,
    allowRewind: false,
    runtime: 'memory',
    docker: null,
  },
  ...{ owner: 'default', secrets: null, publishAddress: '127.0.0.1', advertise: null, reach: 'host' },
  ...{ policy: null, trust: [] },
});

/** Every file with its content and when it was written. */
async function everythingIn(place: string): Promise<Readonly<Record<string, unknown>>> {
  const files = (await readdir(place, { recursive: true, withFileTypes: true })).filter((each) =>
    each.isFile(),
  );
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(
    await Promise.all(
      paths.map(async (path) => [path, [await readFile(path, 'utf8'), (await stat(path)).mtimeMs]] as const),
    ),
  );
}
