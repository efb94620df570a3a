import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { memoryJournal } from '../../src/journal/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { EventFields } from '../../src/model/event.ts';
import { raiseOffThread } from '../../src/reader/reader.ts';
import { Recorder } from '../../src/reconcile/recorder.ts';
import { WriteBack } from '../../src/reconcile/write-back.ts';
import { openSource } from '../../src/source/index.ts';
import { resolved } from '../manifest/support.ts';
import { git, makeRepository } from '../support/git-remote.ts';

const MANIFEST = 'ecosystem-manifest.yaml';
const textOf = (version: string): string => `# of the team
version: '1.1'
servers:
  - name: github # the first
    version: '${version}'
    docker: { image: liminalcommons/github, port: 8080 }
    version_strategy: semantic
`;

async function recorderThatFound(entry: string): Promise<Recorder> {
  const nothing = (): void => undefined;
  const same = (text: string): string => text;
  const told = { tell: nothing, recall: nothing, journalState: nothing, scrub: same };
  const recorder = await Recorder.open({
    ...{ journal: memoryJournal([]), clock: systemClock, log: silentLog, newId: () => 'id', ...told },
  });
  const image = 'docker.io/liminalcommons/github';
  const asked: EventFields['version_resolved'] = {
    ...{ entry, image: `${image}:1.0.0`, image_digest: 'sha256:old', version: '1.0.0' },
    ...{ asked: `${image}:1.0.0`, asked_digest: null, size_bytes: null, why: 'its entry is new' },
  };
  const newer: EventFields['update_available'] = {
    ...{ image: `${image}:1.1.0`, image_digest: 'sha256:new', version: '1.1.0', current: '1.0.0' },
  };
  const of = { server: 'github', traceId: 'the-trace' };
  await recorder.record({ event: 'version_resolved', ...of, fields: asked });
  await recorder.record({ event: 'update_available', ...of, fields: newer });
  return recorder;
}

it('a newer version becomes a commit that git itself understands, trailer and all', async () => {
  const repository = await makeRepository();
  onTestFinished(() => repository.remove());
  const revision = await repository.commit({ [MANIFEST]: textOf('1.0.0') });
  const servers = resolved(textOf('1.0.0'));
  const recorder = await recorderThatFound(servers[0]?.entry ?? '');
  const source = await openSource({
    ...{ manifest: repository.bare, branch: null, path: MANIFEST, tokenFile: null, sshKey: null },
    cloneDirectory: join(repository.folder, 'state', 'source'),
    environment: { PATH: process.env['PATH'] },
    clock: systemClock,
    log: silentLog,
  });
  let moved = 0;
  const writeBack = new WriteBack({
    writingBack: { mode: 'direct', raise: raiseOffThread },
    ...{ source, recorder, clock: systemClock, log: silentLog, moved: () => (moved += 1) },
  });
  const traceId = recorder.memory.servers['github']?.traceId ?? 'orchestrator';
  const desired = { revision, source: source.address, traceId, paused: false, servers };
  await writeBack.look(desired, new AbortController().signal);

  const snapshot = await source.read(revision, AbortSignal.timeout(60_000));
  expect(Buffer.from(snapshot?.content ?? []).toString()).toBe(textOf('1.1.0'));
  expect(snapshot?.commit).toMatchObject({ subject: 'Raise github to 1.1.0', traceId });
  expect(await git(repository.bare, 'log', '-1', '--format=%b')).toContain('Because the registry has it');
  expect(recorder.memory.servers['github']?.writtenBack).toBe('docker.io/liminalcommons/github:1.1.0');
  expect(moved).toBe(1);
  await writeBack.look(desired, new AbortController().signal);
  expect(await git(repository.bare, 'rev-list', '--count', 'main')).toBe('2');
});
