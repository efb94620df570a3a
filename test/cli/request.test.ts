import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/cli/command.ts';
import { pause, resume, retry, sync } from '../../src/cli/request.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { openState } from '../../src/state/index.ts';
import type { Request, RequestAnswer } from '../../src/state/state.ts';
import { stateFolder } from '../journal/sample.ts';
import { terminal } from './terminal.ts';

/** An orchestrator that takes what is there and answers it. */
async function answering(path: string, answer: RequestAnswer): Promise<readonly Request[]> {
  const { requests } = await openState(path, systemClock);
  for (;;) {
    const taken = await requests.take();
    for (const request of taken) await requests.answer(request, answer);
    if (taken.length > 0) return taken;
    await systemClock.sleep(20);
  }
}

async function asked(
  command: Command,
  state: string,
  typed: { id?: string; options?: Record<string, string | boolean> } = {},
  clock?: Clock,
) {
  const io = terminal(clock === undefined ? {} : { clock });
  const code = await command.run({ arguments: [typed.id], options: { state, ...typed.options } }, io);
  return { code, out: io.stdout.text, said: io.stderr.text };
}

describe('a request', () => {
  const yes = { accepted: true, message: 'done' };

  it.each([
    [
      'pause',
      pause,
      { id: 'github', options: { for: '2h', reason: 'a fair' } },
      { server: 'github', forSeconds: 7200, reason: 'a fair' },
    ],
    ['pause', pause, {}, { server: null, forSeconds: null, reason: null }],
    ['resume', resume, { id: 'github' }, { server: 'github' }],
    ['retry', retry, { id: 'github' }, { server: 'github' }],
    ['sync', sync, {}, { server: null }],
  ] as const)('%s is left, taken and answered', async (name, command, typed, wanted) => {
    const state = await stateFolder();
    await mkdir(join(state, 'requests'));
    const [got, taken] = await Promise.all([asked(command, state, typed), answering(state, yes)]);
    expect(got).toEqual({ code: 0, out: 'done\n', said: '' });
    expect(taken).toMatchObject([{ request: name, ...wanted }]);
  });

  it('is answered as JSON for machines, obeyed or not', async () => {
    const state = await stateFolder();
    await mkdir(join(state, 'requests'));
    for (const accepted of [true, false]) {
      const answer = { accepted, message: 'so it is' };
      const options = { json: true };
      const [got] = await Promise.all([asked(retry, state, { id: 'x', options }), answering(state, answer)]);
      expect([got.code, got.said]).toEqual([accepted ? 0 : 1, '']);
      expect(JSON.parse(got.out)).toEqual({ request: 'retry', server: 'x', ...answer });
    }
  });

  it('that is not obeyed ends with 1 and the reason', async () => {
    const state = await stateFolder();
    await mkdir(join(state, 'requests'));
    const no = { accepted: false, message: 'no server is called x' };
    const [got] = await Promise.all([asked(retry, state, { id: 'x' }), answering(state, no)]);
    expect(got).toEqual({ code: 1, out: '', said: 'retry: no server is called x\n' });
  });

  it('that nobody takes within 10 s is withdrawn and ends with 1', async () => {
    const state = await stateFolder();
    await mkdir(join(state, 'requests'));
    const limits: number[] = [];
    const deadline: Clock['deadline'] = (ms) => {
      limits.push(ms);
      return AbortSignal.timeout(50);
    };
    const got = await asked(sync, state, {}, { ...systemClock, deadline });
    expect(got).toEqual({
      code: 1,
      out: '',
      said: `sync: no orchestrator took it within 10 s; is one running on the state folder ${state}? (see --state)\n`,
    });
    expect(limits).toEqual([10_000]);
    expect(await readdir(join(state, 'requests'))).toEqual([]);
  });

  it('for a folder that no orchestrator uses ends with 1 and a sentence', async () => {
    const got = await asked(sync, join(await stateFolder(), 'nowhere'));
    expect(got.code).toBe(1);
    expect(got.said).toMatch(/^sync: .*nowhere/);
  });

  it('of retry needs a server', async () => {
    expect(await asked(retry, 'x')).toMatchObject({ code: 64, said: 'retry: <id> is needed\n' });
  });
});
