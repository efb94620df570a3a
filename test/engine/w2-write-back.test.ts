import { expect, test } from 'vitest';
import { isReady } from '../../examples/stage/status.ts';
import { allReady, eventsOf, onStage, untilEvent } from '../support/stage.ts';
import { buildTestServerImage } from '../support/test-server-image.ts';

test(
  'a version that nobody allowed becomes a branch, and merging it is the update, in one trace',
  onStage(async (stage) => {
    const name = stage.name('told');
    const push = (version: string) => buildTestServerImage({ engine: stage.engine, name, version });
    const { repository: image } = await push('1.0.0');
    const follows = { version_strategy: 'semantic', update: { min_healthy_seconds: 1, soak_seconds: 1 } };
    const watching = await stage.watch({ options: ['--update-interval', '2', '--write-back', 'branch'] });
    const revision = await stage.merge([stage.entry('told', { ...follows, docker: { image } })], {
      traceId: 'one-story',
    });
    await allReady(watching, revision, [name]);
    await push('1.1.0');
    const written = await untilEvent(watching, ({ event_type }) => event_type === 'version_written_back');
    expect(written).toMatchObject({ server_name: name, version: '1.1.0', trace_id: 'one-story' });

    const { repository } = stage;
    await repository.git('fetch', '--quiet', 'origin');
    const branch = `origin/mcp-orchestration/${name}-1.1.0`;
    expect(await repository.git('diff', '--numstat', 'main', branch)).toBe('1\t1\tecosystem-manifest.yaml');
    await repository.git('merge', '--quiet', '--no-ff', '-m', 'Merge what was proposed', branch);
    await repository.git('push', '--quiet', 'origin', 'main');
    await watching.status.server(name, (one) => isReady(one) && one.version === '1.1.0');
    const [, update] = await eventsOf(watching, 'update_started', name);
    expect(update).toMatchObject({ version: '1.1.0', trace_id: 'one-story' });
    await untilEvent(watching, (one) => one.event_type === 'update_completed' && one.version === '1.1.0');
    expect(await eventsOf(watching, 'version_written_back')).toHaveLength(1);
  }),
);
