import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/model/failure.ts';
import type { Spec } from '../../src/model/spec.ts';
import { openState, readState } from '../../src/state/index.ts';
import { inState, stateFailure } from '../../src/state/unusable.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'state-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const digestOf = (letter: string): string => `sha256:${letter.repeat(64)}`;

/** As much of a spec as the store looks at. */
const specOf = (letter: string, server = 'mcp-server-github'): Spec => {
  const spec = {
    digest: digestOf(letter),
    server,
    image: 'docker.io/o/i:1',
    imageDigest: digestOf('0'),
    settings: {},
  };
  return spec as unknown as Spec;
};

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const outcome = await promise.catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error(`expected a Failure, got ${JSON.stringify(outcome)}`);
}

describe('the state folder', () => {
  it('is made where it is missing, closed to others, and may be opened again', async () => {
    const path = join(await temporaryFolder(), 'deep', 'state');
    const state = await openState(path, systemClock);
    expect(state.path).toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await readdir(path)).sort()).toEqual(['requests', 'specs']);
    await openState(path, systemClock);
  });

  it('that is a file, or lies under one, is unusable, with advice', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    for (const path of [file, join(file, 'state')]) {
      const failure = await failureOf(openState(path, systemClock));
      expect(failure).toMatchObject({ code: 'state_unusable' });
      expect(failure.suggestedAction).toContain('A file is in the way');
    }
  });

  it('that has a folder where a file should be is unusable', async () => {
    const path = await temporaryFolder();
    await mkdir(join(path, 'writable', 'x'), { recursive: true });
    expect((await failureOf(openState(path, systemClock))).code).toBe('state_unusable');
  });

  it.each([
    ['ENOSPC', 'disk_full', 'Free space'],
    ['EDQUOT', 'disk_full', 'quota'],
    ['EROFS', 'state_unusable', 'read-only'],
    ['EACCES', 'state_unusable', 'own it'],
    ['EIO', 'state_unusable', 'Check its disk'],
  ])('answering %s is %s', async (code, expected, advice) => {
    const error = Object.assign(new Error('no'), { code });
    expect(stateFailure('/s', error)).toMatchObject({
      code: expected,
      message: `the state folder /s cannot be used (${code})`,
    });
    expect(stateFailure('/s', error).suggestedAction).toContain(advice);
    expect((await failureOf(inState('/s', () => Promise.reject(error)))).code).toBe(expected);
  });

  it('does not hide our own mistakes', async () => {
    await expect(inState('/s', () => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug');
    const told = new Failure('disk_full', 'x');
    await expect(inState('/s', () => Promise.reject(told))).rejects.toBe(told);
  });

  it('that is only looked at is not made', async () => {
    const path = join(await temporaryFolder(), 'state');
    const state = readState(path, systemClock);
    expect([await state.specs.load(), await state.accepted.load(), await state.requests.take()]).toEqual([
      {},
      null,
      [],
    ]);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await failureOf(state.specs.keep(specOf('a')))).suggestedAction).toContain('--state');
  });
});

describe('resolved specs', () => {
  it('are kept for their owner alone, and read again at the next start', async () => {
    const path = await temporaryFolder();
    const state = await openState(path, systemClock);
    for (const letter of ['a', 'b', 'a']) await state.specs.keep(specOf(letter));
    const again = await (await openState(path, systemClock)).specs.load();
    expect(again).toEqual({ [digestOf('a')]: specOf('a'), [digestOf('b')]: specOf('b') });
    expect((await stat(join(path, 'specs', `${digestOf('a')}.json`))).mode & 0o777).toBe(0o600);
  });

  it('are forgotten but for those that are needed; strangers files stay', async () => {
    const path = await temporaryFolder();
    const state = await openState(path, systemClock);
    for (const letter of ['a', 'b', 'c']) await state.specs.keep(specOf(letter));
    await writeFile(join(path, 'specs', 'notes.txt'), '');
    await state.specs.retain([digestOf('b'), digestOf('f')]);
    expect((await readdir(join(path, 'specs'))).sort()).toEqual(['notes.txt', `${digestOf('b')}.json`]);
  });

  it('that are torn, under a wrong name, or no specs are not read', async () => {
    const path = await temporaryFolder();
    const state = await openState(path, systemClock);
    await state.specs.keep(specOf('a'));
    const home = join(path, 'specs');
    await writeFile(join(home, `${digestOf('b')}.json`), JSON.stringify(specOf('a')));
    await writeFile(join(home, `${digestOf('c')}.json`), '{"digest": "sha2');
    await writeFile(join(home, `${digestOf('d')}.json`), 'null');
    await writeFile(join(home, `${digestOf('e')}.json`), JSON.stringify({ digest: digestOf('e') }));
    await writeFile(join(home, '.DS_Store'), '');
    expect(Object.keys(await state.specs.load())).toEqual([digestOf('a')]);
  });

  it('never leave the folder by their name', async () => {
    const state = await openState(await temporaryFolder(), systemClock);
    expect(() => state.specs.keep({ ...specOf('a'), digest: 'sha256:../../x' })).toThrow('not a digest');
  });

  it('that cannot be read are a failure, not a loss', async () => {
    const path = await temporaryFolder();
    const state = await openState(path, systemClock);
    await mkdir(join(path, 'specs', `${digestOf('a')}.json`));
    expect((await failureOf(state.specs.load())).code).toBe('state_unusable');
  });
});

describe('the accepted manifest', () => {
  const accepted = {
    revision: 'abc',
    source: 's',
    traceId: 't',
    commits: [],
    file: 'm.yaml',
    content: 'version: "1.0" # ü\n',
  };

  it('is read again at the next start, and lies there for people as well', async () => {
    const path = await temporaryFolder();
    const state = await openState(path, systemClock);
    expect(await state.accepted.load()).toBeNull();
    await state.accepted.keep(accepted);
    expect(await (await openState(path, systemClock)).accepted.load()).toEqual(accepted);
    expect(await readFile(join(path, 'accepted.yaml'), 'utf8')).toBe(accepted.content);
  });

  it('is the last whole one after a death between its two files', async () => {
    const path = await temporaryFolder();
    const state = await openState(path, systemClock);
    await state.accepted.keep(accepted);
    await writeFile(join(path, 'accepted.yaml'), 'torn');
    expect((await state.accepted.load())?.content).toBe(accepted.content);
  });

  it.each(['', '{"revision": "a"', '[]', '{"revision": 1}'])('that reads %j is none', async (text) => {
    const path = await temporaryFolder();
    const state = await openState(path, systemClock);
    await writeFile(join(path, 'accepted.json'), text);
    expect(await state.accepted.load()).toBeNull();
  });
});
