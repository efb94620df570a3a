import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../src/lib/clock.ts';
import { whileHeard } from '../../src/source/deadline.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { git, type Repository, serveOverHttp, type Served } from '../support/git-remote.ts';
import { processesWith } from '../support/processes.ts';
import { failureOf, MANIFEST, open, repository, served, textOf, within } from './stage.ts';

const MEGABYTE = 1024 * 1024;

interface Setting {
  readonly repo: Repository;
  readonly server: Served;
  readonly given: { readonly manifest: string; readonly cloneDirectory: string };
}

async function setting(
  options: Parameters<typeof serveOverHttp>[1] & { readonly filters?: boolean } = {},
): Promise<Setting> {
  const repo = await repository();
  await git(repo.bare, 'config', 'uploadpack.allowFilter', String(options.filters ?? true));
  for (const folder of [repo.bare, repo.work]) {
    await git(folder, 'config', 'core.compression', '0');
    await git(folder, 'config', 'core.bigFileThreshold', '1m');
  }
  const server = await served(serveOverHttp(repo.folder, options));
  const cloneDirectory = join(repo.folder, 'state', 'source');
  return { repo, server, given: { manifest: `${server.url}/remote.git`, cloneDirectory } };
}

/** Bytes in files under a folder. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = files.map(({ parentPath, name }) =>
    // One may go while we look.
    stat(join(parentPath, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describe('of a remote repository', () => {
  it('the manifest alone is fetched, however large what is merged beside it', async () => {
    const { repo, server, given } = await setting();
    await repo.commit({ [MANIFEST]: '1', 'film.bin': randomBytes(MEGABYTE) });
    const source = await open(given);
    const first = await source.read(null, within());
    expect(textOf(first)).toBe('1');
    await repo.commit({ 'film.bin': randomBytes(60 * MEGABYTE) });
    const last = await repo.commit({ [MANIFEST]: '2' }, { trailers: { 'Trace-Id': 't2' } });
    const second = await source.read(first?.revision ?? '', within());
    expect(textOf(second)).toBe('2');
    expect(await source.between?.(first?.revision ?? '', last, within())).toMatchObject({
      rewind: false,
      commits: [{ revision: last, traceId: 't2' }, {}],
    });
    expect(server.sent()).toBeLessThan(100_000);
    expect(await sizeOf(given.cloneDirectory)).toBeLessThan(MEGABYTE);
  });

  it('nothing of its past is fetched, also from a server that leaves nothing out', async () => {
    const { repo, server, given } = await setting({ filters: false });
    await repo.commit({ [MANIFEST]: '0', 'film.bin': randomBytes(5 * MEGABYTE) });
    await git(repo.work, 'rm', '--quiet', 'film.bin');
    await repo.commit({ [MANIFEST]: '1' });
    expect(textOf(await (await open(given)).read(null, within()))).toBe('1');
    expect(server.sent()).toBeLessThan(100_000);
  });

  it('a version is written back from a clone that has next to nothing', async () => {
    const { repo, given } = await setting();
    await git(repo.bare, 'config', 'http.receivepack', 'true');
    const base = await repo.commit({ [MANIFEST]: 'one', 'film.bin': randomBytes(2 * MEGABYTE) });
    const proposal = { base, content: Buffer.from('two'), message: 'Raise a', branch: null };
    const made = await (await open(given)).propose?.(proposal, within());
    expect(await git(repo.bare, 'rev-parse', 'main', 'main~1')).toBe(`${made?.revision ?? ''}\n${base}`);
    expect(await git(repo.bare, 'show', `main:${MANIFEST}`)).toBe('two');
    expect(await sizeOf(given.cloneDirectory)).toBeLessThan(MEGABYTE);
  });

  it.each([
    ['filters', true],
    ['no filters', false],
  ])('a server of the old protocol with %s is read as well', async (_with, filters) => {
    const { repo, given } = await setting({ filters, isOld: true });
    const first = await repo.commit({ [MANIFEST]: '1' });
    const source = await open(given);
    expect(textOf(await source.read(null, within()))).toBe('1');
    const second = await repo.commit({ [MANIFEST]: '2' });
    expect(textOf(await source.read(first, within()))).toBe('2');
    expect(await source.descends?.(first, second, within())).toBe(true);
  });

  it('a server that only hands out files is read as well', async () => {
    const { repo, given } = await setting();
    const first = await repo.commit({ [MANIFEST]: '1' });
    const url = await serveFiles(repo);
    const source = await open({ ...given, manifest: `${url}/remote.git` });
    expect(textOf(await source.read(null, within()))).toBe('1');
    const second = await repo.commit({ [MANIFEST]: '2' });
    await git(repo.bare, 'update-server-info');
    expect(textOf(await source.read(first, within()))).toBe('2');
    expect(await source.descends?.(first, second, within())).toBe(true);
  });
});

/** Plain files over http, as any web server gives them. */
async function serveFiles({ folder, bare }: Repository): Promise<string> {
  await git(bare, 'update-server-info');
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    void readFile(join(folder, path)).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** Sends the pack as it is told to: a beginning at once, and then a slice each time. */
function sender(slice: number) {
  let more: () => void = () => undefined;
  const send = (body: Buffer, response: ServerResponse): void => {
    let at = 0;
    more = () => {
      response.write(body.subarray(at, at + slice));
      at += slice;
      if (at >= body.length) response.end();
    };
    more();
  };
  return { send, more: () => more() };
}

/** Tells how often a sign of life was noted. */
function listening() {
  const clock = fakeClock();
  let looks = 0;
  const counting: Clock = { ...clock, elapsed: () => ((looks += 1), clock.elapsed()) };
  return { clock: counting, advance: (ms: number) => clock.advance(ms), looks: () => looks };
}

describe('a slow remote', () => {
  it('is waited for as long as bytes arrive, and is given up a minute after the last', async () => {
    const { send, more } = sender(64 * 1024);
    const { repo, given } = await setting({ filters: false, send });
    await repo.commit({ [MANIFEST]: '1', 'film.bin': randomBytes(8 * MEGABYTE) });
    const { clock, advance, looks } = listening();
    const read = (await open({ ...given, clock })).read(null, within());
    const failed = failureOf(read);
    for (let minutes = 0; minutes < 3; minutes += 1) {
      const before = looks();
      await expect.poll(() => (more(), looks())).toBeGreaterThan(before);
      await advance(50_000);
    }
    const isOver = await Promise.race([failed.then(() => true), Promise.resolve(false)]);
    expect(isOver).toBe(false);
    await expect.poll(async () => (await advance(61_000), processesWith(given.manifest))).toEqual([]);
    expect(await failed).toMatchObject({
      code: 'source_unreachable',
      message: 'git heard nothing of the repository for 60 s',
    });
  });

  it('leaves nothing on the disk, however often it is given up in the middle', async () => {
    const { send, more } = sender(256 * 1024);
    const { repo, given } = await setting({ filters: false, send });
    await repo.commit({ [MANIFEST]: '1', 'film.bin': randomBytes(8 * MEGABYTE) });
    const source = await open(given);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const stop = new AbortController();
      const failed = failureOf(source.read(null, stop.signal));
      await expect.poll(async () => (more(), sizeOf(given.cloneDirectory))).toBeGreaterThan(MEGABYTE);
      stop.abort();
      expect(await failed).toMatchObject({ code: 'source_unreachable' });
      expect(await sizeOf(given.cloneDirectory)).toBeLessThan(200_000);
    }
  });
});

it('patience begins anew with each sign of life, and ends with whoever waits', async () => {
  const clock = fakeClock();
  const heard = whileHeard(60_000, clock, new AbortController().signal);
  await clock.advance(59_000);
  heard.hear();
  await clock.advance(59_000);
  expect(heard.signal.aborted).toBe(false);
  await clock.advance(1_000);
  expect(heard.signal.aborted).toBe(true);
  const stop = new AbortController();
  const waiting = whileHeard(60_000, clock, stop.signal);
  stop.abort();
  expect(waiting.signal.aborted).toBe(true);
  waiting.end();
});

describe('killed with SIGKILL in the middle of a fetch', () => {
  it('we leave no git behind, and the next start reads on, whatever locks lie there', async () => {
    const { send, more } = sender(64 * 1024);
    const { repo, server, given } = await setting({ filters: false, send });
    await repo.commit({ [MANIFEST]: '1', 'film.bin': randomBytes(4 * MEGABYTE) });
    const us = spawn(process.execPath, ['--import', 'tsx', '-e', reading(given)], { stdio: 'ignore' });
    onTestFinished(() => void us.kill('SIGKILL'));
    await expect.poll(async () => (more(), sizeOf(given.cloneDirectory))).toBeGreaterThan(MEGABYTE);
    expect(await processesWith(given.manifest)).not.toEqual([]);
    us.kill('SIGKILL');
    await expect.poll(() => processesWith(given.manifest)).toEqual([]);
    await server.close();
    const clone = join(given.cloneDirectory, 'repository.git');
    for (const lock of [
      'shallow.lock',
      'index.lock',
      'config.lock',
      'packed-refs.lock',
      'refs/heads/fetched.lock',
    ])
      await writeFile(join(clone, lock), '');
    const again = await served(serveOverHttp(repo.folder, { port: server.port }));
    expect(again.url).toBe(server.url);
    expect(textOf(await (await open(given)).read(null, within()))).toBe('1');
    expect(await sizeOf(clone)).toBeLessThan(6 * MEGABYTE);
  });
});

const reading = (given: Setting['given']): string => `
  import { openSource } from ${JSON.stringify(join(import.meta.dirname, '../../src/source/index.ts'))};
  import { systemClock as clock } from ${JSON.stringify(join(import.meta.dirname, '../../src/lib/clock.ts'))};
  const log = { warn() {} };
  const options = { log, branch: null, path: 'x.yaml', tokenFile: null, sshKey: null, environment: process.env, clock };
  const source = await openSource({ ...options, ...${JSON.stringify(given)} });
  await source.read(null, new AbortController().signal);
`;

it('a clone of which nothing was fetched yet is gone on with', async () => {
  const { repo, given } = await setting();
  await repo.commit({ [MANIFEST]: '1' });
  const source = await open(given);
  await source.read(null, within());
  const clone = join(given.cloneDirectory, 'repository.git');
  await git(clone, 'update-ref', '-d', 'refs/heads/fetched');
  expect(textOf(await source.read(null, within()))).toBe('1');
});
