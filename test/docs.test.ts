import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { staleDocuments } from '../docs/generate/documents.ts';
import { readChannels } from '../src/app/channels.ts';
import { EXIT } from '../src/app/config.ts';
import { environmentName, flagName } from '../src/cli/command.ts';
import { commands } from '../src/cli/commands.ts';
import { systemClock } from '../src/lib/clock.ts';
import { defaultPolicy, readPolicy } from '../src/manifest/policy.ts';
import { validateManifest } from '../src/manifest/validate.ts';
import { catalogue } from '../src/model/catalogue.ts';
import type { Problem } from '../src/model/problem.ts';
import {
  furnish,
  generatedPages,
  openPlace,
  runnableIn,
  startsOne,
  unmarkedIn,
  writtenPages,
  yamlIn,
  type Place,
} from './support/pages.ts';
import { root, textOf } from './support/repository.ts';
import { openStatusServer } from '../src/status/index.ts';
import type { StatusServer } from '../src/status/status.ts';
import { knownReasons } from './support/reasons.ts';
import { sampleStatus } from './support/sample-status.ts';

const pages = [...writtenPages(), ...generatedPages];
/** Pages about this program; those of the example repository speak to others. */
const ownPages = writtenPages().filter((path) => !path.startsWith('examples/'));

describe('what is generated', () => {
  it('is what the code says now (npm run generate)', () => {
    expect(staleDocuments((name) => textOf(`docs/${name}`))).toEqual([]);
  });

  it('is found changed or missing, by name', () => {
    expect(staleDocuments((name) => (name === 'events.md' ? 'else' : textOf(`docs/${name}`)))).toContain(
      'events.md',
    );
    const gone = Object.assign(new Error('gone'), { code: 'ENOENT' });
    expect(
      staleDocuments(() => {
        throw gone;
      }),
    ).toContain('manifest.md');
  });

  it('tells of every event and of every command', () => {
    expect(headingsOf('docs/events.md')).toEqual(expect.arrayContaining(Object.keys(catalogue)));
    expect(headingsOf('docs/command-line.md')).toEqual(
      expect.arrayContaining(commands.map(({ name }) => name)),
    );
  });
});

const headingsOf = (page: string): readonly string[] =>
  [...textOf(page).matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);

describe.each(pages)('%s', (page) => {
  const text = textOf(page);

  it('links to nothing that is not there', () => {
    const broken = linksOf(text).filter((link) => !leadsSomewhere(page, link));
    expect(broken).toEqual([]);
  });

  it('names no command, option, variable or event that is not there', () => {
    expect(strangersIn(text)).toEqual([]);
  });
});

describe.each(pagesWith('security.md', 'reliability.md'))('%s', (page) => {
  it('names a test for each promise, and each test is there', () => {
    expect(unshownIn(textOf(page))).toEqual([]);
  });
});

test('a promise without a test, or with one that is not there, is found', () => {
  const shown =
    '- It holds.\n  `test/docs.test.ts` "names a test for each promise, and each test is there"\n';
  expect(unshownIn(`# Page\n\n## Section\n\n${shown}`)).toEqual([]);
  for (const promise of ['- It holds.\n', shown.replace('names', 'counts'), shown.replace('docs', 'moon')])
    expect(unshownIn(`# Page\n\n## Section\n\n${promise}`), promise).not.toEqual([]);
});

/** Promises without a test that is there. Those of the first section say who is who, and promise nothing. */
function unshownIn(markdown: string): readonly string[] {
  const promises = markdown
    .split(/^## Who is trusted[\s\S]*?(?=^## )/m)
    .join('')
    .split(/^- /m)
    .slice(1);
  return promises.filter((promise) => {
    const tests = [...promise.matchAll(/`(test\/[^`]+)`\s+"([^"]+)"/g)];
    return tests.length === 0 || !tests.every(([, file = '', name = '']) => isTest(file, name));
  });
}

const isTest = (file: string, name: string): boolean =>
  existsSync(join(root, file)) && textOf(file).includes(name.replaceAll(/\s+/g, ' '));

describe('the troubleshooting guide', () => {
  const guide = textOf('docs/troubleshooting-guide.md');

  it.each(knownReasons())('tells what to do about %s', (reason) => {
    expect(guide.includes(`\`${reason}\``)).toBe(true);
  });

  it.each(Object.entries(EXIT))('tells what exit code %s means', (_name, code) => {
    expect(guide.includes(`\n| ${code} `)).toBe(true);
  });
});

test.each(
  pagesWith(
    'architecture.md',
    'glossary.md',
    'adding.md',
    'operating.md',
    'jq-recipes.md',
    'troubleshooting-guide.md',
    'security.md',
    'reliability.md',
  ),
)('%s is found from the README or from CONTRIBUTING', (page) => {
  expect([textOf('README.md'), textOf('CONTRIBUTING.md')].join('\n')).toContain(`(${page}`);
});

test('the architecture page names every package that the program needs when it runs', () => {
  const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
  const page = textOf('docs/architecture.md');
  expect(Object.keys(dependencies).filter((name) => !new RegExp(`[| ,]${name}[ ,]`).test(page))).toEqual([]);
});

test('every decision record is listed', () => {
  const list = textOf('docs/adr/README.md');
  const records = ownPages.filter((path) => /^docs\/adr\/\d{4}-/.test(path));
  expect(records.length).toBeGreaterThan(4);
  for (const path of records) expect(list).toContain(`(${path.replace('docs/adr/', '')})`);
});

describe('a block that nobody runs', () => {
  it.each(ownPages)('says why, in %s', (page) => {
    expect(unmarkedIn(textOf(page))).toEqual([]);
  });

  it('is found', () => {
    const block = '```sh\ncurl x\n```\n';
    expect(unmarkedIn(block)).toEqual(['curl x']);
    expect(unmarkedIn(`<!-- not run: -->\n\n${block}`)).toEqual(['curl x']);
    const marks = ['run', 'run engine', 'not run: it needs the moon'];
    expect(marks.flatMap((mark) => unmarkedIn(`<!-- ${mark} -->\n\n${block}`))).toEqual([]);
  });
});

describe('a block of YAML', () => {
  const blocks = ownPages.flatMap((page) => yamlIn(textOf(page)).map((text) => [page, text] as const));

  it.each(blocks)('of %s is read as what it is', (page, text) => {
    expect(yamlProblems(text, page)).toEqual([]);
  });

  it('that is wrong is found, whatever it is', () => {
    for (const text of ['version: "1.1"\nserver: []', 'channels: { a: {} }', 'trusted_image: []', 'x: ['])
      expect(yamlProblems(text, 'page'), text).not.toEqual([]);
  });
});

/** By the reader that `run` would use. */
function yamlProblems(text: string, page: string): readonly string[] {
  const messages = (found: readonly Problem[]): string[] => found.map(({ message }) => message);
  if (/^channels:/m.test(text)) {
    const read = readChannels(text, page);
    return read.ok ? [] : messages(read.error);
  }
  if (/^(manifest_)?version:/m.test(text)) {
    const content = new TextEncoder().encode(text);
    const { problems } = validateManifest({ content, file: page }, defaultPolicy);
    return messages(problems.filter(({ severity }) => severity === 'error'));
  }
  const read = readPolicy(text, page);
  return read.ok ? [] : messages(read.error);
}

describe('what a page says can be run', () => {
  const withoutEngine = (page: string) => runnableIn(textOf(page)).filter(({ needsEngine }) => !needsEngine);

  // They wait more than they work, each in a place of its own.
  it.concurrent.each(ownPages.filter((page) => withoutEngine(page).length > 0))(
    '%s',
    async (page) => {
      const blocks = withoutEngine(page);
      const place = await openPlace({ MCP_ORCHESTRATION_RUNTIME: 'memory' });
      const status = startsOne(blocks) ? null : await serveSample(place);
      try {
        await furnish(place, blocks);
        const printed = await place.follow(blocks);
        expect(printed).toEqual(blocks.map(({ prints }, position) => prints ?? printed[position]));
      } finally {
        await status?.close();
        await place.leave();
      }
    },
    180_000,
  );
});

async function serveSample({ env }: Place): Promise<StatusServer> {
  const { hostname, port } = new URL(env['MCP_ORCHESTRATION_URL'] ?? '');
  const listen = { host: hostname, port: Number(port) };
  const own = { token: null, allowHosts: [], clock: systemClock, bootId: '4be1', programVersion: '0.1.0' };
  const server = await openStatusServer({ listen, ...own });
  server.publish(sampleStatus());
  return server;
}

function pagesWith(...names: readonly string[]): readonly string[] {
  return names.map((name) => `docs/${name}`);
}

const linksOf = (markdown: string): readonly string[] =>
  [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^\w+:/.test(link));

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || anchorsOf(textOf(target)).includes(anchor);
}

/** As GitHub makes them of headings. */
const anchorsOf = (markdown: string): readonly string[] =>
  [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

const withoutCode = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```/gm, '');

const options = commands.flatMap((command) => Object.keys(command.options));
const flags = new Set([...options.map(flagName), '--help', '--version']);
const variables = new Set([
  ...options.map(environmentName),
  'MCP_ORCHESTRATION_TEST_ENGINE',
  'MCP_ORCHESTRATION_RUNS',
]);
const names = new Set(commands.map(({ name }) => name));

function strangersIn(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.includes('mcp-orchestration '));
  const called = [...text.matchAll(/(?:^|[`$(|&;] *)mcp-orchestration ([a-z]+)/gm)].map(
    ([, name = '']) => name,
  );
  const flagsSaid = lines.flatMap((line) => optionsAfterCommand(line));
  const own = text.match(/\bMCP_ORCHESTRATION_[A-Z_]+\b/g) ?? [];
  const events = [...text.matchAll(/event_type==\\?"(\w+)\\?"/g)].map(([, name = '']) => name);
  return [
    ...called.filter((name) => !names.has(name)),
    ...flagsSaid.filter((flag) => !flags.has(flag)),
    ...own.filter((name) => !variables.has(name)),
    ...events.filter((name) => !Object.hasOwn(catalogue, name)),
  ];
}

/** What stands between the program's name and the end of its command; other programs have options of their own. */
function optionsAfterCommand(line: string): readonly string[] {
  return [...line.matchAll(/(?<![\w/-])mcp-orchestration [a-z]+[^|`;&]*/g)].flatMap(
    ([part]) => part.match(/--[a-z][a-z-]*/g) ?? [],
  );
}
