import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { searchPath } from '../../examples/engine/commands.ts';

const run = promisify(execFile);

/** Repositories over a real sshd, which lets in whoever has one of two keys. */
export interface SshRemote {
  /** `ssh://user@127.0.0.1:port` and the folder that is served. */
  readonly url: string;
  /** File of a key that may read and write. */
  readonly key: string;
  /** File of a key that may read, as deploy keys do; the words are GitHub's. */
  readonly readingKey: string;
  /** File of a key that nobody knows. */
  readonly strangeKey: string;
  /** From now on the host shows another key. */
  changeHostKey(): Promise<void>;
  close(): Promise<void>;
}

/** `old`: the server does not take what tells git of the newer protocol, as sshd by itself does not. */
export async function serveOverSsh(root: string, { old = false } = {}): Promise<SshRemote> {
  const folder = await mkdtemp(join(tmpdir(), 'sshd-'));
  // sshd gives up its rights in there; systems that start it make it.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const [key, readingKey, strangeKey] = await Promise.all(
    ['a', 'b', 'c'].map((name) => newKey(folder, name)),
  );
  await newKey(folder, 'host');
  await authorize(folder, [key ?? '', readingKey ?? '']);
  await writeFile(join(folder, 'config'), configOf(folder, old));
  const env = { ...process.env, PATH: searchPath() };
  const sshd = (await run('which', ['sshd'], { env })).stdout.trim();
  const server = createServer((socket) => {
    const child = spawn(sshd, ['-i', '-e', '-f', join(folder, 'config')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
    child.stdin.on('error', () => socket.destroy());
    socket.on('error', () => child.kill());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ssh://${userInfo().username}@127.0.0.1:${String(port)}${root}`,
    ...{ key: key ?? '', readingKey: readingKey ?? '', strangeKey: strangeKey ?? '' },
    changeHostKey: async () => {
      await rm(join(folder, 'host'));
      await newKey(folder, 'host');
    },
    async close() {
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function newKey(folder: string, name: string): Promise<string> {
  const file = join(folder, name);
  await rm(`${file}.pub`, { force: true });
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return file;
}

async function authorize(folder: string, [key = '', readingKey = '']: readonly string[]): Promise<void> {
  const serve = join(folder, 'serve');
  const refusal = 'ERROR: The key you are authenticating with has been marked as read only.';
  await writeFile(
    serve,
    `#!/bin/sh\ncase "$1 $SSH_ORIGINAL_COMMAND" in\n"read git-receive-pack"*) echo '${refusal}' >&2; exit 1;;\nesac\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n`,
  );
  await chmod(serve, 0o755);
  const line = async (file: string, may: string): Promise<string> =>
    `restrict,command="${serve} ${may}" ${await readFile(`${file}.pub`, 'utf8')}`;
  const lines = (await line(key, 'write')) + (await line(readingKey, 'read'));
  await writeFile(join(folder, 'authorized'), lines, { mode: 0o600 });
}

const configOf = (folder: string, old: boolean): string =>
  [
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized')}`,
    ...['PidFile none', 'UsePAM no', 'StrictModes no', 'PasswordAuthentication no', 'PermitRootLogin yes'],
    ...(old ? [] : ['AcceptEnv GIT_PROTOCOL']),
    '',
  ].join('\n');
