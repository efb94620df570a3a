import { execFile } from 'node:child_process';
import { expect, it } from 'vitest';

it('the measurement of the repository tells of both kinds of answer, beside a bare server', async () => {
  // Whether the promises are kept is for a machine that does nothing else to say.
  const told = await new Promise<string>((resolve) =>
    execFile('npm', ['run', '-s', 'bench:status', '--', '--quick'], (_error, stdout) => resolve(stdout)),
  );
  for (const encoding of ['gzip', 'identity'])
    expect(told).toMatch(
      new RegExp(
        `${encoding}: 100 servers.*\\n  ours: 30 answers.* p95 .*; flat out [1-9].*\\n  bare: 30 answers.*\\n.*share`,
      ),
    );
}, 60_000);
