import { execFile, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** git as nobody in particular: no configuration of the machine or the person reaches it. */
const gitEnvironment: Record<string, string> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'A Person',
  GIT_AUTHOR_EMAIL: 'person@example.org',
  GIT_COMMITTER_NAME: 'A Person',
  GIT_COMMITTER_EMAIL: 'person@example.org',
};

export async function git(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, {
    cwd: folder,
    env: gitEnvironment,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim();
}

export interface CommitOptions {
  readonly message?: string;
  /** For the last paragraph of the message, e.g. `{'Trace-Id': 'x'}`. */
  readonly trailers?: Readonly<Record<string, string>>;
  readonly push?: boolean;
}

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A real repository with a real bare remote, and what people do to them. */
export interface Repository {
  /** The work tree a person commits in. */
  readonly work: string;
  /** The remote it pushes to. */
  readonly bare: string;
  /** Holds both. */
  readonly folder: string;
  /** Writes files, commits and pushes; returns the commit. */
  commit(files: Files, options?: CommitOptions): Promise<string>;
  branch(name: string): Promise<void>;
  checkout(name: string): Promise<void>;
  /** Merges with a merge commit, and pushes. */
  merge(name: string, options?: CommitOptions): Promise<string>;
  /** Goes back to a commit and pushes that by force. */
  forcePush(commit: string): Promise<void>;
  /** Makes the branch a new history of one commit, and lets the remote forget the old one. */
  rewrite(files: Files): Promise<string>;
  head(): Promise<string>;
  remove(): Promise<void>;
}

export async function makeRepository(): Promise<Repository> {
  const folder = await mkdtemp(join(tmpdir(), 'git-remote-'));
  const [work, bare] = [join(folder, 'work'), join(folder, 'remote.git')];
  await git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', bare);
  await git(folder, 'init', '--quiet', '--initial-branch=main', work);
  await git(work, 'remote', 'add', 'origin', bare);
  await git(work, 'config', 'protocol.file.allow', 'always');
  const push = (...args: string[]): Promise<string> =>
    git(work, 'push', '--quiet', ...args, 'origin', 'HEAD');
  const head = (): Promise<string> => git(work, 'rev-parse', 'HEAD');
  const commit = async (files: Files, options: CommitOptions = {}): Promise<string> => {
    await writeFiles(work, files);
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--allow-empty', '-m', messageOf(options));
    if (options.push !== false) await push();
    return head();
  };
  return {
    work,
    bare,
    folder,
    commit,
    head,
    branch: async (name) => void (await git(work, 'checkout', '--quiet', '-b', name)),
    checkout: async (name) => void (await git(work, 'checkout', '--quiet', name)),
    async merge(name, options = {}) {
      await git(
        work,
        'merge',
        '--quiet',
        '--no-ff',
        '-m',
        messageOf({ message: `Merge ${name}`, ...options }),
        name,
      );
      await push();
      return head();
    },
    async forcePush(to) {
      await git(work, 'reset', '--quiet', '--hard', to);
      await push('--force');
    },
    async rewrite(files) {
      await git(work, 'checkout', '--quiet', '--orphan', 'rewritten');
      await commit(files, { message: 'Begin anew', push: false });
      await git(work, 'branch', '--quiet', '-M', 'main');
      await push('--force');
      await git(bare, 'reflog', 'expire', '--expire=now', '--all');
      await git(bare, 'gc', '--quiet', '--prune=now');
      return head();
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

function messageOf({ message = 'Change the manifest', trailers = {} }: CommitOptions): string {
  const lines = Object.entries(trailers).map(([key, value]) => `${key}: ${value}`);
  return [message, ...(lines.length === 0 ? [] : ['', ...lines])].join('\n');
}

export interface Served {
  readonly url: string;
  readonly port: number;
  /** Authorization headers seen, oldest first. */
  readonly seen: readonly (string | undefined)[];
  /** Bytes of answers so far. */
  sent(): number;
  close(): Promise<void>;
}

interface Serving {
  /** `user:password`: only whoever shows it is let in. */
  readonly login?: string;
  readonly port?: number;
  readonly redirectTo?: string;
  /** Speaks the protocol as it was before version 2. */
  readonly isOld?: boolean;
  /** Serves over TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** How an answer with objects is sent, in place of at once. */
  readonly send?: (body: Buffer, response: ServerResponse) => void;
  /** Answers in place of git where it is not null: status and text. */
  readonly refuse?: (request: IncomingMessage) => readonly [number, string] | null;
}

/** Smart HTTP by git's own `http-backend`. */
export async function serveOverHttp(root: string, options: Serving = {}): Promise<Served> {
  const seen: (string | undefined)[] = [];
  let sent = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    seen.push(request.headers.authorization);
    const refused = options.refuse?.(request) ?? null;
    if (refused !== null) response.writeHead(refused[0]).end(refused[1]);
    else if (options.redirectTo !== undefined) {
      response.writeHead(302, { location: options.redirectTo + (request.url ?? '') }).end();
    } else if (options.login !== undefined && !isLoggedIn(request, options.login)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    } else {
      const send = options.send ?? ((body: Buffer, to: ServerResponse) => void to.end(body));
      backend(root, request, response, {
        isOld: options.isOld ?? false,
        send: (body) => {
          sent += body.length;
          if (body.includes('PACK')) send(body, response);
          else response.end(body);
        },
      });
    }
  };
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  const port = await listening(server, options.port ?? 0);
  const scheme = options.tls === undefined ? 'http' : 'https';
  const url = `${scheme}://127.0.0.1:${String(port)}`;
  return { url, port, seen, sent: () => sent, close: () => closed(server) };
}

const isLoggedIn = (request: IncomingMessage, login: string): boolean =>
  request.headers.authorization === `Basic ${Buffer.from(login).toString('base64')}`;

function backend(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  { isOld, send }: { readonly isOld: boolean; readonly send: (body: Buffer) => void },
): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...gitEnvironment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: isOld ? '' : String(request.headers['git-protocol'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdin.on('error', () => request.unpipe());
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => send(answer(Buffer.concat(chunks), response)));
}

/** CGI: headers, an empty line, the body, which is returned. */
function answer(output: Buffer, response: ServerResponse): Buffer {
  const end = output.indexOf('\r\n\r\n');
  const headers = output.subarray(0, Math.max(end, 0)).toString().split('\r\n');
  const pairs = headers.map((line) => line.split(': ') as [string, string]).filter(([name]) => name !== '');
  const status = Number(pairs.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200);
  response.writeHead(status, Object.fromEntries(pairs.filter(([name]) => name !== 'Status')));
  return output.subarray(end + 4);
}

/** The git protocol by `git daemon`, one process a connection. */
export async function serveOverGit(root: string): Promise<Served> {
  const server = createTcpServer((socket) => {
    const args = ['daemon', '--inetd', '--export-all', `--base-path=${root}`, root];
    const child = spawn('git', args, { env: gitEnvironment });
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
    child.stdin.on('error', () => socket.destroy());
    socket.on('error', () => child.kill());
  });
  const port = await listening(server, 0);
  return {
    url: `git://127.0.0.1:${String(port)}`,
    port,
    seen: [],
    sent: () => 0,
    close: () => closed(server),
  };
}

/** Takes connections and never says a word. */
export async function serveSilence(): Promise<Served> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => sockets.delete(socket)));
  });
  const port = await listening(server, 0);
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await closed(server);
  };
  return { url: `127.0.0.1:${String(port)}`, port, seen: [], sent: () => 0, close };
}

function listening(server: TcpServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function closed(server: TcpServer): Promise<void> {
  if (server instanceof Server || server instanceof TlsServer) server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
