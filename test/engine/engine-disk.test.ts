import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openEngine } from '../../examples/engine/engine.ts';
import { isReady } from '../../examples/stage/status.ts';
import { craftImage } from '../support/crafted-image.ts';
import { allReady, eventsOf, isLive, isOf, openTestStage, untilEvent } from '../support/stage.ts';

/** A disk of its own, small enough to be filled at once; `openEngine` puts its engine into the temporary folder. */
async function onSmallDisk(megabytes: number): Promise<string> {
  const disk = await mkdtemp(join(tmpdir(), 'small-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', disk]);
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = disk;
  onTestFinished(async () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    execFileSync('umount', ['--lazy', disk]);
    await rm(disk, { recursive: true });
  });
  return disk;
}

/** Leaves enough for a commit, and too little for a layer. */
async function fill(disk: string): Promise<string> {
  const { bavail, bsize } = await statfs(disk);
  const file = join(disk, 'filled');
  await writeFile(file, Buffer.alloc(Math.max(0, bavail * bsize - 64 * 1024)));
  return file;
}

test('an engine whose disk is full keeps what runs, says so, and goes on by itself once there is room', async () => {
  const disk = await onSmallDisk(400);
  const engine = await openEngine({ alwaysPrivate: true });
  const stage = await openTestStage(engine);
  try {
    const image = `127.0.0.1:${engine.registry.port}/liminalcommons/${stage.name('a')}`;
    for (const version of ['1.0.0', '1.1.0']) await craftImage(engine, stage.name('a'), version);
    const a = stage.name('a');
    // Its own state has room: what is full is the engine's disk alone.
    const folder = await mkdtemp(join('/dev/shm', 'engine-disk-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const watching = await stage.watch({ folder });
    await allReady(watching, await stage.merge([stage.entry('a', { docker: { image } })]), [a]);
    await untilEvent(watching, isOf(a, 'update_completed'));
    const filled = await fill(disk);
    await stage.merge([stage.entry('a', { docker: { image } }, '1.1.0')]);
    const gate = await untilEvent(watching, isOf(a, 'update_gate_failed', '1.1.0'));
    expect(gate).toMatchObject({ gate: 'pull', class: 'world' });
    expect(String(gate['error'])).toContain('no space left on device');
    expect(isReady(await watching.status.server(a, isLive('1.0.0')))).toBe(true);
    await rm(filled);
    await watching.status.server(a, isLive('1.1.0'), 120_000);
    for (const blame of ['version_quarantined', 'server_down', 'recovery_started'])
      expect(await eventsOf(watching, blame), blame).toEqual([]);
  } finally {
    await stage.close();
  }
}, 600_000);
