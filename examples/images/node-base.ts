import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { exampleLabel } from '../engine/cleanup.ts';
import { run } from '../engine/commands.ts';
import { askEngine } from '../engine/engine-call.ts';
import type { OpenedEngine } from '../engine/engine.ts';
import { readLines } from './lines.ts';
import { imageExists } from './engine-images.ts';

const changes = ['ENV PATH=/usr/local/bin', 'WORKDIR /app', 'CMD ["node"]'];

/**
 * A base image without a registry to fetch one from: the node of this machine and the libraries that it is linked to.
 * Gives its reference. Takes 4 s the first time on an engine, nothing later.
 */
export async function nodeBase(engine: OpenedEngine): Promise<string> {
  const repository = `127.0.0.1:${engine.registry.port}/mcp-orchestration/node`;
  const tag = process.version.slice(1);
  if (!(await imageExists(engine, `${repository}:${tag}`))) await importBase(engine, repository, tag);
  return `${repository}:${tag}`;
}

async function importBase(engine: OpenedEngine, repository: string, tag: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-orchestration-base-'));
  try {
    await writeSystemFiles(folder);
    const query = new URLSearchParams({ fromSrc: '-', repo: repository, tag });
    for (const change of [...changes, `LABEL ${exampleLabel}=${engine.registry.port}`])
      query.append('changes', change);
    const body = await rootTar(folder);
    const answer = await askEngine(engine.docker.socket, `/images/create?${query.toString()}`, {
      method: 'POST',
      body,
      deadlineMs: 120_000,
    });
    readLines(answer.text);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The few files that the C library and node look for. */
async function writeSystemFiles(folder: string): Promise<void> {
  await mkdir(join(folder, 'etc'));
  await mkdir(join(folder, 'tmp'));
  await chmod(join(folder, 'tmp'), 0o1777); // in a step of its own, because a new folder's mode is cut by the umask
  await writeFile(join(folder, 'etc/passwd'), 'root:x:0:0::/:\nnode:x:1000:1000::/app:\n');
  await writeFile(join(folder, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
  await writeFile(join(folder, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

async function rootTar(folder: string): Promise<Readable> {
  const linked = (await run('ldd', [process.execPath])).matchAll(/(?:=> )?(\/\S+) \(0x/g);
  const libraries = [...linked].map((match) => (match[1] ?? '').slice(1));
  const node = process.execPath.slice(1);
  const rename = `--transform=s|^${node}$|usr/local/bin/node|`;
  return tarOf(['--dereference', rename, '-C', '/', node, ...libraries, '-C', folder, 'etc', 'tmp']);
}

/** What `tar` writes for the arguments; a tar that fails breaks the stream. */
export function tarOf(args: readonly string[]): Readable {
  const tar = spawn('tar', ['--create', '--owner=0', '--group=0', '--numeric-owner', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  tar.on('error', (error) => tar.stdout.destroy(error));
  tar.on('exit', (code) => {
    if (code !== 0) tar.stdout.destroy(new Error(`tar ended with code ${code}`));
  });
  return tar.stdout;
}
