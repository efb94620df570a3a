import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import { emptyServerMemory, type ServerMemory } from '../../src/model/memory.ts';
import { follows, type Deployable } from '../../src/plan/choice.ts';
import { bestOf, keepsTo } from '../../src/reconcile/candidates.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { memoryRuntime } from '../../src/runtime/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { blueprint, entry } from '../support/world.ts';

const repository = 'docker.io/liminalcommons/github';
const clock = fakeClock();
const digestOf = (tag: string): string => `sha256:${tag}`;

const server = (change: Partial<Deployable> = {}): Deployable => ({
  ...entry('github', { strategy: 'semantic', versionRange: '^1.0.0', autoUpdate: true }),
  blueprint: blueprint('github', { image: `${repository}:1.0.0` }),
  ...change,
});

const remembered = (tag: string, change: Partial<ServerMemory> = {}): ServerMemory => ({
  ...emptyServerMemory,
  resolved: {
    ...{ entry: 'entry-github', image: `${repository}:${tag}`, imageDigest: digestOf(tag), version: tag },
  },
  ...change,
});

const setAside = (tag: string, gate: 'health' | 'reverted' = 'health') => ({
  ...{ spec: `spec-${tag}`, imageDigest: digestOf(tag), version: tag, gate, reason: gate, at: 0 },
});

const tagOf = (image: string): string => image.slice(image.lastIndexOf(':') + 1);

/** `asked`: the questions about single tags, in order. */
function registryOf(tags: readonly string[], more: Partial<Registry> = {}) {
  const asked: string[] = [];
  const registry: Registry = {
    tags: () => Promise.resolve(tags),
    digestOf: (image) => {
      asked.push(tagOf(image));
      return Promise.resolve(digestOf(tagOf(image)));
    },
    inspect: () => Promise.resolve({ sizeBytes: 1_000, offers: [] }),
    ...more,
  };
  return { registry, asked };
}

const runtime = memoryRuntime({ clock, ids: () => 'c' });

const ask = (of: Deployable, memory: ServerMemory, registry: Registry) =>
  bestOf(of, memory, { clock, runtime, registry, maxAgeMs: 0 });

const best = async (of: Deployable, memory: ServerMemory, ...tags: readonly string[]) => {
  const { ripe, young } = await ask(of, memory, registryOf(tags).registry);
  return [ripe?.version ?? null, young.map(({ version }) => version)];
};

describe('what is followed next', () => {
  it('is the highest of the range', async () => {
    expect(await best(server(), remembered('1.0.0'), '1.1.0', '1.2.0', '2.0.0')).toEqual(['1.2.0', []]);
  });

  it('is nothing where nothing is newer than what is wanted', async () => {
    expect(await best(server(), remembered('1.2.0'), '1.1.0', '1.2.0')).toEqual([null, []]);
  });

  it('passes over what was set aside, and takes the fix between it and what answers', async () => {
    const memory = remembered('1.2.0', {
      quarantined: [setAside('1.2.0')],
      promoted: { container: 'c', spec: 'spec-1.0.0', version: '1.0.0', at: 0 },
    });
    expect(await best(server(), memory, '1.1.0', '1.2.0')).toEqual(['1.1.0', []]);
  });

  it('is no step back from what answers, even when what is wanted was set aside', async () => {
    const memory = remembered('1.3.0', {
      quarantined: [setAside('1.3.0')],
      promoted: { container: 'c', spec: 'spec-1.2.0', version: '1.2.0', at: 0 },
    });
    expect(await best(server(), memory, '1.1.0', '1.2.0', '1.3.0')).toEqual([null, []]);
  });

  it('is above all that a commit went back from', async () => {
    const memory = remembered('1.0.0', { quarantined: [setAside('1.2.0', 'reverted')] });
    expect(await best(server(), memory, '1.1.0', '1.2.0')).toEqual([null, []]);
    expect(await best(server(), memory, '1.1.0', '1.2.1')).toEqual(['1.2.1', []]);
  });

  it('is old enough; what is younger is told', async () => {
    const found = { [digestOf('1.1.0')]: { at: clock.now() - 61_000, version: '1.1.0' } };
    const memory = remembered('1.0.0', { found });
    expect(await best(server({ minAgeSeconds: 60 }), memory, '1.1.0', '1.2.0')).toEqual(['1.1.0', ['1.2.0']]);
  });

  it('is the next release candidate after one that runs, as its tag is written', async () => {
    const rc = (tag: string): Deployable =>
      server({
        blueprint: blueprint('github', { image: `${repository}:${tag}` }),
        versionRange: null,
      });
    const tags = ['2.0.0-rc1', '2.0.0-rc2', '2.0.0-rc10'];
    expect(await best(rc('2.0.0-rc1'), remembered('2.0.0-rc1'), ...tags)).toEqual(['2.0.0-rc10', []]);
    expect(await best(rc('2.0.0-rc1'), remembered('2.0.0-rc10'), ...tags)).toEqual([null, []]);
  });

  it('is one that the engine can run; what is passed over is told with what it has instead', async () => {
    const { registry } = registryOf(['1.1.0', '1.2.0'], {
      inspect: (image, { architecture }) =>
        Promise.resolve(
          image.endsWith('1.2.0')
            ? { sizeBytes: null, offers: ['linux/arm64'] }
            : { sizeBytes: architecture === 'amd64' ? 7 : 8, offers: ['linux/amd64', 'linux/arm64'] },
        ),
    });
    expect(await ask(server(), remembered('1.0.0'), registry)).toMatchObject({
      ripe: { version: '1.1.0', sizeBytes: 7 },
      passedOver: [
        { image: `${repository}:1.2.0`, why: 'it is for linux/arm64 and the engine is linux/amd64' },
      ],
    });
  });

  it('is one that the registry has: a tag without its image holds up nothing', async () => {
    const gone = new Failure('image_not_found', 'the registry has no 1.2.0');
    const { registry } = registryOf(['1.1.0', '1.2.0'], {
      digestOf: (image) =>
        image.endsWith('1.2.0') ? Promise.reject(gone) : Promise.resolve(digestOf(tagOf(image))),
    });
    expect(await ask(server(), remembered('1.0.0'), registry)).toMatchObject({
      ripe: { version: '1.1.0' },
      passedOver: [{ why: gone.message }],
    });
  });

  it.each(['registry_answer', 'registry_busy', 'registry_denied', 'registry_unreachable'] as const)(
    'is found below a tag that cannot be read (%s), and that one is told',
    async (code) => {
      const failure = new Failure(code, 'the registry gives something odd');
      const { registry } = registryOf(['1.1.0', '1.2.0'], {
        inspect: (image) =>
          image.endsWith('1.2.0') ? Promise.reject(failure) : Promise.resolve({ sizeBytes: 7, offers: [] }),
      });
      expect(await ask(server(), remembered('1.0.0'), registry)).toMatchObject({
        ripe: { version: '1.1.0' },
        unread: [{ image: `${repository}:1.2.0`, failure }],
      });
    },
  );

  it('is an image: what is none is passed over, and an index in an index is pulled by the inner one', async () => {
    const { registry } = registryOf(['1.1.0', '1.2.0'], {
      inspect: (image) =>
        Promise.resolve(
          image.endsWith('1.2.0')
            ? { sizeBytes: null, offers: [], instead: 'application/x-chart' }
            : { sizeBytes: 7, offers: [], pullAs: 'sha256:inner' },
        ),
    });
    expect(await ask(server(), remembered('1.0.0'), registry)).toMatchObject({
      ripe: { version: '1.1.0', imageDigest: 'sha256:inner' },
      passedOver: [{ image: `${repository}:1.2.0`, why: 'it is no image but application/x-chart' }],
    });
  });

  it('is not that of an engine which does not answer: then nothing is said of any tag', async () => {
    const { registry } = registryOf(['1.1.0']);
    const failure = new Failure('engine_unreachable', 'no engine');
    const away = { ...runtime, platform: () => Promise.reject(failure) };
    const asking = bestOf(server(), remembered('1.0.0'), { clock, runtime: away, registry, maxAgeMs: 0 });
    await expect(asking).rejects.toBe(failure);
  });

  it('is asked for by its tag alone: of a hundred young ones only the best, and those that age already', async () => {
    const tags = Array.from({ length: 100 }, (_one, n) => `1.${n}.0`);
    const found = { [digestOf('1.7.0')]: { at: clock.now() - 1_000, version: '1.7.0' } };
    const { registry, asked } = registryOf(tags);
    const { ripe, young } = await ask(
      server({ minAgeSeconds: 60 }),
      remembered('1.0.0', { found }),
      registry,
    );
    expect(asked).toEqual(['1.99.0', '1.7.0']);
    expect([ripe, young.map(({ version }) => version)]).toEqual([null, ['1.99.0', '1.7.0']]);
  });
});

describe('what runs', () => {
  const image = (tag: string): string => `${repository}:${tag}`;

  it('is kept over a change of the entry where the strategy went there', () => {
    expect(keepsTo(server(), image('1.2.0'), { back: false })).toBe(true);
    expect(keepsTo(server(), image('1.0.0'), { back: true })).toBe(true);
  });

  it('is not kept out of range, from elsewhere, below what is asked for, or against a revert', () => {
    expect(keepsTo(server(), image('2.0.0'), { back: false })).toBe(false);
    expect(keepsTo(server(), 'docker.io/other/github:1.2.0', { back: false })).toBe(false);
    expect(keepsTo(server(), image('0.9.0'), { back: false })).toBe(false);
    expect(keepsTo(server(), image('1.2.0'), { back: true })).toBe(false);
    expect(keepsTo(server({ strategy: 'pinned' }), image('1.2.0'), { back: false })).toBe(false);
  });
});

it('a digest, a pinned version and a stopped server have nothing to follow', () => {
  expect(follows(server())).toBe(true);
  expect(follows(server({ blueprint: blueprint('github', { image: `${repository}@sha256:1` }) }))).toBe(
    false,
  );
  expect(follows(server({ strategy: 'pinned' }))).toBe(false);
  expect(follows(server({ desiredState: 'stopped' }))).toBe(false);
});
