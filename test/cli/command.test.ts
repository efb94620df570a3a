import { describe, expect, it } from 'vitest';
import { defineCommand, type Typed } from '../../src/cli/command.ts';
import {
  choice,
  duration,
  durationOrNone,
  flag,
  list,
  required,
  text,
  textOr,
  whole,
} from '../../src/cli/options.ts';
import { Failure } from '../../src/model/failure.ts';
import { terminal } from './terminal.ts';

const manual = { about: 'All of it.', exits: { 0: 'seen' }, examples: ['sample', 'sample --json'] as const };
const seen: unknown[] = [];
const sample = defineCommand({
  name: 'sample',
  summary: 'shows every kind of option',
  ...manual,
  arguments: { id: text('id', 'a server') },
  options: {
    url: textOr('url', 'where', 'http://there'),
    eventsFile: text('path', 'a file'),
    json: flag('for machines'),
    allowHost: list('name', 'more names'),
    timeout: duration('how long', '10m'),
    for: durationOrNone('how long'),
    limit: whole('n', 'how many', 5, 1),
    format: choice('how', ['text', 'markdown'], 'text'),
  },
  async run(values) {
    seen.push(values);
    return 0;
  },
});

async function given(typed: Partial<Typed>, env: Record<string, string> = {}) {
  seen.length = 0;
  const io = terminal({ env });
  const code = await sample.run({ arguments: [], options: {}, ...typed }, io);
  return { code, said: io.stderr.text, values: seen[0] };
}

describe('options of a command', () => {
  it('have defaults', async () => {
    expect((await given({})).values).toEqual({
      id: null,
      url: 'http://there',
      eventsFile: null,
      json: false,
      allowHost: [],
      timeout: 600,
      for: null,
      limit: 5,
      format: 'text',
    });
  });

  it('win over the environment, which wins over the defaults', async () => {
    const env = {
      MCP_ORCHESTRATION_URL: 'http://env',
      MCP_ORCHESTRATION_EVENTS_FILE: '/env',
      MCP_ORCHESTRATION_JSON: 'yes',
      MCP_ORCHESTRATION_ALLOW_HOST: 'a, b',
      MCP_ORCHESTRATION_FOR: '',
    };
    const { values } = await given({ arguments: ['x'], options: { url: 'http://typed' } }, env);
    expect(values).toMatchObject({
      id: 'x',
      url: 'http://typed',
      eventsFile: '/env',
      json: true,
      allowHost: ['a', 'b'],
      for: null,
    });
  });

  it('are read by their kind', async () => {
    const options = {
      json: true,
      allowHost: ['a', 'b'],
      timeout: '2h',
      for: '90',
      limit: '1',
      format: 'markdown',
    };
    expect((await given({ options })).values).toMatchObject({
      json: true,
      allowHost: ['a', 'b'],
      timeout: 7200,
      for: 90,
      limit: 1,
      format: 'markdown',
    });
  });

  it.each([
    [{ timeout: 'soon' }, 'sample: --timeout must be a length of time such as 30s, 10m or 2h, not "soon"'],
    [{ limit: '0' }, 'sample: --limit must be a whole number from 1 on, not "0"'],
    [{ format: 'xml' }, 'sample: --format must be one of text, markdown, not "xml"'],
    [{ json: 'maybe' }, 'sample: --json must be true or false, not "maybe"'],
  ])('that are wrong end with 64 and one sentence: %o', async (options, sentence) => {
    const { code, said, values } = await given({ options: options });
    expect({ code, said, values }).toEqual({ code: 64, said: `${sentence}\n`, values: undefined });
  });

  it('that are wrong in the environment are named as the variable', async () => {
    const { code, said } = await given({}, { MCP_ORCHESTRATION_TIMEOUT: 'x' });
    expect(code).toBe(64);
    expect(said).toMatch(/^sample: MCP_ORCHESTRATION_TIMEOUT must be/);
    expect((await given({}, { MCP_ORCHESTRATION_JSON: 'no' })).values).toMatchObject({ json: false });
  });

  it('that somebody must give are asked for', async () => {
    const needy = defineCommand({
      name: 'needy',
      summary: 'needs',
      ...manual,
      arguments: { id: required('id', 'a server') },
      options: { revision: required('sha', 'a commit') },
      run: async ({ id, revision }) => id.length + revision.length,
    });
    const io = terminal();
    expect(await needy.run({ arguments: [], options: {} }, io)).toBe(64);
    expect(await needy.run({ arguments: ['x'], options: {} }, io)).toBe(64);
    expect(io.stderr.text).toBe('needy: <id> is needed\nneedy: --revision is needed\n');
    expect(await needy.run({ arguments: ['x'], options: { revision: 'abc' } }, io)).toBe(4);
  });

  it('a failing world is one sentence and 1; a mistake of ours is not hidden', async () => {
    const failing = (error: Error) =>
      defineCommand({
        name: 'x',
        summary: 'x',
        ...manual,
        arguments: {},
        options: {},
        run: () => Promise.reject(error),
      });
    const io = terminal();
    const failure = new Failure('disk_full', 'no room', { suggestedAction: 'free some' });
    expect(await failing(failure).run({ arguments: [], options: {} }, io)).toBe(1);
    expect(io.stderr.text).toBe('x: no room; free some\n');
    await expect(failing(new TypeError('ours')).run({ arguments: [], options: {} }, io)).rejects.toThrow(
      'ours',
    );
  });
});
