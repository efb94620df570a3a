import type { AppIo } from '../app/app.ts';
import { EXIT } from '../app/config.ts';
import { preview, readAt, type PreviewConfig } from '../app/preview.ts';
import { describeChanges, describePlan, hasWork, type Form } from '../plan/markdown.ts';
import { diffDesired } from '../plan/diff.ts';
import { explain } from './begin.ts';
import { defineCommand } from './command.ts';
import { choice, flag, text } from './options.ts';
import { engineOptions, policyOptions, runOptions, sourceOptions, stateOption } from './shared.ts';

const SOMETHING_TO_DO = 2;

export const plan = defineCommand({
  name: 'plan',
  summary:
    'Show what run would do now, or with --base what a change of the manifest would do; changes nothing',
  arguments: {},
  options: {
    ...sourceOptions,
    base: text('ref', 'compare with the manifest at this commit instead; needs no engine'),
    format: choice<Shape>('how the plan is written', ['text', 'markdown', 'json'], 'text'),
    json: flag('the same as --format json'),
    detailedExitcode: flag('exit with 2 when there is something to do'),
    ...stateOption,
    eventsFile: runOptions.eventsFile,
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
  const { plan: found } = await preview(config, io);
  const text = form === 'json' ? JSON.stringify(found, null, 2) : describePlan(found, form);
  return { text, something: hasWork(found) };
}

async function between(
  config: PreviewConfig,
  base: string,
  { form, io }: { form: Shape; io: AppIo },
): Promise<Shown> {
  const [before, after] = [await readAt(config, base, io), await readAt(config, null, io)];
  const changes = diffDesired(before, after);
  const text = form === 'json' ? JSON.stringify(changes, null, 2) : describeChanges(changes, form);
  return { text, something: changes.length > 0 };
}
