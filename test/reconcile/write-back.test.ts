import { afterEach, describe, expect, it } from 'vitest';
import { silentLog, type Log } from '../../src/lib/log.ts';
import type { Event } from '../../src/model/event.ts';
import { Failure } from '../../src/model/failure.ts';
import type { Rooms } from '../../src/reconcile/rooms.ts';
import type { ManifestSource } from '../../src/source/source.ts';
import { digestOf, entry, manifest, publish } from '../story/stories.ts';
import { openStage, type Stage, type StageOptions } from '../support/orchestrator.ts';

const TOLD = 'version_strategy: semantic';
const TAKEN = 'version_strategy: semantic, auto_update: true';

let stage: Stage;
afterEach(() => stage.close());

/** One server runs 1.0.0, and then the registry has 1.1.0. */
async function withNewer(policy: string, options: StageOptions): Promise<void> {
  stage = await openStage(options);
  publish(stage, '1.0.0');
  await stage.commit(manifest({ a: entry('1.0.0', policy) }), { traceId: 'begun' });
  await stage.start();
  await stage.settled();
  await stage.pass(60_000);
  publish(stage, '1.1.0');
  await stage.pass(180_000);
}

const written = async (): Promise<Event<'version_written_back'>[]> =>
  (await stage.events()).filter((event) => event.event_type === 'version_written_back');

const live = (): string | null | undefined =>
  stage.engine.controls.instances().find(({ joined }) => joined)?.spec?.settings.version;

/** The stage's own source, with another way to take proposals. */
const proposing =
  (propose: (source: ManifestSource) => NonNullable<ManifestSource['propose']>) =>
  (rooms: Rooms): Rooms => ({
    ...rooms,
    source: {
      ...rooms.source,
      read: (known, signal) => rooms.source.read(known, signal),
      watch: (hint, signal) => rooms.source.watch(hint, signal),
      propose: propose(rooms.source),
    },
  });

describe('a newer version that may only be told of', () => {
  it('is written to a branch of its own, which a person merges', async () => {
    await withNewer(TOLD, { writeBack: 'branch' });
    expect(stage.repository.branches()).toEqual(['mcp-orchestration/a-1.1.0']);
    expect(stage.repository.textOf('mcp-orchestration/a-1.1.0')).toBe(manifest({ a: entry('1.1.0', TOLD) }));
    expect(await written()).toMatchObject([
      {
        ...{ server_name: 'a', trace_id: 'begun', mode: 'branch', branch: 'mcp-orchestration/a-1.1.0' },
        ...{ version: '1.1.0', from_version: '1.0.0', image: 'docker.io/liminalcommons/server:1.1.0' },
        revision: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
      },
    ]);
    expect(stage.repository.commits()).toHaveLength(1);
    expect(live()).toBe('1.0.0');
    await stage.commit(stage.repository.textOf('mcp-orchestration/a-1.1.0'), { traceId: 'begun' });
    await stage.pass(60_000);
    expect(live()).toBe('1.1.0');
    expect(await written()).toHaveLength(1);
  });

  it('is written to the followed branch, and deployed from there', async () => {
    await withNewer(TOLD, { writeBack: 'direct' });
    expect(stage.repository.textOf('main')).toBe(manifest({ a: entry('1.1.0', TOLD) }));
    expect(stage.repository.commits()).toEqual(['commit 1', 'Raise a to 1.1.0']);
    expect(live()).toBe('1.1.0');
    expect(await written()).toMatchObject([{ mode: 'direct', branch: 'main', version: '1.1.0' }]);
    const synced = (await stage.events()).filter(({ event_type }) => event_type === 'manifest_synced').at(-1);
    expect(synced).toMatchObject({ trace_id: 'begun', changed: ['a'] });
  });

  it('has to be old enough', async () => {
    await withNewer(`${TOLD}, update: { min_age_seconds: 600, soak_seconds: 20 }`, { writeBack: 'branch' });
    expect(stage.repository.branches()).toEqual([]);
    await stage.pass(600_000);
    expect(stage.repository.branches()).toEqual(['mcp-orchestration/a-1.1.0']);
  });

  it('is followed by a newer one, once each', async () => {
    await withNewer(TOLD, { writeBack: 'branch' });
    publish(stage, '1.2.0', '2.0.0');
    await stage.pass(180_000);
    await stage.die();
    await stage.start();
    await stage.pass(180_000);
    expect(stage.repository.branches()).toEqual(['mcp-orchestration/a-1.1.0', 'mcp-orchestration/a-1.2.0']);
    expect(await written()).toHaveLength(2);
  });

  it('is not written while a person has paused', async () => {
    await withNewer(`${TOLD}, paused: true`, { writeBack: 'direct' });
    expect(stage.repository.commits()).toHaveLength(1);
  });

  it('is not written by default', async () => {
    await withNewer(TOLD, {});
    expect(await written()).toEqual([]);
    expect([stage.repository.commits(), stage.repository.branches()]).toEqual([['commit 1'], []]);
  });
});

describe('a newer version that is taken by itself', () => {
  it('is written when it lasted its soak, and that restarts nothing', async () => {
    await withNewer(TAKEN, { writeBack: 'direct' });
    const types = (await stage.events()).map(({ event_type }) => event_type);
    const last = (type: string): number => types.lastIndexOf(type as Event['event_type']);
    expect(last('version_written_back')).toBeGreaterThan(last('update_completed'));
    expect(last('manifest_synced')).toBeGreaterThan(last('version_written_back'));
    expect(last('update_started')).toBeLessThan(last('version_written_back'));
    expect(last('server_started')).toBeLessThan(last('version_written_back'));
    expect(stage.repository.commits()).toEqual(['commit 1', 'Raise a to 1.1.0']);
    expect(await stage.settled()).toMatchObject({ outcome: 'applied' });
  });

  it('is not written where it was set aside, nor while anything else is', async () => {
    stage = await openStage({ writeBack: 'direct' });
    publish(stage, '1.0.0');
    stage.engine.controls.behave(digestOf('1.2.0'), { answers: 'down' });
    await stage.commit(manifest({ a: entry('1.0.0', TAKEN) }));
    await stage.start();
    await stage.settled();
    await stage.pass(60_000);
    publish(stage, '1.2.0');
    await stage.pass(180_000);
    publish(stage, '1.1.0');
    await stage.pass(180_000);
    expect(live()).toBe('1.1.0');
    expect(stage.repository.commits()).toEqual(['commit 1']);
  });
});

describe('a repository that does not take it', () => {
  const says: { warn: string[] } = { warn: [] };
  const log: Log = { ...silentLog, warn: (_fields, message) => says.warn.push(message ?? '') };

  it('is told of once, tried again ever less often, and nothing else is disturbed', async () => {
    let tries = 0;
    const denied = new Failure('source_denied', 'no', { suggestedAction: 'Allow it.' });
    const wrap = proposing(() => () => {
      tries += 1;
      return Promise.reject(denied);
    });
    await withNewer(TAKEN, { writeBack: 'direct', wrap, log });
    await stage.pass(600_000);
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(9);
    expect(says.warn.filter((message) => message.includes('no (Allow it.)'))).toHaveLength(1);
    expect(live()).toBe('1.1.0');
    expect(stage.orchestrator().intake.status.state).toBe('synced');
    expect(await written()).toEqual([]);
  });

  it('is left alone after some hours, until there is a newer commit, and asked once for all servers', async () => {
    says.warn = [];
    let tries = 0;
    const denied = new Failure('source_denied', 'no', { suggestedAction: 'Allow it.' });
    const wrap = proposing((source) => async (proposal, signal) => {
      tries += 1;
      if (stage.repository.commits().length === 1) throw denied;
      return (await source.propose?.(proposal, signal)) ?? { branch: '', revision: '' };
    });
    stage = await openStage({ writeBack: 'branch', wrap, log });
    publish(stage, '1.0.0', '1.1.0');
    const servers = (comment: string): string =>
      `${comment}${manifest({ a: entry('1.0.0', TOLD), b: entry('1.0.0', TOLD) })}`;
    await stage.commit(servers(''));
    await stage.start();
    await stage.settled();
    for (let hours = 0; hours < 12; hours += 1) {
      await stage.pass(20_000);
      stage.clock.set(3_600_000);
    }
    expect(tries).toBe(8);
    expect(says.warn.filter((message) => message.includes('Allow it.'))).toHaveLength(2);
    expect(says.warn.at(-1)).toContain('tried again with the next commit');
    await stage.commit(servers('# put right\n'));
    await stage.pass(180_000);
    expect(stage.repository.branches().sort()).toEqual([
      'mcp-orchestration/a-1.1.0',
      'mcp-orchestration/b-1.1.0',
    ]);
  });

  it('where somebody was faster is written to from the newer commit', async () => {
    let moved = false;
    const wrap = proposing((source) => async (proposal, signal) => {
      if (!moved) {
        moved = true;
        await stage.commit(`# a person's\n${manifest({ a: entry('1.0.0', TOLD) })}`);
      }
      return (await source.propose?.(proposal, signal)) ?? { branch: '', revision: '' };
    });
    await withNewer(TOLD, { writeBack: 'direct', wrap });
    expect(stage.repository.commits()).toEqual(['commit 1', 'commit 2', 'Raise a to 1.1.0']);
    expect(stage.repository.textOf('main')).toBe(`# a person's\n${manifest({ a: entry('1.1.0', TOLD) })}`);
  });

  it('or cannot be written without changing more is left to a person', async () => {
    says.warn = [];
    stage = await openStage({ writeBack: 'branch', log });
    publish(stage, '1.0.0', '1.1.0');
    const aliased = manifest({ a: entry('1.0.0', TOLD) }).replace('version: "1.0.0"', 'version: *v');
    await stage.commit(`x-v: &v "1.0.0"\n${aliased}`);
    await stage.start();
    await stage.settled();
    await stage.pass(180_000);
    expect(stage.repository.branches()).toEqual([]);
    expect(says.warn.filter((message) => message.includes('by an alias (Write 1.1.0 into'))).toHaveLength(1);
  });
});
