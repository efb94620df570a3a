import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { Failure } from '../../src/model/failure.ts';
import { readAddress } from '../../src/source/address.ts';
import { explainGit } from '../../src/source/git-failures.ts';
import { terminal } from './terminal.ts';

/** Letters and signs of which no four follow one another in anything we say. */
const password = fc.string({
  unit: fc.constantFrom(...'QZXJ', ...'/@:%#?\\\\&=+$!~;,'),
  minLength: 4,
  maxLength: 16,
});
const user = fc.constantFrom('me', 'oauth2', 'x-access-token', '');
const coded = (text: string): string => encodeURIComponent(text);
const half = (text: string): string => text.replaceAll('/', '%2f').replaceAll('%', '%25');

/** Addresses as people type them: coded or not, with a scheme, half of one, or none. */
const address = fc
  .record({
    secret: password,
    name: user,
    write: fc.constantFrom(coded, half, (text: string) => text),
    scheme: fc.constantFrom('https://', 'http://', 'ssh://', 'git://', 'ftp://', 'HTTPS://', 'https:/', ''),
    host: fc.constantFrom(
      '127.0.0.1:9/x.git',
      '127.0.0.1:9',
      '[::1]:9/x.git',
      '127.0.0.1:9/a b',
      '127.0.0.1:no/x',
    ),
  })
  .map(({ secret, name, write, scheme, host }) => ({
    secrets: [secret, write(secret)],
    manifest: `${scheme}${name}:${write(secret)}@${host}`,
  }));

/** Four characters of a secret that are to be read in a text. */
function leaked(secrets: readonly string[], text: string): readonly string[] {
  const parts = secrets.flatMap((secret) =>
    Array.from({ length: Math.max(secret.length - 3, 0) }, (_, at) => secret.slice(at, at + 4)),
  );
  return parts.filter((part) => text.includes(part));
}

it('no part of a password in an address is in what is shown of it, or in why it is refused', () => {
  const shown = (manifest: string): string => {
    try {
      const read = readAddress(manifest);
      return read.kind === 'remote' ? `${read.url} ${read.shown}` : read.shown;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return `${error.message} ${String(error.suggestedAction)}`;
    }
  };
  fc.assert(
    fc.property(address, ({ manifest, secrets }) => {
      expect(leaked(secrets, shown(manifest))).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

it('no part of a password is in what git says, even where the remote repeats what it was shown', () => {
  fc.assert(
    fc.property(password, user, (secret, name) => {
      const login = Buffer.from(`${name}:${secret}`).toString('base64');
      const repeats = [secret, coded(secret), login, `https://${name}:${secret}@host/x.git`];
      for (const said of repeats) {
        const failure = explainGit(
          new Error(`fatal: no access with ${said}`),
          `Authorization: Basic ${login}`,
        );
        expect(leaked([secret, login], failure.message)).toEqual([]);
      }
    }),
    { numRuns: 200 },
  );
});

it('no part of a password is in what a command prints or leaves in its folders, whichever option it was typed into', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'login-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const lines = (manifest: string): string[][] => [
    ['plan', '--manifest', manifest, '--state', join(folder, 'a'), '--runtime', 'memory'],
    [
      'run',
      '--once',
      '--timeout',
      '1s',
      '--manifest',
      manifest,
      '--state',
      join(folder, 'b'),
      '--runtime',
      'memory',
      '--listen',
      '127.0.0.1:0',
      '--log-format',
      'text',
    ],
    ['validate', manifest],
    ['import', manifest],
    ['status', '--url', manifest],
    ['plan', `--manifset=${manifest}`],
    ['plan', '--manifest', '.', '--branch', manifest],
    ['run', '--manifest', '.', '--interval', manifest],
    [manifest],
  ];
  await fc.assert(
    fc.asyncProperty(address, async ({ manifest, secrets }) => {
      for (const line of lines(manifest)) {
        const io = terminal();
        await runProgram(commands, line, { ...io, version: '1.2.3' });
        expect(leaked(secrets, io.stdout.text + io.stderr.text)).toEqual([]);
      }
      expect(leaked(secrets, await everythingIn(folder))).toEqual([]);
    }),
    { numRuns: 5 },
  );
});

async function everythingIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  );
  return texts.join('\n');
}
