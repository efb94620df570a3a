import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/model/failure.ts';
import { explainGit } from '../../src/source/git-failures.ts';
import { gitIn } from '../../src/source/git-command.ts';
import { isExhausted } from '../../src/source/watch.ts';
import { temporaryFolder, within } from './stage.ts';

describe('what git says', () => {
  it.each([
    ['fatal: write error: No space left on device', 'disk_full'],
    ["fatal: unable to access 'https://h/r/': The requested URL returned error: 403", 'source_denied'],
    ["fatal: unable to access 'https://h/r/': server certificate verification failed.", 'source_unreachable'],
    ['fatal: detected dubious ownership in repository at /r', 'source_denied'],
    ['remote: Repository not found.\nfatal: repository https://h/r/ not found', 'source_missing'],
    ['fatal: unable to access: Operation too slow. Less than 1000 bytes/sec', 'source_unreachable'],
    [' ! [rejected] 1f -> main (fetch first)\nerror: failed to push some refs', 'source_moved'],
    [' ! [rejected] 1f -> main (non-fast-forward)\nerror: failed to push some refs', 'source_moved'],
    ["fatal: update_ref failed for ref 'r': cannot lock ref 'r': is at 1f but expected 2e", 'source_moved'],
    ["fatal: update_ref failed for ref 'r': cannot lock ref 'r': reference already exists", 'source_moved'],
    [' ! [remote rejected] 1f -> main (protected branch hook declined)', 'source_denied'],
    ['error: insufficient permission for adding an object to repository database objects', 'source_denied'],
    ['fatal: bad object HEAD', 'source_unusable'],
    ['', 'source_unusable'],
  ])('%j is %s', (text, code) => {
    expect(explainGit(new Error(text), null).code).toBe(code);
  });

  it.each([
    ['No ED25519 host key is known for h and you have requested strict checking.', 'not known here', false],
    [
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.',
      'another ssh key',
      false,
    ],
    ["fatal: Authentication failed for 'https://h/r/'", 'Give --git-token-file a token', false],
    ["fatal: Authentication failed for 'https://h/r/'", 'has expired or was withdrawn', true],
    [
      "fatal: unable to access 'https://h/r/': SSL certificate problem: certificate has expired",
      'renew',
      false,
    ],
    [' ! [remote rejected] 1f -> main (protected branch hook declined)', '--write-back branch', false],
    ['ERROR: The key you are authenticating with has been marked as read only.', 'write access', false],
    ['remote: Write access to repository not granted.\nfatal: error: 403', 'write access', true],
  ])('%j is told with how to mend it: %s', (text, advice, withToken) => {
    const failure = explainGit(new Error(text), withToken ? 'Authorization: Basic c2VjcmV0LXRva2Vu' : null);
    expect(failure.suggestedAction).toContain(advice);
  });

  it('nothing at all of a remote, and ends with an error, is no empty answer', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'git'), '#!/bin/sh\nexit 128\n', { mode: 0o755 });
    const settings = { environment: { PATH: folder }, protocols: 'https', sshCommand: null, header: null };
    const outside = gitIn(folder, { ...settings, outsideFor: folder, clock: systemClock });
    await expect(outside.text(['ls-remote'], within(10_000))).rejects.toMatchObject({
      code: 'source_unusable',
      message: expect.stringContaining('code 128') as string,
    });
  });

  it('is told without how far it came', () => {
    const text =
      'remote: Counting objects: 100% (3/3)\u001b[K\rremote: Total 3\u001b[K\nReceiving objects: 1%\rfatal: early EOF';
    expect(explainGit(new Error(text), null).message).toBe('git: early EOF');
  });

  it('is told by its main line, without credentials', () => {
    const text = "warning: x\nfatal: unable to access 'https://me:pass@h/r/': got c2VjcmV0LXRva2Vu\nhint";
    const failure = explainGit(new Error(text), 'Authorization: Basic c2VjcmV0LXRva2Vu');
    expect(failure.message).toBe("git: unable to access 'https://***@h/r/': got ***");
  });

  it('is kept when it was explained already, and is told when it is no error at all', () => {
    const failure = new Failure('disk_full', 'x');
    expect(explainGit(failure, null)).toBe(failure);
    expect(explainGit('odd', null).message).toBe('git: odd');
  });
});

describe('the git that is called', () => {
  it('gets nothing of our environment but the names on the list, and no hooks or configuration of people', async () => {
    const folder = await temporaryFolder();
    const environment = {
      PATH: process.env['PATH'],
      SECRET: 'x',
      GIT_DIR: '/elsewhere',
      GIT_SSH_COMMAND: 'evil',
      GIT_CONFIG_GLOBAL: '/etc/evil',
      EDITOR: 'evil',
    };
    const git = gitIn(folder, {
      environment,
      protocols: 'none',
      sshCommand: null,
      header: null,
      clock: systemClock,
    });
    await git.text(['init', '--quiet'], within());
    const listed = await git.text(['config', '--list', '--show-scope'], within());
    expect(listed).not.toMatch(/^(global|system)/m);
    expect(listed).toContain('core.hookspath=/dev/null');
    expect(listed).toContain('submodule.recurse=false');
    expect(await git.text(['rev-parse', '--absolute-git-dir'], within())).toContain(folder);
  });

  it.each(['ext::sh -c "touch pwned"', 'https://example.org/r.git', '/etc'])(
    'may not speak to %s while it reads here',
    async (url) => {
      const folder = await temporaryFolder();
      const environment = { PATH: process.env['PATH'] };
      const git = gitIn(folder, {
        environment,
        protocols: 'none',
        sshCommand: null,
        header: null,
        clock: systemClock,
      });
      await expect(git.text(['ls-remote', '--', url], within())).rejects.toBeInstanceOf(Failure);
    },
  );

  it('reads bytes with cat-file alone', async () => {
    const folder = await temporaryFolder();
    const git = gitIn(folder, {
      environment: {},
      protocols: 'none',
      sshCommand: null,
      header: null,
      clock: systemClock,
    });
    await expect(git.bytes(['show', 'HEAD'], 10, within())).rejects.toThrow('cat-file');
  });
});

it('a system without watches left is told from other trouble', () => {
  const codes = ['ENOSPC', 'EMFILE', 'ENFILE', 'EACCES'].map((code) =>
    isExhausted(Object.assign(new Error(), { code })),
  );
  expect(codes).toEqual([true, true, true, false]);
});
