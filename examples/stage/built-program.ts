import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Where packages are found, and nobody looks: neither git nor the linters. */
const builds = join(root, 'node_modules/.cache/mcp-orchestration');
let known: string | undefined;

/**
 * The program as `npm run build` makes it, for those who start it often: it begins in half the time it needs from its
 * source. A build is found by what it was made of, so that it is never older than the source.
 */
export function builtProgram(): string {
  known ??= join(readable(builtFrom(digestOfSource())), 'dist/main.js');
  return known;
}

/** A user of its own may run it. */
function readable(folder: string): string {
  chmodSync(folder, 0o755);
  return folder;
}

function builtFrom(digest: string): string {
  const finished = join(builds, digest);
  if (existsSync(finished)) return finished;
  mkdirSync(builds, { recursive: true });
  const making = mkdtempSync(join(builds, 'making-'));
  try {
    build(making);
    if (!existsSync(finished)) putInPlace(making, finished);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return finished;
}

/** Types are checked elsewhere: here it has to be quick. */
function build(folder: string): void {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const options = ['--noCheck', '--outDir', join(folder, 'dist')];
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...options], {
    timeout: 120_000,
  });
  cpSync(join(root, 'src/status/page'), join(folder, 'dist/status/page'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
}

/** Of two that build at once one is too late, which is as good. */
function putInPlace(making: string, finished: string): void {
  try {
    renameSync(making, finished);
  } catch (error) {
    if (!existsSync(finished)) throw error;
  }
}

function digestOfSource(): string {
  const hash = createHash('sha256');
  const source = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const settings = ['package-lock.json', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
  for (const path of [...source, ...settings.map((name) => join(root, name))].sort())
    hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  return hash.digest('hex').slice(0, 16);
}
