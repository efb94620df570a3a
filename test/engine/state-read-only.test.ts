import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readEvents } from '../../examples/stage/events.ts';
import { crash } from '../../examples/stage/faults.ts';
import { isReady } from '../../examples/stage/status.ts';
import { allReady, onStage } from '../support/stage.ts';

/** A disk of its own, which can be taken for broken. */
async function ownDisk(): Promise<{ readonly path: string; breaks(): void; mends(): void }> {
  const folder = await mkdtemp(join(tmpdir(), 'own-disk-'));
  const [image, path] = [join(folder, 'image'), join(folder, 'disk')];
  const run = (program: string, ...args: string[]): void => void execFileSync(program, args);
  run('truncate', '--size=32M', image);
  run('mkfs.ext4', '-q', image);
  run('mkdir', path);
  run('mount', '-o', 'loop', image, path);
  onTestFinished(async () => {
    run('umount', '--lazy', path);
    await rm(folder, { recursive: true });
  });
  return {
    path,
    // As the system does it to a disk that fails: files that are open can be written no more either.
    breaks: () => run('mount', '-o', 'remount,abort', path),
    // Containers that start just now hold what was mounted: a copy is another disk for the system.
    mends: () => {
      run('umount', '--lazy', path);
      run('cp', image, `${image}-mended`);
      run('mount', '-o', 'loop', `${image}-mended`, path);
    },
  };
}

test(
  'a state folder that turns read-only stops deeds and nothing that runs, says so, and loses no line',
  onStage(async (stage) => {
    const disk = await ownDisk();
    const state = join(disk.path, 'state');
    const eventsFile = join(state, 'events.jsonl');
    const options = ['--state', state];
    const [a, b] = [stage.name('a'), stage.name('b')];
    const watching = await stage.watch({ options });
    const revision = await stage.merge([stage.entry('a'), stage.entry('b')]);
    await allReady(watching, revision, [a, b]);
    // The last line that is seen may be on its way to the disk still; all before it are there.
    const before = (await readEvents(eventsFile)).slice(0, -1);
    disk.breaks();
    await crash(stage, a);
    const journal = async (): Promise<unknown> => {
      const answer = await fetch(`${watching.url}/health`);
      return ((await answer.json()) as { checks: { journal: unknown } }).checks.journal;
    };
    await expect.poll(journal).not.toBe('ok');
    expect(isReady(await watching.status.server(b, isReady))).toBe(true);
    await watching.orchestrator.stop();
    disk.mends();
    const again = await stage.watch({ options });
    await allReady(again, revision, [a, b]);
    const events = await readEvents(eventsFile);
    expect(events.slice(0, before.length)).toEqual(before);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, position) => position + 1));
    await again.orchestrator.stop();
  }),
);
