import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../examples/engine/commands.ts';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { buildImage } from '../../examples/images/engine-images.ts';
import { installedModules } from '../../examples/images/modules.ts';
import { nodeBase, tarOf } from '../../examples/images/node-base.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * What stands in for `node:24-slim` where no registry can be reached: this machine's node with the programs that the
 * Dockerfile would install, and for the builder the packages that `npm ci` would fetch. Nothing else differs.
 */
export async function offlineBases(engine: OpenedEngine): Promise<{ NODE: string; BUILDER: string }> {
  const NODE = await derive(engine, 'runtime', await nodeBase(engine), {
    args: await withLibraries([
      '/bin/sh',
      '/bin/mkdir',
      '/bin/chown',
      '/bin/cp',
      '/usr/bin/env',
      '/usr/bin/git',
      '/usr/bin/ssh',
    ]),
    lines: ['COPY root /', 'ENV PATH=/usr/local/bin:/usr/bin:/bin'],
  });
  const { dependencies, devDependencies } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  ) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const packages = await installedModules(root, Object.keys(dependencies));
  const needed = Object.keys(devDependencies).filter((name) =>
    /^(@types\/|typescript$|json-schema)/.test(name),
  );
  const build = await installedModules(root, [...Object.keys(dependencies), ...needed]);
  const BUILDER = await derive(engine, 'builder', NODE, {
    args: ['-C', root, ...new Set([...packages, ...build]), 'node_modules/.bin/tsc'],
    lines: [
      'COPY root/node_modules /build/node_modules',
      `RUN mkdir /packages && cd /build && cp -r --parents ${packages.join(' ')} /packages/`,
    ],
  });
  return { NODE, BUILDER };
}

/** An image made of another one and files of this machine, which come as `root/<path>`. */
async function derive(
  engine: OpenedEngine,
  name: string,
  from: string,
  { args, lines }: { readonly args: readonly string[]; readonly lines: readonly string[] },
): Promise<string> {
  const reference = `127.0.0.1:${engine.registry.port}/mcp-orchestration/offline-${name}:1`;
  const folder = await mkdtemp(join(tmpdir(), 'mcp-orchestration-base-'));
  try {
    await writeFile(join(folder, 'Dockerfile'), [`FROM ${from}`, ...lines, ''].join('\n'));
    // Names alone, not what a link points to.
    const rename = ['--transform=s,^,root/,S', '--transform=s,^root/Dockerfile$,Dockerfile,'];
    const context = tarOf([...rename, ...args, '-C', folder, 'Dockerfile']);
    await buildImage(engine, { reference, context });
  } finally {
    await rm(folder, { recursive: true });
  }
  return reference;
}

/** Programs of this machine and what they are linked to, as arguments of tar. */
async function withLibraries(programs: readonly string[]): Promise<string[]> {
  const linked = await Promise.all(programs.map((program) => run('ldd', [program])));
  const libraries = linked.flatMap((text) =>
    [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path ?? ''),
  );
  const files = new Set([...programs, ...libraries].map((path) => path.slice(1)));
  return ['--dereference', '-C', '/', ...files];
}
