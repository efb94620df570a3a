import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/model/failure.ts';
import { awaitAnswer, leaveRequest, openState } from '../../src/state/index.ts';
import type { Request } from '../../src/state/state.ts';

const NOW = 1_700_000_000_000;
const clock: Clock = { ...systemClock, now: () => NOW };
const waiting = (ms = 5000) => ({ clock, signal: AbortSignal.timeout(ms) });

const requestOf = (id: string, fields: Partial<Request> = {}): Request => ({
  id,
  request: 'pause',
  server: null,
  forSeconds: 60,
  reason: 'a look',
  at: NOW,
  ...fields,
});

async function setting() {
  const path = await mkdtemp(join(tmpdir(), 'requests-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const { requests } = await openState(path, clock);
  return { path, home: join(path, 'requests'), requests };
}

describe('a request', () => {
  it('is taken once, in the order of asking, and its answer comes back', async () => {
    const { path, home, requests } = await setting();
    await leaveRequest(path, requestOf('b', { at: NOW + 1 }));
    await leaveRequest(path, requestOf('c'));
    await leaveRequest(
      path,
      requestOf('a', { request: 'retry', server: 's', forSeconds: null, reason: null }),
    );
    const taken = await requests.take();
    expect(taken.map(({ id }) => id)).toEqual(['a', 'c', 'b']);
    expect(taken[0]).toEqual(
      requestOf('a', { request: 'retry', server: 's', forSeconds: null, reason: null }),
    );
    expect(await requests.take()).toEqual([]);
    const answers = taken.map(({ id }) => awaitAnswer(path, id, waiting()));
    for (const request of taken) await requests.answer(request, { accepted: true, message: request.id });
    expect(await Promise.all(answers)).toEqual(taken.map(({ id }) => ({ accepted: true, message: id })));
    expect(await readdir(home)).toEqual([]);
  });

  it('that was not answered is taken again by the next writer', async () => {
    const { path, requests } = await setting();
    await leaveRequest(path, requestOf('a'));
    await requests.take();
    const next = (await openState(path, clock)).requests;
    expect(await next.take()).toHaveLength(1);
  });

  it('that nobody takes is withdrawn when the person gives up', async () => {
    const { path, home, requests } = await setting();
    await leaveRequest(path, requestOf('a'));
    expect(await awaitAnswer(path, 'a', waiting(50))).toBeNull();
    expect(await readdir(home)).toEqual([]);
    expect(await requests.take()).toEqual([]);
  });

  it('of long ago is not obeyed any more, nor an old answer kept', async () => {
    const { path, home, requests } = await setting();
    await leaveRequest(path, requestOf('old', { at: NOW - 61_000 }));
    await leaveRequest(path, requestOf('from-the-future', { at: NOW + 61_000 }));
    await leaveRequest(path, requestOf('new', { at: NOW - 59_000 }));
    await writeFile(
      join(home, 'x.answer.json'),
      JSON.stringify({ accepted: true, message: '', at: NOW - 61_000 }),
    );
    expect((await requests.take()).map(({ id }) => id)).toEqual(['new']);
    expect(await readdir(home)).toEqual(['new.json']);
  });

  it('is told from junk, which stays', async () => {
    const { path, home, requests } = await setting();
    const junk: [string, string][] = [
      ['torn.json', '{"id": "torn", '],
      ['null.json', 'null'],
      ['number.json', '7'],
      ['other.json', JSON.stringify(requestOf('another'))],
      ['kind.json', JSON.stringify({ ...requestOf('kind'), request: 'destroy' })],
      ['server.json', JSON.stringify({ ...requestOf('server'), server: 7 })],
      ['time.json', JSON.stringify({ ...requestOf('time'), at: 'now' })],
      ['huge.json', ' '.repeat(70_000)],
      ['.hidden.json', JSON.stringify(requestOf('.hidden'))],
      ['README', 'notes'],
    ];
    for (const [name, content] of junk) await writeFile(join(home, name), content);
    await mkdir(join(home, 'folder.json'));
    await leaveRequest(path, requestOf('good'));
    expect((await requests.take()).map(({ id }) => id)).toEqual(['good']);
    expect(await readdir(home)).toHaveLength(junk.length + 2);
  });

  it('is noticed at once while somebody watches', async () => {
    const { path, requests } = await setting();
    const stop = new AbortController();
    let hints = 0;
    const watched = requests.watch(() => (hints += 1), stop.signal);
    await leaveRequest(path, requestOf('a'));
    await expect.poll(() => hints).toBeGreaterThan(0);
    await requests.take();
    await systemClock.sleep(250);
    const before = hints;
    await systemClock.sleep(450);
    expect(hints).toBe(before);
    stop.abort();
    await watched;
  });

  it('can be left although the folder of requests was deleted', async () => {
    const { path, home, requests } = await setting();
    await rm(home, { recursive: true });
    expect(await requests.take()).toEqual([]);
    await leaveRequest(path, requestOf('a'));
    expect(await requests.take()).toHaveLength(1);
  });

  it('in a folder that no orchestrator uses is a failure with advice', async () => {
    const { path } = await setting();
    const failure = await leaveRequest(join(path, 'nowhere'), requestOf('a')).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      code: 'state_unusable',
      suggestedAction: expect.stringContaining('--state') as string,
    });
  });

  it('never leaves the folder by its id', async () => {
    const { path } = await setting();
    await expect(leaveRequest(path, requestOf('../x'))).rejects.toThrow('not an id');
    await expect(awaitAnswer(path, '', waiting())).rejects.toThrow('not an id');
  });

  it('cannot be taken where the folder of requests is no folder', async () => {
    const { home, requests } = await setting();
    await rm(home, { recursive: true });
    await writeFile(home, '');
    await expect(requests.take()).rejects.toBeInstanceOf(Failure);
  });
});
