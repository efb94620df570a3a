import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clockFinding } from '../../src/app/doctor/clock.ts';
import { engineFinding } from '../../src/app/doctor/engine.ts';
import { within, well, type Finding } from '../../src/app/doctor/finding.ts';
import { portFindings, type Wanted } from '../../src/app/doctor/ports.ts';
import { registryFinding } from '../../src/app/doctor/registries.ts';
import { stateFinding } from '../../src/app/doctor/state-folder.ts';
import { commands } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/model/failure.ts';
import type { Reached } from '../../src/registry/index.ts';
import type { EngineAbout } from '../../src/runtime/runtime.ts';
import { terminal } from '../cli/terminal.ts';
import { authority } from '../registry/certificates.ts';
import { loggingProxy, tlsFront } from '../registry/fronts.ts';
import { status, stubRegistry } from '../registry/stub-registry.ts';

let folder = '';
const closers: (() => Promise<unknown>)[] = [];
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'doctor-'))));
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
  await rm(folder, { recursive: true, force: true });
});

const kept = <T extends { close(): Promise<unknown> }>(one: T): T => {
  closers.push(() => one.close());
  return one;
};

const manifestOf = (...images: readonly string[]): string =>
  [
    'version: "1.1"',
    images.length === 0 ? 'servers: []' : 'servers:',
    ...images.map(
      (image, at) => `  - { name: s${at}, version: "1.0.0", docker: { image: "${image}", port: 8080 } }`,
    ),
    '',
  ].join('\n');

async function doctor(manifest: string, options: string, env: Record<string, string> = {}) {
  await writeFile(join(folder, 'ecosystem-manifest.yaml'), manifest);
  const io = terminal({ env: { DOCKER_CONFIG: folder, ...env } });
  const line = `doctor --manifest ${folder} --state ${folder}/state --listen 127.0.0.1:0 ${options}`;
  const code = await runProgram(commands, line.split(' '), { ...io, version: '1.2.3' });
  return { code, out: io.stdout.text, err: io.stderr.text };
}

const NO_ENGINE = '--docker /nowhere/docker.sock';
const findingsOf = (out: string): Finding[] => (JSON.parse(out) as { findings: Finding[] }).findings;
const about = (out: string, check: string): Finding[] =>
  findingsOf(out).filter((finding) => finding.check === check);

describe('doctor', () => {
  it('finds nothing wrong where nothing is, and writes nothing', async () => {
    const { code, out, err } = await doctor(manifestOf('liminalcommons/a'), '--runtime memory');
    expect([code, err]).toEqual([0, '']);
    for (const check of ['engine', 'git', 'registry', 'state', 'ports', 'clock'])
      expect(out).toMatch(new RegExp(`^ok +${check} `, 'm'));
    expect(await readdir(folder)).toEqual(['ecosystem-manifest.yaml']);
  });

  it('looks at all the rest where one thing is wrong, and says of each what to do', async () => {
    const { code, out } = await doctor('servers: 1\n', `${NO_ENGINE} --publish-address 203.0.113.9 --json`);
    expect(code).toBe(1);
    const bad = findingsOf(out).filter(({ ok }) => !ok);
    expect(bad.map(({ check }) => check)).toEqual(['engine', 'git', 'registry', 'ports']);
    expect(bad.every(({ todo }) => todo !== null && todo !== '')).toBe(true);
    expect(about(out, 'state')[0]?.ok).toBe(true);
  });

  it('tells what keeps the engine from being asked at all, and looks at the rest', async () => {
    const tls = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: join(folder, 'no-certificates') };
    const { code, out } = await doctor(manifestOf(), '--docker tcp://127.0.0.1:1 --json', tls);
    expect(code).toBe(1);
    expect(about(out, 'engine')[0]?.says).toContain('DOCKER_CERT_PATH: ca.pem cannot be read');
    expect(about(out, 'git')[0]?.ok).toBe(true);
  });

  it('shows how each registry is reached and where credentials would go, and sends none', async () => {
    const front = kept(
      await tlsFront(
        status(401, { 'www-authenticate': 'Bearer realm="https://auth.corp.test/token",service="s"' }),
      ),
    );
    const proxy = kept(await loggingProxy(front.port));
    const plain = kept(await stubRegistry(status(200)));
    const auth = Buffer.from('me:secret').toString('base64');
    await writeFile(
      join(folder, 'config.json'),
      JSON.stringify({ auths: { 'registry.corp.test': { auth } } }),
    );
    await writeFile(join(folder, 'ca.pem'), authority);
    const env = {
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      SSL_CERT_FILE: join(folder, 'ca.pem'),
    };
    const images = manifestOf('registry.corp.test/acme/a', `${plain.host}/acme/b`);
    const { out } = await doctor(images, `${NO_ENGINE} --trust registry.corp.test/*/* --json`, env);
    expect(about(out, 'registry')).toEqual([
      well(
        'registry',
        `registry.corp.test: https, certificate checked; by the proxy 127.0.0.1:${proxy.port}; authorities also of ` +
          `${join(folder, 'ca.pem')}; asks for a token; the credentials of config.json go to auth.corp.test`,
      ),
      well(
        'registry',
        `${plain.host}: http without encryption (this machine); no proxy; asks for no credentials`,
      ),
    ]);
    expect(proxy.asked).toEqual(['CONNECT registry.corp.test:443']);
    expect(plain.shown).toEqual([undefined]);
  });

  it('says what to do for a registry that is away, is none, or would have credentials sent in the open', async () => {
    const none = kept(await stubRegistry(status(404)));
    const open = kept(
      await stubRegistry(status(401, { 'www-authenticate': 'Bearer realm="http://auth.corp.test/token"' })),
    );
    const gone = await stubRegistry(status(200));
    await gone.close();
    const images = manifestOf(`${none.host}/a/a`, `${open.host}/a/a`, `${gone.host}/a/a`);
    const { code, out } = await doctor(images, `${NO_ENGINE} --json`);
    expect(code).toBe(1);
    const [first, second, third] = about(out, 'registry').map(({ says }) => says);
    expect(first).toContain('it is no registry');
    expect(second).toContain('names a token server without encryption, auth.corp.test');
    expect(third).toContain(`${gone.host} cannot be asked`);
  });
});

const engine: EngineAbout = {
  ...{ family: 'Docker Engine', version: '27.1', api: '1.46', platform: 'linux/amd64', storage: 'overlay2' },
  ...{ enforces: { cpus: true, memory: true, pids: true }, rootless: false, time: null, warnings: [] },
  insecure: { hosts: ['registry.lan:5000'], ranges: ['127.0.0.0/8'] },
  proxies: { http: '', https: 'http://me:secret@proxy.corp:3128', no: '' },
};

const reached: Reached = {
  ...{ host: 'ghcr.io', spoken: 'https', unchecked: null, proxy: null, time: null },
  certificates: { from: [], troubles: [] },
  ...{ asksFor: 'a token', shownTo: 'ghcr.io', credentials: null, trouble: null },
};

describe('each line', () => {
  it('of the engine tells who it is, no password of its proxy, and which limits do not hold', () => {
    expect(engineFinding(engine)).toEqual(
      well(
        'engine',
        'Docker Engine 27.1, API 1.46, linux/amd64; images in overlay2; insecure registries registry.lan:5000; pulls by the proxy proxy.corp:3128',
      ),
    );
    const weak = engineFinding({ ...engine, enforces: { cpus: false, memory: true, pids: false } });
    expect(weak).toMatchObject({ ok: false, says: expect.stringContaining('cpus, pids') as string });
  });

  it('of a registry tells credentials that cannot be had, and certificates that cannot be used', () => {
    expect(registryFinding(reached)).toMatchObject({
      ok: true,
      says: expect.stringContaining('there are none') as string,
    });
    const trouble = new Failure('registry_denied', 'docker-credential-x is not installed', {
      suggestedAction: 'y',
    });
    expect(registryFinding({ ...reached, trouble })).toMatchObject({
      ...{ ok: false, todo: 'y' },
      says: expect.stringContaining(
        'docker-credential-x is not installed, so it is asked as nobody',
      ) as string,
    });
    const certificates = { from: [], troubles: ['/x cannot be read (EACCES)'] };
    expect(registryFinding({ ...reached, certificates })).toMatchObject({ ok: false });
  });

  it('of the state folder tells where it cannot be written to', async () => {
    const made = join(folder, 'state');
    expect(await stateFinding(made)).toMatchObject({
      ok: true,
      says: expect.stringContaining('at the first start') as string,
    });
    await mkdir(made);
    expect((await stateFinding(made)).says).toMatch(/state: \d+ MB free$/);
    await writeFile(join(folder, 'file'), '');
    expect(await stateFinding(join(folder, 'file'))).toMatchObject({ ok: false });
    await chmod(made, 0o500);
    expect((await stateFinding(made)).ok, 'root may write everywhere').toBe(process.getuid?.() === 0);
  });

  it('of the ports tells what is taken, and by whom', async () => {
    const taken = createServer();
    await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
    closers.push(() => new Promise((closed) => taken.close(closed)));
    const { port } = taken.address() as AddressInfo;
    const wanted: Wanted = {
      ...{ listen: { host: '127.0.0.1', port }, publishAddress: '127.0.0.1', ours: new Set<number>() },
      ...{ hostPorts: [{ server: 'a', port }], isOrchestrator: () => Promise.resolve(false) },
    };
    const oks = async (more: Partial<Wanted>): Promise<boolean[]> =>
      (await portFindings({ ...wanted, ...more })).map(({ ok }) => ok);
    expect(await oks({})).toEqual([false, true, false]);
    expect(await oks({ ours: new Set([port]), isOrchestrator: () => Promise.resolve(true) })).toEqual([
      true,
      true,
      true,
    ]);
    expect(await oks({ publishAddress: '203.0.113.9', hostPorts: [] })).toEqual([false, false]);
    expect(await oks({ listen: { host: '::1', port: 0 }, hostPorts: [] })).toEqual([true, true]);
  });

  it('of the clock tells whose is another', () => {
    const now = Date.parse('2026-11-27T12:00:00Z');
    expect(clockFinding(now, [])).toMatchObject({ ok: true });
    expect(clockFinding(now, [{ whose: 'the engine', time: now - 2_000 }])).toMatchObject({ ok: true });
    expect(clockFinding(now, [{ whose: 'ghcr.io', time: now + 90_000 }])).toMatchObject({
      ...{ ok: false, says: '2026-11-27T12:00:00.000Z, off by 90 s to that of ghcr.io' },
    });
  });

  it('is there by its deadline, and even where the mistake is our own', async () => {
    const clock = systemClock;
    const hangs = within(0.05, 'engine', { clock, look: () => new Promise(() => undefined) });
    expect(await hangs).toMatchObject([{ check: 'engine', ok: false, says: 'no answer within 0.05 s' }]);
    const throws = within(5, 'git', { clock, look: () => Promise.reject(new TypeError('x')) });
    expect(await throws).toMatchObject([
      { check: 'git', ok: false, says: 'a mistake of our own: TypeError: x' },
    ]);
  });
});
