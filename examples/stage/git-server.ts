import { spawn } from 'node:child_process';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface GitServer {
  /** `git://127.0.0.1:<port>/<name>` */
  urlOf(repository: string): string;
  close(): Promise<void>;
}

/** Serves the bare repositories of a folder with git's own daemon, for reading: a remote that has to be asked. */
export async function serveGit(folder: string): Promise<GitServer> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on('close', () => open.delete(socket)));
    answer(folder, socket);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (repository) => `git://127.0.0.1:${port}/${repository}`,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One process a connection; it ends with the connection. */
function answer(folder: string, socket: Socket): void {
  const args = ['daemon', '--inetd', '--export-all', `--base-path=${folder}`, folder];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const daemon = spawn('git', args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  socket.pipe(daemon.stdin);
  daemon.stdout.pipe(socket);
  daemon.stdin.on('error', () => socket.destroy());
  daemon.on('error', () => socket.destroy());
  socket.on('error', () => daemon.kill()).on('close', () => daemon.kill());
}
