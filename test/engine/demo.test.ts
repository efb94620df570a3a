import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { until } from '../../examples/engine/commands.ts';
import { processesWith } from '../support/processes.ts';
import { commandOf, play, playEnv } from '../support/play-example.ts';

test('the demo plays to its end with every claim met', async () => {
  const output = await play('demo/demo.ts');
  expect(output).toMatch(/met {2,}from the merge until all servers are ready/);
  expect(output).not.toContain('MISSED');
  expect(output, 'no colours where no terminal is').not.toContain('\u001b');
});

test('killed in the middle, the demo leaves no process behind', async () => {
  const demo = spawn(process.execPath, commandOf('demo/demo.ts'), {
    env: playEnv(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  demo.stdout.setEncoding('utf8').on('data', (part: string) => (said += part));
  expect(await until(async () => /its status is at/.test(said), 60_000)).toBe(true);
  const folder = /file:\/\/(\S+)\/manifest\.git/.exec(said)?.[1] ?? '-';
  expect(await processesWith(folder)).not.toEqual([]);
  demo.kill('SIGKILL');
  await once(demo, 'exit');
  expect(await until(async () => (await processesWith(folder)).length === 0, 60_000)).toBe(true);
});
