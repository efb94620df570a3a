import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { builtProgram } from '../../examples/stage/built-program.ts';
import { committedFiles, root } from './repository.ts';
import { sampleLog } from './sample-log.ts';

/** Markdown files that people wrote; what is generated is compared with its source instead. */
export const writtenPages = (): readonly string[] =>
  committedFiles().filter((path) => path.endsWith('.md') && !generatedPages.includes(path));

export const generatedPages: readonly string[] = [
  'docs/command-line.md',
  'docs/events.md',
  'docs/manifest.md',
  'docs/status-api.md',
];

/** A fenced block after `<!-- run -->`, and the ```text block right after it: all that it prints. */
export interface Runnable {
  /** `<!-- run engine -->`: without a real engine it cannot be. */
  readonly needsEngine: boolean;
  readonly code: string;
  readonly prints: string | null;
}

/** What a page says can be run, in order. The comment is not seen on a rendered page. */
export function runnableIn(markdown: string): readonly Runnable[] {
  const pattern = /^( *)<!-- run( engine)? -->\n+ *```sh\n([\s\S]*?)^ *```\n(?:\n*```text\n([\s\S]*?)```)?/gm;
  return [...markdown.matchAll(pattern)].map(([, indent = '', engine, code = '', prints]) => ({
    needsEngine: engine !== undefined,
    code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    prints: prints ?? null,
  }));
}

/** Commands that a page neither runs nor says why not: the first line of each. */
export function unmarkedIn(markdown: string): readonly string[] {
  const pattern = /(<!-- (?:run|run engine|not run: \S.*) -->\n+)? *```(?:sh|bash|shell|console)\n(.*)/g;
  return [...markdown.matchAll(pattern)]
    .filter(([, mark]) => mark === undefined)
    .map(([, , first = '']) => first.trim());
}

/** Blocks of YAML, without the indentation of a list that they stand in. */
export const yamlIn = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/^( *)```ya?ml\n([\s\S]*?)^ *```/gm)].map(([, indent = '', text = '']) =>
    text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );

/** A folder to run a page in, where `mcp-orchestration` is on the path. */
export interface Place {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** All blocks of a page in one shell, as somebody who reads it from top to bottom; what each printed. */
  follow(blocks: readonly Runnable[]): Promise<readonly string[]>;
  leave(): Promise<void>;
}

/** The status endpoint is on a port of its own; nothing of this machine's git configuration counts. */
export async function openPlace(more: Readonly<Record<string, string>> = {}): Promise<Place> {
  const home = await mkdtemp(join(tmpdir(), 'page-'));
  const folder = join(home, 'here');
  await mkdir(folder);
  await putOnPath(join(home, 'bin'));
  const listen = `127.0.0.1:${await freePort()}`;
  const env = {
    ...surroundings(home),
    MCP_ORCHESTRATION_LISTEN: listen,
    MCP_ORCHESTRATION_URL: `http://${listen}`,
    ...more,
  };
  return {
    folder,
    env,
    follow: (blocks) => follow(blocks, folder, env),
    leave: () => rm(home, { recursive: true, force: true }),
  };
}

/** What somebody who reads a page has at hand: the examples, and the log of an evening where nobody writes another. */
export async function furnish({ folder }: Place, blocks: readonly Runnable[]): Promise<void> {
  for (const path of committedFiles().filter((each) => each.startsWith('examples/ecosystem-manifest/'))) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(join(root, path), join(folder, path));
  }
  if (startsOne(blocks)) return;
  await mkdir(join(folder, 'state'), { mode: 0o700 });
  await writeFile(join(folder, 'state/events.jsonl'), sampleLog());
}

/** True when a page starts an orchestrator of its own. */
export const startsOne = (blocks: readonly Runnable[]): boolean =>
  blocks.some(({ code }) => code.includes('mcp-orchestration run'));

async function follow(
  blocks: readonly Runnable[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const steps = blocks.map(({ code }) => `${code}\nprintf '\\f'`).join('\n');
  // What a page leaves running ends with it, and is waited for.
  const ending = 'code=$?; kill $(jobs -p) 2> /dev/null || true; wait || true; exit $code';
  const script = `set -euo pipefail\ntrap '${ending}' EXIT\n${steps}`;
  const limits = { timeout: 150_000, maxBuffer: 2 ** 24 };
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd, env, ...limits });
  return stdout.split('\f').slice(0, blocks.length);
}

async function putOnPath(bin: string): Promise<void> {
  await mkdir(bin);
  await writeFile(
    join(bin, 'mcp-orchestration'),
    `#!/bin/sh\nexec '${process.execPath}' '${builtProgram()}' "$@"\n`,
  );
  await chmod(join(bin, 'mcp-orchestration'), 0o755);
}

const surroundings = (home: string): Record<string, string> => ({
  PATH: `${home}/bin:${process.env['PATH'] ?? ''}`,
  HOME: home,
  LC_ALL: 'C.UTF-8',
  NO_COLOR: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  ...nobody,
  MCP_ORCHESTRATION_LOG_LEVEL: 'error',
});

const nobody: Readonly<Record<string, string>> = {
  GIT_AUTHOR_NAME: 'Somebody',
  GIT_AUTHOR_EMAIL: 'somebody@example.org',
  GIT_COMMITTER_NAME: 'Somebody',
  GIT_COMMITTER_EMAIL: 'somebody@example.org',
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
