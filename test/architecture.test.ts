import { describe, expect, it, test } from 'vitest';
import { committedFiles, textOf } from './support/repository.ts';
import { brokenWalls, roomOf, undocumented, type SourceFile, type Walls } from './support/walls.ts';

/** Rooms never know rooms: what joins them is `reconcile`, and what picks them is `app`. */
const rooms = ['source', 'runtime', 'registry', 'probe', 'notify', 'journal', 'state', 'secrets', 'status'];
const everything = [...rooms, 'reader', 'lib', 'model', 'manifest', 'plan', 'reconcile', 'version'];

const walls: Walls = {
  rooms: {
    lib: [],
    version: [],
    model: ['lib'],
    manifest: ['lib', 'model'],
    plan: ['lib', 'model'],
    ...Object.fromEntries(rooms.map((room) => [room, ['lib', 'model']])),
    // It is `manifest` in a thread of its own, and has no opinion of its own.
    reader: ['lib', 'model', 'manifest'],
    reconcile: ['lib', 'model', 'manifest', 'plan', ...rooms],
    app: everything,
    cli: ['app', ...everything],
    main: ['app', 'cli', ...everything],
  },
  doors: rooms,
  byDoorOnly: ['reconcile'],
  pure: ['manifest', 'plan', 'model'],
  packages: {
    ajv: ['src/manifest/check.ts'],
    'ajv-formats': ['src/manifest/check.ts'],
    chokidar: ['src/source/watch.ts'],
    commander: ['src/cli/program.ts'],
    dockerode: ['src/runtime/docker'],
    // Types alone: beside each schema stands the type made from it.
    'jsonc-parser': ['src/cli/imported/document.ts'],
    'json-schema-to-ts': ['src/manifest', 'src/notify/channels.ts'],
    'p-limit': ['src/registry/budget.ts'],
    picocolors: ['src/cli/table.ts'],
    picomatch: ['src/manifest/trust.ts'],
    pino: ['src/lib/log.ts'],
    'prom-client': ['src/status/figures.ts', 'src/status/metrics.ts'],
    'proper-lockfile': ['src/state/lock.ts'],
    semver: ['src/manifest/versions.ts', 'src/plan/versions.ts'],
    'simple-git': ['src/source/git-command.ts'],
    tsx: ['src/reader/worker-from-source.js'],
    undici: ['src/notify/post.ts', 'src/probe/http.ts', 'src/registry/connections.ts'],
    ws: ['src/status/stream-socket.ts'],
    yaml: ['src/manifest/yaml.ts'],
  },
  words: [
    {
      said: [
        'node:timers',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'Date.now',
        'new Date()',
        'performance.now',
        'AbortSignal.timeout',
        'AbortSignal.any',
      ],
      allowed: {
        'src/lib/clock.ts': 'the clock itself',
        'src/status/page': 'runs in a browser, which has no clock of ours',
      },
    },
    {
      said: ['Math.random'],
      allowed: { 'src/app': 'picks it, and passes it down' },
    },
    {
      said: ['process'],
      allowed: {
        'src/main.ts': 'environment, signals, exit code',
        'src/app/engine-claim.ts': 'the number of our process, written into the lock',
        'src/lib/atomic-file.ts': 'its number makes the name of a draft unique',
        'src/source/leftovers.ts': 'its number tells which git helpers were ours; ends those',
        'src/state/engine-lock.ts': 'whose the lock file is',
        'src/state/process-life.ts': 'who we are among processes, and whether another is still there',
      },
    },
  ],
};

const filesOfProgram: readonly SourceFile[] = committedFiles()
  .filter((path) => /^src\/.*\.(ts|js)$/.test(path))
  .map((path) => ({ path, text: textOf(path) }));

describe('every file keeps inside its walls', () => {
  it.each(filesOfProgram.map((file) => [file.path, file] as const))('%s', (_path, file) => {
    expect(brokenWalls(file, walls)).toEqual([]);
  });
});

describe('the walls themselves', () => {
  it('know every folder of the program', () => {
    const folders = new Set(filesOfProgram.map(({ path }) => roomOf(path)));
    expect([...folders].sort()).toEqual(Object.keys(walls.rooms).sort());
  });

  it('name no package, and no file of a package, that is not there', () => {
    const { dependencies, devDependencies } = JSON.parse(textOf('package.json')) as Packages;
    const known = Object.keys({ ...dependencies, ...devDependencies });
    expect(Object.keys(walls.packages).filter((name) => !known.includes(name))).toEqual([]);
    const paths = filesOfProgram.map(({ path }) => path);
    const exempt = walls.words.flatMap(({ allowed }) => Object.keys(allowed));
    const homes = [...Object.values(walls.packages).flat(), ...exempt];
    expect(homes.filter((home) => !paths.some((path) => path.startsWith(home)))).toEqual([]);
  });

  it('let every package in that the program needs when it runs', () => {
    const { dependencies } = JSON.parse(textOf('package.json')) as Packages;
    expect(Object.keys(dependencies).filter((name) => !Object.hasOwn(walls.packages, name))).toEqual([]);
  });
});

interface Packages {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

test.each(rooms)('everything at the door of %s says what the type cannot', (room) => {
  const path = `src/${room}/${room}.ts`;
  expect(undocumented({ path, text: textOf(path) })).toEqual([]);
});

describe('a broken wall is called by name', () => {
  const broken = (path: string, text: string): readonly string[] => brokenWalls({ path, text }, walls);

  it.each([
    ['src/probe/x.ts', "import { a } from '../runtime/runtime.ts';", 'probe may not know runtime'],
    ['src/lib/x.ts', "export type { A } from '../model/step.ts';", 'lib may not know model'],
    [
      'src/reconcile/x.ts',
      "import { a } from '../runtime/docker/docker.ts';",
      'by its contract src/runtime/runtime.ts',
    ],
    ['src/plan/x.ts', "import { readFileSync } from 'node:fs';", 'says node:fs, and is pure'],
    ['src/plan/x.ts', 'export async function a() {}', 'says async, and is pure'],
    ['src/plan/x.ts', 'export const now = () => Date.now();', 'says Date.now, and is pure'],
    ['src/manifest/x.ts', 'export const now = () => new Date();', 'says new Date(), and is pure'],
    ['src/manifest/x.ts', "export const a = (b: import('node:fs').Stats) => b;", 'says node:fs, and is pure'],
    [
      'src/probe/x.ts',
      "import { setTimeout as sleep } from 'node:timers/promises';",
      'only src/lib/clock.ts',
    ],
    ['src/probe/x.ts', 'setTimeout(() => 1, 5);', 'says setTimeout; only src/lib/clock.ts'],
    ['src/probe/x.ts', 'export const env = process.env;', 'says process; only'],
    ['src/cli/x.ts', "import Docker from 'dockerode';", 'imports dockerode; only src/runtime/docker may'],
    ['src/cli/x.ts', "const a = await import('left-pad');", 'imports left-pad; nobody may'],
    ['src/cli/x.ts', 'export default 1;', 'has a default export'],
    ['src/cli/table-utils.ts', 'export const a = 1;', 'has a name that says nothing'],
    ['src/cli/manager.ts', 'export const a = 1;', 'has a name that says nothing'],
  ])('%s: %s', (path, text, sentence) => {
    expect(broken(path, text)).toHaveLength(1);
    expect(broken(path, text)[0]).toMatch(path);
    expect(broken(path, text)[0]).toContain(sentence);
  });

  it.each([
    ['src/plan/x.ts', '// async, await, Date.now() and process.env are for others'],
    ['src/plan/x.ts', "export const text = 'await the process';"],
    ['src/plan/x.ts', 'export const at = (ms: number) => new Date(ms);'],
    ['src/plan/x.ts', 'export const a = (queue: { process: number }) => queue.process;'],
    ['src/reconcile/x.ts', "import type { Runtime } from '../runtime/runtime.ts';"],
  ])('and one that is whole is not: %s: %s', (path, text) => {
    expect(broken(path, text)).toEqual([]);
  });

  it('and so is a file that is too long, comments and blank lines left out', () => {
    expect(broken('src/cli/x.ts', 'const a = 1;\n'.repeat(250))[0]).toContain('has 250 lines of code');
    expect(broken('src/cli/x.ts', '/** What it says. */\n\nconst a = 1;\n'.repeat(249))).toEqual([]);
  });

  it('and so is an export at a door without a docstring', () => {
    const text = '/** Said. */\nexport interface A { a: 1 }\nexport type B = A;\nexport type { A as C };';
    expect(undocumented({ path: 'src/probe/probe.ts', text })).toEqual(['B']);
  });
});
