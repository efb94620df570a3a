import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { openPlace, furnish } from '../support/pages.ts';
import { textOf } from '../support/repository.ts';

interface Step {
  readonly name?: string;
  readonly run?: string;
}

const workflow = parse(textOf('examples/ecosystem-manifest/.github/workflows/validate.yml')) as {
  readonly jobs: { readonly validate: { readonly steps: readonly Step[] } };
};

/** What a step runs; the program is on the path here. */
function runOf(name: string): string {
  const step = workflow.jobs.validate.steps.find((one) => one.name === name);
  if (step?.run === undefined) throw new Error(`there is no step ${name}`);
  expect(step.run).toContain('node ../orchestration/dist/main.js');
  return step.run.replaceAll('node ../orchestration/dist/main.js', 'mcp-orchestration');
}

test('the CI file of the example validates a pull request and shows what it would do', async () => {
  const place = await openPlace();
  const script = `
cp -r examples/ecosystem-manifest manifest && cd manifest && git init -q -b main
git add . && git commit -qm Begin && git switch -qc change
sed -i "s/version: '1.0.0'/version: '1.1.0'/" ecosystem-manifest.yaml && git commit -qam Change
export BASE=main RUNNER_TEMP=.. GITHUB_STEP_SUMMARY=../summary.md
${runOf('Validate')}
${runOf('Plan')}`;
  try {
    await furnish(place, []);
    const [printed = ''] = await place.follow([{ needsEngine: false, code: script, prints: null }]);
    expect(printed).toContain('valid: 4 servers');
    const summary = await readFile(join(place.folder, 'summary.md'), 'utf8');
    expect(summary).toMatch(/^\| server +\| what changes/);
    expect(summary).toContain('1.1.0');
    expect(await readFile(join(place.folder, 'plan.md'), 'utf8')).toBe(summary);
  } finally {
    await place.leave();
  }
});
