import { describe, expect, it } from 'vitest';
import { measuredRuntime, measuredSource } from '../../src/app/measured.ts';
import { Failure } from '../../src/model/failure.ts';
import type { Meter } from '../../src/model/meter.ts';
import { memoryRuntime } from '../../src/runtime/index.ts';
import type { ManifestSource } from '../../src/source/source.ts';
import { fakeClock } from '../support/fake-clock.ts';

function counting() {
  const told: unknown[] = [];
  const meter: Meter = {
    passed: (...what) => told.push(['pass', ...what]),
    engineAsked: (...what) => told.push(['engine', ...what]),
    engineEventsBroke: () => told.push('gap'),
    sourceAsked: (result) => told.push(result),
    measureLogs: () => undefined,
  };
  return { told, meter, clock: fakeClock() };
}
const never = new AbortController().signal;

describe('a question to the engine', () => {
  it('is timed by its verb, with what came of it', async () => {
    const { told, meter, clock } = counting();
    const runtime = memoryRuntime({ clock, ids: () => 'id' });
    const broken = { ...runtime, stop: () => Promise.reject(new Failure('engine_timeout', 'late')) };
    const measured = measuredRuntime(broken, { clock, meter });
    await measured.observe([], never);
    await expect(measured.stop({} as never, never)).rejects.toThrow('late');
    expect(told).toEqual([
      ['engine', 'observe', 'ok', 0],
      ['engine', 'stop', 'engine_timeout', 0],
    ]);
  });

  it('hears when events break off', async () => {
    const { told, meter, clock } = counting();
    const runtime = memoryRuntime({ clock, ids: () => 'id' });
    const hints: string[] = [];
    const breaking = {
      ...runtime,
      watch: async (hint: Parameters<typeof runtime.watch>[0]) => {
        hint({ kind: 'connected' });
        hint({ kind: 'disconnected', error: 'gone' });
      },
    };
    await measuredRuntime(breaking, { clock, meter }).watch(({ kind }) => hints.push(kind), never);
    expect([told, hints]).toEqual([['gap'], ['connected', 'disconnected']]);
  });
});

it('a look at the source is counted by what it brought, and goes on being the same source', async () => {
  const { told, meter } = counting();
  const answers = [null, {} as never, new Failure('source_unreachable', 'away')];
  const source: ManifestSource = {
    address: 'a',
    branch: 'main',
    async read() {
      const answer = answers.shift();
      if (answer instanceof Failure) throw answer;
      return answer ?? null;
    },
    watch: () => Promise.resolve(),
  };
  const measured = measuredSource(source, meter);
  await measured.read(null, never);
  await measured.read(null, never);
  await expect(measured.read(null, never)).rejects.toThrow('away');
  expect(told).toEqual(['unchanged', 'changed', 'unreachable']);
  expect([measured.address, 'between' in measured, 'descends' in measured]).toEqual(['a', false, false]);
});
