import {
  appendFile,
  chmod,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeDisk, type Disk } from '../../src/journal/disk.ts';
import { openJournal, type JournalOptions } from '../../src/journal/index.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { toLine } from '../../src/journal/line.ts';
import { journalContract } from '../contract/journal.contract.ts';
import { checkpoint, event, foreign, stateFolder } from './sample.ts';

journalContract('jsonl', {
  folder: stateFolder,
  open: (directory, maxBytes) => openJournal({ directory, maxBytes }),
});

const line = (seq: number): string => `${toLine(event(seq))}\n`;
const events = (directory: string): string => join(directory, 'events.jsonl');
const textOf = (path: string): Promise<string> => readFile(path, 'utf8');

/** Writes half of a line and then fails, while `broken` says so. */
function failingDisk(broken: () => string | null): Disk {
  return {
    async write(handle, bytes) {
      const code = broken();
      if (code === null) return nodeDisk.write(handle, bytes.subarray(0, Math.ceil(bytes.length / 2)));
      if (bytes.length > 1) await nodeDisk.write(handle, bytes.subarray(0, bytes.length / 2));
      throw Object.assign(new Error(`${code}: the disk says no`), { code });
    },
    sync: (handle) => nodeDisk.sync(handle),
  };
}

async function opened(options: Partial<JournalOptions> = {}) {
  const directory = options.directory ?? (await stateFolder());
  const journal = await openJournal({ directory, ...options });
  journals.push(journal);
  return { directory, journal };
}

const journals: Journal[] = [];
afterEach(async () => {
  for (const journal of journals.splice(0)) await journal.close();
});

describe('after a death in the middle of a line, the log', () => {
  it('ends a last line that is complete but for its newline', async () => {
    const directory = await stateFolder();
    await writeFile(events(directory), line(1) + line(2).trimEnd());
    const { journal } = await opened({ directory });
    expect(await textOf(events(directory))).toBe(line(1) + line(2));
    expect(journal.next('events')).toBe(3);
  });

  it('takes away a torn one, counts it, and gives its number again, wherever the cut was', async () => {
    const whole = Buffer.from(toLine(event(2, { error: 'größer' })));
    for (let cut = 1; cut < whole.length; cut += 1) {
      const directory = await stateFolder();
      await writeFile(events(directory), Buffer.concat([Buffer.from(line(1)), whole.subarray(0, cut)]));
      const { journal } = await opened({ directory });
      expect(await textOf(events(directory))).toBe(line(1));
      expect(journal.next('events')).toBe(2);
      expect(await journal.replay('events')).toEqual({ events: [event(1)], skipped: 1 });
      await journal.close();
    }
  });

  it('skips and counts lines in the middle that nobody can read', async () => {
    const directory = await stateFolder();
    await writeFile(events(directory), `${line(1)}{"event_type": "ser\n\u0000\u0000\n${line(3)}`);
    const { journal } = await opened({ directory });
    expect(await journal.replay('events')).toEqual({ events: [event(1), event(3)], skipped: 2 });
    expect(journal.next('events')).toBe(4);
  });
});

describe('on a full disk, the log', () => {
  it.each([
    ['ENOSPC', 'disk_full'],
    ['EDQUOT', 'disk_full'],
    ['EIO', 'state_unusable'],
  ])('says so (%s), ends in a whole line, and goes on when there is room again', async (code, failure) => {
    let broken: string | null = null;
    const { directory, journal } = await opened({ disk: failingDisk(() => broken) });
    await journal.append('events', event(1));
    broken = code;
    await expect(journal.append('events', event(2))).rejects.toMatchObject({ code: failure });
    expect(await textOf(events(directory))).toBe(line(1));
    expect(journal.next('events')).toBe(2);
    broken = null;
    await journal.append('events', event(2));
    expect(await textOf(events(directory))).toBe(line(1) + line(2));
  });

  it('takes a line back that could not be synced', async () => {
    let broken = false;
    const sync: Disk['sync'] = async (handle) => {
      if (broken) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      return nodeDisk.sync(handle);
    };
    const { directory, journal } = await opened({ disk: { ...nodeDisk, sync } });
    broken = true;
    await expect(journal.append('events', event(1))).rejects.toMatchObject({ code: 'state_unusable' });
    expect(await textOf(events(directory))).toBe('');
  });

  it('does not begin a new file, and keeps the old one', async () => {
    let broken: string | null = null;
    const { directory, journal } = await opened({ disk: failingDisk(() => broken), maxBytes: 10 });
    await journal.append('events', event(1));
    await journal.append('events', event(2));
    broken = 'ENOSPC';
    await expect(journal.rotate('events', checkpoint(3))).rejects.toMatchObject({ code: 'disk_full' });
    expect((await readdir(directory)).sort()).toEqual(['events.jsonl', 'health.jsonl']);
    broken = null;
    expect(journal.isFull('events')).toBe(true);
    await journal.rotate('events', checkpoint(3));
    expect(await textOf(events(directory))).toBe(`${toLine(checkpoint(3))}\n`);
  });
});

describe('rotation', () => {
  it('names the old file by its first number and keeps only so many', async () => {
    const { directory, journal } = await opened({ keep: 2 });
    for (const seq of [1, 3, 5, 7, 9]) {
      await journal.append('events', event(seq));
      await journal.rotate('events', checkpoint(seq + 1));
    }
    const names = (await readdir(directory)).sort();
    expect(names).toEqual(['events-6.jsonl', 'events-8.jsonl', 'events.jsonl', 'health.jsonl']);
    expect(await textOf(join(directory, 'events-8.jsonl'))).toBe(`${toLine(checkpoint(8))}\n${line(9)}`);
  });

  it('never writes over a file that has the name already', async () => {
    const { directory, journal } = await opened();
    await writeFile(join(directory, 'events-1.jsonl'), 'precious\n');
    await journal.append('events', event(1));
    await journal.rotate('events', checkpoint(2));
    expect(await textOf(join(directory, 'events-1.jsonl'))).toBe('precious\n');
    expect(await textOf(join(directory, 'events-2.jsonl'))).toBe(line(1));
  });

  it('is not asked for by a checkpoint alone, however long', async () => {
    const { directory, journal } = await opened({ maxBytes: 50 });
    await journal.append('events', event(1));
    await journal.rotate('events', checkpoint(2));
    expect(journal.isFull('events')).toBe(false);
    await journal.close();
    const { journal: again } = await opened({ directory, maxBytes: 50 });
    expect(again.isFull('events')).toBe(false);
    await again.append('events', event(3));
    expect(again.isFull('events')).toBe(true);
  });

  const next = (directory: string): string => join(directory, 'events.jsonl.next');

  it('that died before the old file moved never happened', async () => {
    const directory = await stateFolder();
    await writeFile(events(directory), line(1));
    await writeFile(next(directory), `${toLine(checkpoint(2))}\n`);
    const { journal } = await opened({ directory });
    expect((await journal.replay('events')).events).toEqual([event(1)]);
    expect(await readdir(directory)).not.toContain('events.jsonl.next');
  });

  it('that died after the old file moved is ended at the next start', async () => {
    const directory = await stateFolder();
    await writeFile(join(directory, 'events-1.jsonl'), line(1));
    await writeFile(next(directory), `${toLine(checkpoint(2))}\n`);
    const { journal } = await opened({ directory });
    expect(journal.next('events')).toBe(3);
    expect((await journal.replay('events')).events).toEqual([checkpoint(2)]);
  });

  it('that left half a checkpoint and no file falls back on the rotated ones', async () => {
    const directory = await stateFolder();
    await writeFile(join(directory, 'events-1.jsonl'), `${toLine(checkpoint(1))}\n${line(2)}`);
    await writeFile(join(directory, 'events-3.jsonl'), line(3));
    await writeFile(next(directory), toLine(checkpoint(4)).slice(0, 50));
    const { journal } = await opened({ directory });
    expect(journal.next('events')).toBe(4);
    expect((await journal.replay('events')).events).toEqual([checkpoint(1), event(2), event(3)]);
  });
});

describe('a log that is taken away under a running orchestrator', () => {
  it('is begun anew, and asks for a checkpoint of what is remembered', async () => {
    const { directory, journal } = await opened();
    await journal.append('events', event(1));
    await rm(directory, { recursive: true });
    await journal.append('events', event(2));
    expect(await textOf(events(directory))).toBe(line(2));
    expect(journal.isFull('events')).toBe(true);
    await journal.rotate('events', checkpoint(3));
    expect(journal.isFull('events')).toBe(false);
    expect((await journal.replay('events')).events).toEqual([checkpoint(3)]);
  });

  it('is begun anew by a rotation too', async () => {
    const { directory, journal } = await opened();
    await rename(events(directory), join(directory, 'moved'));
    await journal.rotate('events', checkpoint(1));
    expect(await textOf(events(directory))).toBe(`${toLine(checkpoint(1))}\n`);
  });

  it('goes on in a file that was emptied', async () => {
    const { directory, journal } = await opened();
    await journal.append('events', event(1));
    await truncate(events(directory));
    await journal.append('events', event(2));
    expect(await textOf(events(directory))).toBe(line(2));
  });
});

describe('an events file beside another repository', () => {
  async function inbox(text: string) {
    const directory = await stateFolder();
    const eventsFile = join(directory, 'inbox', 'events.jsonl');
    await mkdir(join(directory, 'inbox'));
    await writeFile(eventsFile, text);
    return { directory, eventsFile };
  }

  it('keeps every line of others as it is, and replays only ours', async () => {
    const others = `${foreign.join('\n')}\n`;
    const { directory, eventsFile } = await inbox(others);
    const { journal } = await opened({ directory, eventsFile });
    await journal.append('events', event(1));
    await appendFile(eventsFile, others);
    await journal.append('events', event(2));
    expect(await textOf(eventsFile)).toBe(others + line(1) + others + line(2));
    expect(await journal.replay('events')).toEqual({ events: [event(1), event(2)], skipped: 0 });
    await journal.close();
    expect((await opened({ directory, eventsFile })).journal.next('events')).toBe(3);
  });

  it('is never cut: a torn line is only ended', async () => {
    const { directory, eventsFile } = await inbox('{"event_type": "task_st');
    const { journal } = await opened({ directory, eventsFile });
    await journal.append('events', event(1));
    expect(await textOf(eventsFile)).toBe(`{"event_type": "task_st\n${line(1)}`);
    await appendFile(eventsFile, '{"saved by an editor": "without a newline"}');
    await journal.append('events', event(2));
    expect((await journal.replay('events')).events).toEqual([event(1), event(2)]);
  });

  it('is never moved: a checkpoint in the middle of it serves as well', async () => {
    const { directory, eventsFile } = await inbox(`${foreign[2]}\n`);
    const { journal } = await opened({ directory, eventsFile, maxBytes: 100 });
    await journal.append('events', event(1));
    expect(journal.isFull('events')).toBe(true);
    await journal.rotate('events', checkpoint(2));
    expect(journal.isFull('events')).toBe(false);
    expect(await textOf(eventsFile)).toBe(`${foreign[2]}\n${line(1)}${toLine(checkpoint(2))}\n`);
    expect((await readdir(directory)).sort()).toEqual(['health.jsonl', 'inbox']);
    expect((await journal.replay('events')).events).toEqual([checkpoint(2)]);
    await journal.rotate('events', null);
  });

  it('that is given later goes on from what the state folder remembers', async () => {
    const { directory, eventsFile } = await inbox('');
    await writeFile(events(directory), line(1));
    const { journal } = await opened({ directory, eventsFile });
    expect(journal.next('events')).toBe(2);
    await journal.append('events', event(2));
    expect((await journal.replay('events')).events).toEqual([event(1), event(2)]);
  });

  it('loses nothing of others when only the beginning of our line was written', async () => {
    const { directory, eventsFile } = await inbox('');
    const write: Disk['write'] = async (handle, bytes) => {
      await nodeDisk.write(handle, bytes.subarray(0, 5));
      await appendFile(eventsFile, 'x\n');
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    };
    const { journal } = await opened({ directory, eventsFile, disk: { ...nodeDisk, write } });
    await expect(journal.append('events', event(1))).rejects.toMatchObject({ code: 'disk_full' });
    expect(await textOf(eventsFile)).toBe(`${line(1).slice(0, 5)}x\n`);
  });

  it('that somebody appended to while our line failed is left as it is', async () => {
    const { directory, eventsFile } = await inbox('');
    const sync: Disk['sync'] = async () => {
      await appendFile(eventsFile, `${foreign[2]}\n`);
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    };
    const { journal } = await opened({ directory, eventsFile, disk: { ...nodeDisk, sync } });
    await expect(journal.append('events', event(1))).rejects.toMatchObject({ code: 'state_unusable' });
    expect(await textOf(eventsFile)).toBe(`${line(1)}${foreign[2]}\n`);
  });
});

describe('a state folder that cannot be used', () => {
  it('is said in one sentence with what to do', async () => {
    const directory = await stateFolder();
    await mkdir(events(directory));
    const failure = { code: 'state_unusable', message: expect.stringContaining(events(directory)) as string };
    await expect(openJournal({ directory })).rejects.toMatchObject(failure);
    await expect(openJournal({ directory })).rejects.toHaveProperty(
      'suggestedAction',
      'make the folder exist and writable for the user that runs the orchestrator',
    );
    const eventsFile = join(directory, 'nowhere', 'events.jsonl');
    await expect(openJournal({ directory, eventsFile })).rejects.toMatchObject({ code: 'state_unusable' });
  });

  it('is said when a torn line cannot be ended, or the other log cannot be opened', async () => {
    const directory = await stateFolder();
    await writeFile(events(directory), line(1).trimEnd());
    const disk = failingDisk(() => 'ENOSPC');
    await expect(openJournal({ directory, disk })).rejects.toMatchObject({ code: 'disk_full' });
    await mkdir(join(directory, 'health.jsonl'));
    await expect(openJournal({ directory })).rejects.toMatchObject({ code: 'state_unusable' });
  });

  it('is noticed at a replay as well', async () => {
    const { directory, journal } = await opened();
    await rm(events(directory));
    await mkdir(events(directory));
    await expect(journal.replay('events')).rejects.toMatchObject({ code: 'state_unusable' });
    await expect(journal.append('events', event(1))).rejects.toMatchObject({ code: 'state_unusable' });
  });

  it('is readable for the people who grep it', async () => {
    const { directory } = await opened();
    expect((await stat(events(directory))).mode & 0o600).toBe(0o600);
    await chmod(events(directory), 0o644);
  });
});

it('an append is on the disk in a few milliseconds', async () => {
  const { journal } = await opened();
  const times: number[] = [];
  for (let seq = 1; seq <= 300; seq += 1) {
    const begun = performance.now();
    await journal.append('events', event(seq));
    times.push(performance.now() - begun);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
  console.log(`journal append with fdatasync: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(0.999)} ms`);
  expect(times[150]).toBeLessThan(50);
});
