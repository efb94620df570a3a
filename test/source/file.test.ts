import { execFileSync } from 'node:child_process';
import { mkdir, rename, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { explainReading } from '../../src/source/file.ts';
import { failureOf, MANIFEST, open, temporaryFolder, textOf, within } from './stage.ts';

/** Runs `act` in place of each wait: what people do to the file between two looks. */
function clockThat(act: (turn: number) => Promise<unknown>): Clock {
  let turn = 0;
  return { ...systemClock, sleep: async () => void (await act((turn += 1))) };
}

async function setting(clock: Clock = clockThat(async () => undefined)) {
  const folder = await temporaryFolder();
  const file = join(folder, MANIFEST);
  return { folder, file, given: { manifest: file, cloneDirectory: folder, clock } };
}

describe('a manifest file', () => {
  it('that is being written is read when it is whole', async () => {
    const clock = clockThat(async (turn) => turn < 4 && writeFile(file, 'version'.repeat(turn)));
    const { file, given } = await setting(clock);
    await writeFile(file, '');
    expect(textOf(await (await open(given)).read(null, within()))).toBe('versionversionversion');
  });

  it('that is missing for a moment is being replaced', async () => {
    const clock = clockThat(async (turn) => turn === 1 && writeFile(file, 'new'));
    const { file, given } = await setting(clock);
    await writeFile(file, 'old');
    await unlink(file);
    expect(textOf(await (await open(given)).read(null, within()))).toBe('new');
  });

  it('that goes while it is read is looked for once more', async () => {
    const clock = clockThat(async (turn) => turn === 1 && unlink(file));
    const { file, given } = await setting(clock);
    await writeFile(file, 'old');
    expect((await failureOf((await open(given)).read(null, within()))).code).toBe('source_missing');
  });

  it('that never stops changing is not read, with advice', async () => {
    const clock = clockThat((turn) => writeFile(file, String(turn)));
    const { file, given } = await setting(clock);
    await writeFile(file, '');
    const failure = await failureOf((await open(given)).read(null, within()));
    expect(failure).toMatchObject({ code: 'source_unusable' });
    expect(failure.suggestedAction).toContain('rename');
  });

  it('that is written back to what is known is no news', async () => {
    const { file, given } = await setting();
    await writeFile(file, 'a');
    const source = await open(given);
    const first = await source.read(null, within());
    await truncate(file, 0);
    await writeFile(file, 'a');
    expect(await source.read(first?.revision ?? null, within())).toBeNull();
    expect(first).toMatchObject({ commit: null, file: MANIFEST });
  });

  it('may be reached through symlinks', async () => {
    const { folder, file, given } = await setting();
    await mkdir(join(folder, '..v1'));
    await writeFile(join(folder, '..v1', MANIFEST), 'v1');
    await symlink('..v1', join(folder, '..data'));
    await symlink(join('..data', MANIFEST), file);
    expect(textOf(await (await open(given)).read(null, within()))).toBe('v1');
  });

  it('may have its own path inside a folder that comes later', async () => {
    const { folder, given } = await setting();
    const source = await open({ ...given, manifest: join(folder, 'later'), path: 'sub/m.yaml' });
    const failure = await failureOf(source.read(null, within()));
    expect(failure.message).toContain('later/sub/m.yaml');
    await mkdir(join(folder, 'x', 'sub'), { recursive: true });
    await writeFile(join(folder, 'x', 'sub', 'm.yaml'), 'here');
    await rename(join(folder, 'x'), join(folder, 'later'));
    expect(await source.read(null, within())).toMatchObject({ file: 'sub/m.yaml' });
  });

  it.each([
    ['a folder', (file: string) => mkdir(file)],
    ['a pipe', async (file: string) => void execFileSync('mkfifo', [file])],
    ['a device', (file: string) => symlink('/dev/zero', file)],
  ])('that is %s is not read', async (_what, make) => {
    const { folder, file, given } = await setting();
    await make(file);
    const failure = await failureOf((await open({ ...given, manifest: folder })).read(null, within()));
    expect(failure).toMatchObject({ code: 'source_unusable' });
    expect(failure.suggestedAction).toMatch(/\.$/);
  });

  it('that may not be read says who should be let in', () => {
    const failure = explainReading('/m.yaml', Object.assign(new Error('no'), { code: 'EACCES' }));
    expect(failure).toMatchObject({ code: 'source_denied', message: '/m.yaml may not be read' });
  });

  it('on a failing disk says what the system said', () => {
    const failure = explainReading('/m.yaml', Object.assign(new Error('no'), { code: 'EIO' }));
    expect(failure).toMatchObject({ code: 'source_missing', message: '/m.yaml cannot be read (EIO)' });
    expect(() => explainReading('/m.yaml', new TypeError('a bug'))).toThrow('a bug');
  });
});
