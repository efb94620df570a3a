import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OpenedEngine } from '../engine/engine.ts';
import { buildImage, imageExists, pushImage } from './engine-images.ts';
import { installedModules } from './modules.ts';
import { nodeBase, tarOf } from './node-base.ts';

export interface ImageOrder {
  readonly engine: OpenedEngine;
  /** The name of the server; the image is `<registry>/liminalcommons/<name>:<version>`. */
  readonly name: string;
  readonly version: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another tag than the version, for example `latest`. */
  readonly tag?: string;
  /** More lines of its Dockerfile. */
  readonly instructions?: readonly string[];
}

export interface BuiltImage {
  /** `127.0.0.1:<port>/liminalcommons/<name>`, without a tag. */
  readonly repository: string;
  readonly reference: string;
  /** `sha256:...` as the registry has it. */
  readonly digest: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Half of the files of the packages are for editors and debuggers. */
const unneeded = ['*.map', '*.ts', '*.cts', '*.mts', '*.md'].map((pattern) => `--exclude=${pattern}`);
const template = join(root, 'examples/mcp-server');

/** Builds the template server in one version and pushes it: about 0.2 s once the template itself is built. */
export async function buildServerImage(order: ImageOrder): Promise<BuiltImage> {
  return deriveImage(order, await templateImage(order.engine));
}

/** Builds the template from its own Dockerfile, once an engine; its reference. Call it early to have the 10 s behind you. */
export async function templateImage(engine: OpenedEngine): Promise<string> {
  const base = await nodeBase(engine);
  const reference = await sourceReference(engine, 'template', template, [
    'Dockerfile',
    'package-lock.json',
    'src',
  ]);
  if (await imageExists(engine, reference)) return reference;
  const modules = await installedModules(root, ['@modelcontextprotocol/sdk', 'zod']);
  await withFile('Dockerfile', await offlineDockerfile(), async (folder) => {
    const sources = ['-C', template, 'package.json', 'package-lock.json', 'src'];
    const context = tarOf([...unneeded, ...sources, '-C', root, ...modules, '-C', folder, 'Dockerfile']);
    await buildImage(engine, { reference, context, buildArguments: { BASE: base } });
  });
  return reference;
}

/** A version of an image: the same layers under another name, version and environment. Pushed. */
export async function deriveImage(order: ImageOrder, from: string): Promise<BuiltImage> {
  const { engine, name, version, instructions = [] } = order;
  const env = { ...order.env, VERSION: version, SERVER_NAME: name };
  const assignments = Object.entries(env).map(([key, value]) => `ENV ${key}=${JSON.stringify(value)}`);
  const repository = `127.0.0.1:${engine.registry.port}/liminalcommons/${name}`;
  const reference = `${repository}:${order.tag ?? version}`;
  await withFile(
    'Dockerfile',
    [`FROM ${from}`, ...assignments, ...instructions, ''].join('\n'),
    async (folder) => buildImage(engine, { reference, context: tarOf(['-C', folder, 'Dockerfile']) }),
  );
  return { repository, reference, digest: await pushImage(engine, repository, order.tag ?? version) };
}

/** An image of a program without dependencies, `server.js` in `folder`; its reference. */
export async function plainImage(engine: OpenedEngine, name: string, folder: string): Promise<string> {
  const reference = await sourceReference(engine, name, folder, ['server.js']);
  if (await imageExists(engine, reference)) return reference;
  const from = `FROM ${await nodeBase(engine)}`;
  const lines = [from, 'WORKDIR /app', 'COPY server.js ./', 'USER 1000', 'CMD ["node", "server.js"]', ''];
  await withFile('Dockerfile', lines.join('\n'), async (made) =>
    buildImage(engine, { reference, context: tarOf(['-C', folder, 'server.js', '-C', made, 'Dockerfile']) }),
  );
  return reference;
}

/** The template's Dockerfile as it is, but with the installed packages of this checkout: no base of ours has npm, or a network. */
async function offlineDockerfile(): Promise<string> {
  const dockerfile = await readFile(join(template, 'Dockerfile'), 'utf8');
  return dockerfile.replace(/^RUN npm ci.*$/m, 'COPY node_modules ./node_modules');
}

/** Names an image after what it is made from, so that a changed source is a new image on an engine that stays up. */
async function sourceReference(
  engine: OpenedEngine,
  name: string,
  folder: string,
  parts: readonly string[],
): Promise<string> {
  const hash = createHash('sha256');
  for (const part of parts) {
    const path = join(folder, part);
    const files = part === 'src' ? (await readdir(path)).sort().map((file) => join(path, file)) : [path];
    for (const file of files) hash.update(await readFile(file));
  }
  return `127.0.0.1:${engine.registry.port}/mcp-orchestration/${name}:${hash.digest('hex').slice(0, 12)}`;
}

async function withFile(name: string, text: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-orchestration-build-'));
  try {
    await writeFile(join(folder, name), text);
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
