import type { AppIo } from '../app/app.ts';
import { EXIT } from '../app/config.ts';
import type { PreviewConfig } from '../app/preview.ts';
import { describeChanges, describePlan, hasWork, type Form } from '../plan/markdown.ts';
import { diffDesired } from '../plan/diff.ts';
import { explain } from './begin.ts';
import { defineCommand, type Io } from './command.ts';
import { choice, flag, text } from './options.ts';
import { engineOptions, policyOptions, runOptions, sourceOptions, stateOption } from './shared.ts';

const SOMETHING_TO_DO = 2;

export const plan = defineCommand({
  name: 'plan',
  summary:
    'Show what run would do now, or with --base what a change of the manifest would do; changes nothing',
  about:
    'Takes the decisions that run would take now, from the same memory and by the same code, ' +
    'and writes nothing: not to the engine, not to a registry, not into the state folder. With ' +
    '--base it compares two commits instead and needs no engine, as pull requests want it.',
  exits: {
    0: 'planned',
    1: 'it could not be planned',
    2: 'with --detailed-exitcode: there is something to do',
    3: 'the manifest is refused',
  },
  examples: [
    'mcp-orchestration plan --manifest . --detailed-exitcode',
    'mcp-orchestration plan --manifest . --base origin/main --format markdown',
  ],
  arguments: {},
  options: {
    ...sourceOptions,
    base: text('ref', 'compare with the manifest at this commit instead; needs no engine'),
    format: choice<Shape>('how the plan is written', ['text', 'markdown', 'json'], 'text'),
    json: flag('the same as --format json'),
    detailedExitcode: flag('exit with 2 when there is something to do'),
    ...stateOption,
    eventsFile: runOptions.eventsFile,
    allowRewind: runOptions.allowRewind,
    ...engineOptions,
    ...policyOptions,
  },
  async run({ base, format, json, detailedExitcode, ...config }, io): Promise<number> {
    try {
      const form: Shape = json ? 'json' : format;
      const shown = base === null ? await now(config, form, io) : await between(config, base, { form, io });
      io.stdout.write(`${shown.text}\n`);
      return detailedExitcode && shown.something ? SOMETHING_TO_DO : EXIT.ok;
    } catch (error) {
      return explain(error, config.state, io);
    }
  },
});

interface Shown {
  readonly text: string;
  readonly something: boolean;
}

type Shape = Form | 'json';

async function now(config: PreviewConfig, form: Shape, io: AppIo): Promise<Shown> {
  // Loaded by who needs it: most of the program is behind it.
  const { preview } = await import('../app/preview.ts');
  const { plan: found } = await preview(config, io);
  const text = form === 'json' ? JSON.stringify(found, null, 2) : describePlan(found, form);
  return { text, something: hasWork(found) };
}

async function between(
  config: PreviewConfig,
  base: string,
  { form, io }: { form: Shape; io: Io },
): Promise<Shown> {
  const { readAt, readBase } = await import('../app/read-at.ts');
  const [after, { desired, problem }] = await Promise.all([
    readAt(config, null, io),
    readBase(config, base, io),
  ]);
  const changes = diffDesired(desired ?? { ...after, servers: [] }, after);
  if (problem !== null) io.stderr.write(`${unreadable(base)}\n${problem}\n`);
  if (form === 'json') return { text: JSON.stringify(changes, null, 2), something: changes.length > 0 };
  const said = problem === null ? '' : `${unreadable(base)}\n\n`;
  return { text: `${said}${describeChanges(changes, form)}`, something: changes.length > 0 };
}

const unreadable = (base: string): string =>
  `The manifest at ${base} cannot be read, so that every server counts as new here.`;
