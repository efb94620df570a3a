import { spawn, type ChildProcess } from 'node:child_process';
import {
  chown,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import type { Result } from '../../src/lib/result.ts';
import { Failure } from '../../src/model/failure.ts';
import { lockEngine, lockWriter } from '../../src/state/index.ts';
import { hasEnded, ownLife } from '../../src/state/process-life.ts';
import type { WriterLock } from '../../src/state/state.ts';

const first = { who: { pid: 11, host: 'alpha', started: '2026-11-20T10:00:00Z' }, clock: systemClock };
const second = { who: { pid: 22, host: 'beta', started: '2026-11-21T10:00:00Z' }, clock: systemClock };

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function held(result: Result<WriterLock, string>): WriterLock {
  if (!result.ok) throw new Error(result.error);
  onTestFinished(() => result.value.release().catch(() => undefined));
  return result.value;
}

function refusal(result: Result<WriterLock, string>): string {
  if (result.ok) throw new Error('it was not refused');
  return result.error;
}

async function made(folder: string): Promise<string> {
  await mkdir(folder);
  return folder;
}

describe('the writer of a state folder', () => {
  it('is the only one, and the next is told who it is', async () => {
    const folder = await temporaryFolder();
    const lock = held(await lockWriter(folder, first));
    const said = refusal(await lockWriter(folder, second));
    expect(said).toContain('another orchestrator (process 11 on alpha, since 2026-11-20T10:00:00Z)');
    expect(said).toContain('--state');
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
    held(await lockWriter(folder, second));
  });

  it('that died is followed as soon as it gave no sign of life for ten seconds', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'lock'));
    const nineSecondsAgo = Date.now() / 1000 - 9;
    await utimes(join(folder, 'lock'), nineSecondsAgo, nineSecondsAgo);
    held(await lockWriter(folder, second));
  });

  it('of which nothing else is known is named so', async () => {
    const folder = await temporaryFolder();
    held(await lockWriter(folder, first));
    await writeFile(join(folder, 'writer.json'), 'torn');
    expect(refusal(await lockWriter(folder, second))).toMatch(/^another orchestrator already writes/);
  });

  it('whose clock is ahead is believed after a while', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'lock'));
    const ahead = Date.now() / 1000 + 3600;
    await utimes(join(folder, 'lock'), ahead, ahead);
    const hurried = { ...second, clock: { ...systemClock, sleep: async () => undefined } };
    expect(refusal(await lockWriter(folder, hurried))).toContain('already writes');
  });

  it('learns once when its lock is gone, and takes nothing from the one who has it now', async () => {
    const folder = await temporaryFolder();
    const lock = held(await lockWriter(folder, first));
    const losses: string[] = [];
    lock.onLost((why) => losses.push(why));
    await rm(join(folder, 'lock'), { recursive: true });
    const other = held(await lockWriter(folder, second));
    await expect.poll(() => losses.length).toBe(1);
    const late: string[] = [];
    lock.onLost((why) => late.push(why));
    expect(late).toEqual(losses);
    await lock.release();
    expect((await readdir(folder)).sort()).toEqual(['lock', 'writer.json']);
    await other.release();
  });

  it('cannot be one in a folder that is not there', async () => {
    const folder = join(await temporaryFolder(), 'nowhere');
    await expect(lockWriter(folder, first)).rejects.toMatchObject({ code: 'state_unusable' });
  });

  it('does not keep the lock when it cannot write its name', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'writer.json', 'x'), { recursive: true });
    await expect(lockWriter(folder, first)).rejects.toBeInstanceOf(Failure);
    expect(await readdir(folder)).toEqual(['writer.json']);
  });

  it('that was killed is followed at once; one that only stands still is not', async () => {
    const folder = await temporaryFolder();
    const child = await anotherHolding(folder);
    const hurried = { ...second, clock: { ...systemClock, sleep: async () => undefined } };
    child.kill('SIGSTOP');
    expect(refusal(await lockWriter(folder, hurried))).toContain('on gamma');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    held(await lockWriter(folder, hurried));
  });

  it('of a process that has ended is not taken for the one whose lock is there now', async () => {
    const folder = await temporaryFolder();
    const child = await anotherHolding(folder);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    const left = await readFile(join(folder, 'writer.json'), 'utf8');
    held(await lockWriter(folder, first));
    await writeFile(join(folder, 'writer.json'), left);
    const hurried = { ...second, clock: { ...systemClock, sleep: async () => undefined } };
    expect(refusal(await lockWriter(folder, hurried))).toContain('already writes');
  });
});

/** A process that holds the lock of a folder. */
async function anotherHolding(folder: string): Promise<ChildProcess> {
  const index = JSON.stringify(new URL('../../src/state/index.ts', import.meta.url).href);
  const clock = JSON.stringify(new URL('../../src/lib/clock.ts', import.meta.url).href);
  const script = `
    import { lockWriter } from ${index};
    import { systemClock } from ${clock};
    const who = { pid: process.pid, host: 'gamma', started: 'then' };
    const lock = await lockWriter(${JSON.stringify(folder)}, { who, clock: systemClock });
    console.log(lock.ok);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

describe('the life of a process', () => {
  it('is over only where that is certain', async () => {
    const own = (await ownLife()) ?? '';
    const [boot, numbering, , start] = own.split(' ');
    expect(await hasEnded(own)).toBe(false);
    const elsewhere = ['another-boot', `${boot} pid:[1]`];
    for (const place of elsewhere) expect(await hasEnded(`${place} 999999999 1`), place).toBe(false);
    for (const torn of [
      '',
      'x',
      `${boot} ${numbering}`,
      `${boot} ${numbering} -1 1`,
      `${boot} ${numbering} x 1`,
    ])
      expect(await hasEnded(torn), torn).toBe(false);
    expect(await hasEnded(`${boot} ${numbering} 2147483646 1`), 'a number that nobody has').toBe(true);
    expect(await hasEnded(`${boot} ${numbering} ${process.pid} ${start}0`), 'given again').toBe(true);
  });
});

describe('the orchestrator of an owner on an engine', () => {
  const engineIn = (directory: string, owner = 'default', engineId = 'ENGINE:1') => ({
    directory,
    engineId,
    owner,
  });

  it('is the only one, whatever its state folder; another owner or engine is another matter', async () => {
    const directory = await temporaryFolder();
    const lock = held(await lockEngine(engineIn(directory), first));
    const said = refusal(await lockEngine(engineIn(directory), second));
    expect(said).toContain('process 11 on alpha');
    expect(said).toContain('owner "default"');
    held(await lockEngine(engineIn(directory, 'other'), second));
    held(await lockEngine(engineIn(directory, 'default', 'ENGINE:2'), second));
    await lock.release();
    expect(await readdir(directory)).toHaveLength(2);
    held(await lockEngine(engineIn(directory), second));
  });

  it('may be another user: one that lives is seen, one that died without a word is in nobody’s way', async () => {
    const directory = await temporaryFolder();
    const lock = held(await lockEngine(engineIn(directory), first));
    const [own = ''] = await readdir(directory);
    const theirs = join(directory, own.replace(/\d+$/, '12345'));
    await lock.release();
    const other = held(await lockWriter(await made(theirs), first));
    expect(refusal(await lockEngine(engineIn(directory), second))).toContain('process 11 on alpha');
    await other.release();
    await mkdir(join(theirs, 'lock'));
    await utimes(join(theirs, 'lock'), 1, 1);
    held(await lockEngine(engineIn(directory), second));
  });

  it('does not take what is no folder of its own for one', async () => {
    const directory = await temporaryFolder();
    const lock = held(await lockEngine(engineIn(directory), first));
    const [name = ''] = await readdir(directory);
    const foreign = join(directory, name);
    await lock.release();
    await symlink(directory, foreign);
    expect(refusal(await lockEngine(engineIn(directory), second))).toContain(foreign);
    if (process.geteuid?.() !== 0) return;
    await rm(foreign);
    await mkdir(foreign);
    await chown(foreign, 12_345, 12_345);
    expect(refusal(await lockEngine(engineIn(directory), second))).toContain('remove it');
    expect((await stat(foreign)).uid).toBe(12_345);
  });

  it('gives up its folder although the next one is in it already, or somebody removed it', async () => {
    const directory = await temporaryFolder();
    const lock = held(await lockEngine(engineIn(directory), first));
    const [name = ''] = await readdir(directory);
    await writeFile(join(directory, name, 'x'), '');
    await lock.release();
    const next = held(await lockEngine(engineIn(directory), first));
    await rm(join(directory, name, 'x'));
    await next.release();
    expect(await readdir(directory)).toEqual([]);
  });

  it('cannot be one where nothing can be written', async () => {
    const directory = join(await temporaryFolder(), 'nowhere');
    await expect(lockEngine(engineIn(directory), first)).rejects.toBeInstanceOf(Failure);
  });
});
