import { appendFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { followEvents, openJournal, readEvents } from '../../src/journal/index.ts';
import { toLine } from '../../src/journal/line.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import type { Event } from '../../src/model/event.ts';
import { checkpoint, event, foreign, START, stateFolder } from './sample.ts';

const line = (seq: number, more = {}): string => `${toLine(event(seq, more))}\n`;

async function seqs(events: AsyncIterable<Event>): Promise<number[]> {
  const found: number[] = [];
  for await (const each of events) found.push(each.seq);
  return found;
}

describe('reading the log', () => {
  it('goes over rotated files in order, by number and not by name', async () => {
    const directory = await stateFolder();
    await writeFile(join(directory, 'events-9.jsonl'), line(9));
    await writeFile(join(directory, 'events-10.jsonl'), line(10));
    await writeFile(join(directory, 'events-x.jsonl'), line(1));
    await writeFile(join(directory, 'events.jsonl'), `${foreign.join('\n')}\n${line(11)}`);
    expect(await seqs(readEvents({ directory }))).toEqual([9, 10, 11]);
  });

  it('takes only what is asked for, and does not open what is too old', async () => {
    const directory = await stateFolder();
    await writeFile(join(directory, 'events-1.jsonl'), `garbage\n${line(1)}`);
    await writeFile(join(directory, 'events-2.jsonl'), line(2) + line(3));
    await writeFile(join(directory, 'events.jsonl'), line(4) + line(5, { server_name: 'other' }));
    let skipped = 0;
    const query = { directory, since: START + 3000, skipped: () => (skipped += 1) };
    expect(await seqs(readEvents(query))).toEqual([3, 4, 5]);
    expect(skipped).toBe(0);
    const filter = (each: Event): boolean => each.server_name === 'other';
    expect(await seqs(readEvents({ ...query, since: undefined, filter }))).toEqual([5]);
    expect(skipped).toBe(1);
  });

  it('finds nothing where there is nothing', async () => {
    expect(await seqs(readEvents({ directory: join(await stateFolder(), 'nowhere') }))).toEqual([]);
  });

  it('takes a complete last line without its newline, and is silent about one that is being written', async () => {
    const directory = await stateFolder();
    let skipped = 0;
    const query = { directory, skipped: () => (skipped += 1) };
    await writeFile(join(directory, 'events.jsonl'), line(1) + line(2).trimEnd());
    expect(await seqs(readEvents(query))).toEqual([1, 2]);
    await writeFile(join(directory, 'events.jsonl'), line(1) + line(2).slice(0, 30));
    expect(await seqs(readEvents(query))).toEqual([1]);
    expect(skipped).toBe(0);
  });

  it('reads the health log and a file beside another repository too', async () => {
    const directory = await stateFolder();
    await writeFile(join(directory, 'health.jsonl'), line(1));
    await writeFile(join(directory, 'inbox.jsonl'), `${foreign.join('\n')}\n${line(7)}`);
    expect(await seqs(readEvents({ directory, log: 'health' }))).toEqual([1]);
    expect(await seqs(readEvents({ directory, eventsFile: join(directory, 'inbox.jsonl') }))).toEqual([7]);
  });
});

describe('following the log', () => {
  const done = new AbortController();
  afterEach(() => done.abort());

  /** Every sleep of the follower is a step of the test. */
  async function followed(
    directory: string,
    steps: readonly (() => Promise<unknown>)[],
    query: { since?: number; filter?: (each: Event) => boolean } = {},
  ): Promise<number[]> {
    const stop = new AbortController();
    const left = [...steps];
    const clock: Clock = {
      ...systemClock,
      async sleep() {
        const step = left.shift();
        if (step === undefined) stop.abort();
        else await step();
      },
    };
    return seqs(followEvents({ directory, ...query }, clock, stop.signal));
  }

  it('waits for a file that is not there yet, and for the end of a line', async () => {
    const directory = await stateFolder();
    const path = join(directory, 'events.jsonl');
    const steps = [
      () => writeFile(path, line(1) + line(2).slice(0, 40)),
      () => appendFile(path, line(2).slice(40)),
      () => appendFile(path, `${foreign.join('\n')}\n${line(3)}`),
    ];
    expect(await followed(directory, steps)).toEqual([1, 2, 3]);
  });

  it('misses nothing and repeats nothing over rotations, even several between two looks', async () => {
    const directory = await stateFolder();
    const journal = await openJournal({ directory });
    await journal.append('events', event(1));
    const steps = [
      async () => {
        await journal.append('events', event(2));
        await journal.rotate('events', checkpoint(3));
        await journal.append('events', event(4));
        await journal.rotate('events', checkpoint(5));
      },
      () => journal.append('events', event(6)),
    ];
    expect(await followed(directory, steps)).toEqual([1, 2, 3, 4, 5, 6]);
    await journal.close();
  });

  it('goes on in a file that was emptied, and in a history that began anew', async () => {
    const directory = await stateFolder();
    const path = join(directory, 'events.jsonl');
    await writeFile(path, line(1) + line(2) + line(3));
    const later = { time_ms: START + 60_000 };
    const steps = [
      () => truncate(path),
      () => appendFile(path, line(4)),
      () => rm(path),
      () => writeFile(`${path}.new`, line(1, later) + line(2, later)).then(() => rename(`${path}.new`, path)),
    ];
    expect(await followed(directory, steps)).toEqual([1, 2, 3, 4, 1, 2]);
  });

  it('begins where it is asked to and shows what it is asked to', async () => {
    const directory = await stateFolder();
    await writeFile(join(directory, 'events-1.jsonl'), line(1));
    await writeFile(join(directory, 'events.jsonl'), line(2) + line(3) + line(4));
    const filter = (each: Event): boolean => each.seq !== 3;
    expect(await followed(directory, [], { since: START + 3000, filter })).toEqual([4]);
    expect(await followed(directory, [], { filter })).toEqual([1, 2, 4]);
  });
});
