import { describe, expect, it } from 'vitest';
import { toLine, fromLine } from '../../src/journal/line.ts';
import type { Event } from '../../src/model/event.ts';
import { emptyMemory, emptyServerMemory, type Memory, type ServerMemory } from '../../src/model/memory.ts';
import { remember } from '../../src/plan/remember.ts';
import { objectWords } from '../support/object-words.ts';
import { sampleEvents } from '../support/sample-log.ts';
import { NOW, SECOND, event, instance, of, spec } from '../support/world.ts';

const v1 = spec('github');
const one = of(instance(v1, 'a'));
const fold = (events: readonly Event[], from: Memory = emptyMemory): Memory => events.reduce(remember, from);
const server = (events: readonly Event[]): ServerMemory =>
  fold(events).servers['github'] ?? emptyServerMemory;

const synced = (entries: Record<string, string>, more: object = {}, time = NOW) =>
  event(
    'manifest_synced',
    {
      source: 's',
      revision: 'r1',
      previous: null,
      commits: [],
      entries,
      added: [],
      changed: [],
      removed: [],
      allow_removal: [],
      ...more,
    },
    { server: null, time },
  );

const exited = (change: object = {}) =>
  event('server_down', {
    ...one,
    from: 'healthy',
    to: 'unhealthy',
    reason: 'exited_1',
    by: 'itself',
    exit_code: 1,
    at: NOW - SECOND,
    ...change,
  });
const quarantine = event('version_quarantined', {
  spec: v1.digest,
  image_digest: v1.imageDigest,
  version: '1.0.0',
  gate: 'soak',
  evidence: { reason: 'timeout' },
});
const attempt = (number: number, strategy: 'restart' | 'recreate' = 'restart') =>
  event('recovery_started', { ...one, reason: 'container_exited', attempt: number, strategy });
const resolved = (change: object = {}) =>
  event('version_resolved', {
    ...{ entry: 'e', image: 'i', image_digest: 'd', version: null, asked: 'i', asked_digest: null },
    ...{ size_bytes: null, why: 'its entry is new or has changed', ...change },
  });
const gateFailed = (change: object = {}) =>
  event('update_gate_failed', { gate: 'pull', class: 'world', spec: v1.digest, error: 'away', ...change });

describe('an accepted revision', () => {
  it('is remembered with its entries, its releases and when it came', () => {
    const memory = fold([synced({ github: 'e1' }, { allow_removal: ['coda'], unpruned: ['github'] })]);
    expect(memory).toMatchObject({
      revision: 'r1',
      source: 's',
      traceId: 'trace1',
      acceptedAt: NOW,
      allowRemoval: ['coda'],
    });
    expect(memory.servers['github']).toMatchObject({ entry: 'e1', prune: false, traceId: 'trace1' });
  });

  it('written again at a start changes nothing', () => {
    const before = fold([synced({ github: 'e1' }, { allow_removal: ['coda'] }), quarantine]);
    expect(fold([synced({ github: 'e1' }, {}, NOW + SECOND)], before)).toEqual(before);
  });

  it('with a changed entry forgets quarantine, postponements and attempts', () => {
    const { quarantined, postponed, recovery, stable } = server([
      synced({ github: 'e1' }),
      quarantine,
      gateFailed(),
      attempt(2),
      synced({ github: 'e2' }),
    ]);
    expect({ quarantined, postponed, stable, attempts: recovery.attempts }).toEqual({
      quarantined: [],
      postponed: {},
      stable: null,
      attempts: 0,
    });
  });

  it('without a server keeps what is known of it until it is removed', () => {
    const events = [
      synced({ github: 'e1' }),
      event('update_completed', { ...one, seconds: 1, image_digest: 'd' }),
      synced({}),
    ];
    expect(server(events)).toMatchObject({ entry: null, stable: v1.digest });
    expect(fold([...events, event('server_removed', { version: null })]).servers).toEqual({});
    expect(server([...events, synced({ github: 'e3' }), event('server_removed', { version: null })])).toEqual(
      {
        ...emptyServerMemory,
        entry: 'e3',
        prune: true,
        traceId: 'trace1',
      },
    );
  });

  it('is settled, and its held removals told, once', () => {
    const held = event(
      'removal_held',
      { revision: 'r1', servers: [], limit: 1, reason: 'too_many' },
      { server: null },
    );
    const settled = event(
      'revision_settled',
      { revision: 'r1', outcome: 'applied', seconds: 1, servers_failed: [] },
      { server: null },
    );
    expect(fold([held, settled])).toMatchObject({ settled: 'r1', removalHeldFor: 'r1' });
  });
});

describe('a request', () => {
  const asked = (
    request: 'pause' | 'resume' | 'retry' | 'sync',
    more: object = {},
    who: string | null = 'github',
  ) => event('request_accepted', { request, ...more }, { server: who });

  it('to pause is for one or for all, for a time or for ever, until it is taken back', () => {
    expect(server([asked('pause', { until: 5, reason: 'x' })]).pause).toEqual({ until: 5, reason: 'x' });
    expect(fold([asked('pause', {}, null)]).pause).toEqual({ until: null, reason: '' });
    expect(server([asked('pause'), asked('resume')]).pause).toBeNull();
    expect(fold([asked('pause', {}, null), asked('resume', {}, null)]).pause).toBeNull();
  });

  it('to retry forgets quarantine and attempts, of one or of all', () => {
    expect(server([quarantine, asked('retry')]).quarantined).toEqual([]);
    expect(server([quarantine, attempt(3), asked('retry', {}, null)]).recovery.attempts).toBe(0);
    expect(server([quarantine, asked('sync')]).quarantined).toHaveLength(1);
  });
});

describe('a rollout', () => {
  it('is remembered from its first deed to its end', () => {
    const started = event('update_started', {
      rollout_id: 'r-1',
      spec: v1.digest,
      image: v1.image,
      image_digest: 'd',
      version: '1.0.0',
      from_version: '0.9.0',
      order: 'start-first',
    });
    expect(server([started]).rollout).toEqual({ id: 'r-1', spec: v1.digest, at: NOW, fromVersion: '0.9.0' });
    expect(
      server([started, event('update_completed', { ...one, seconds: 1, image_digest: 'd' })]),
    ).toMatchObject({ rollout: null, stable: v1.digest });
    const failed = { spec: v1.digest, gate: 'health' as const, version: null, image_digest: 'd', error: '' };
    expect(server([started, event('update_failed', failed)]).rollout).toBeNull();
    expect(server([started, event('update_failed', { ...failed, spec: 'other' })]).rollout).not.toBeNull();
  });

  it('the intent to promote says already who is live, and clears nothing', () => {
    const drain = event('drain_started', { ...one, drain_min_seconds: 1, drain_timeout_seconds: 1 });
    const intent = server([drain, event('server_promoting', one)]);
    expect(intent).toMatchObject({ promoted: { container: 'a', version: '1.0.0' }, drains: { a: NOW } });
    const ready = server([
      drain,
      gateFailed(),
      event('server_ready', { ...one, url: null, image_digest: 'd' }),
    ]);
    expect(ready).toMatchObject({ drains: {}, postponed: {} });
  });

  it('a failure of the world puts it off, longer each time, and a start clears that', () => {
    expect(server([gateFailed()]).postponed[v1.digest]).toMatchObject({
      until: NOW + SECOND,
      count: 1,
      code: null,
      class: 'world',
    });
    expect(server([gateFailed(), gateFailed()]).postponed[v1.digest]).toMatchObject({
      until: NOW + 2 * SECOND,
      count: 2,
    });
    expect(server([gateFailed({ retry_at: NOW + 7, code: 'disk_full' })]).postponed[v1.digest]).toMatchObject(
      { until: NOW + 7, code: 'disk_full' },
    );
    expect(server([gateFailed(), event('server_started', one)]).postponed).toEqual({});
  });

  it('a fault of its own that left a container is judged by that container', () => {
    expect(server([gateFailed({ class: 'version', gate: 'start', container_id: 'a' })]).postponed).toEqual(
      {},
    );
    expect(server([gateFailed({ class: 'version', gate: 'create' })]).postponed[v1.digest]).toMatchObject({
      class: 'version',
    });
  });

  it('a version that was set aside twice is there once, and the way back is told to its end', () => {
    const back = event('rollback_started', {
      from_version: '2',
      to_version: '1',
      from_spec: 'x',
      to_spec: 'y',
    });
    const done = event('rollback_completed', { version: '1', spec: 'y', seconds: 1 });
    expect(server([quarantine, quarantine]).quarantined).toHaveLength(1);
    expect(server([back]).rollback).toEqual({ from: 'x', to: 'y', at: NOW, open: true });
    expect(server([back, done]).rollback).toMatchObject({ open: false });
    expect(server([event('rollback_failed', { spec: 'y', error: '' })]).rollback).toBeNull();
  });

  it('images that we brought are ours to remove', () => {
    const pulled = event('image_pulled', { image: v1.image, image_digest: 'sha256:d', seconds: 1 });
    expect(server([pulled, pulled]).pulled).toEqual(['docker.io/liminalcommons/github@sha256:d']);
    expect(
      server([pulled, event('image_removed', { image: 'docker.io/liminalcommons/github@sha256:d' })]).pulled,
    ).toEqual([]);
  });

  it('images that were on their way when we died are ours, those whose pull failed are not', () => {
    const pulling = event('image_pulling', { image: v1.image, image_digest: 'sha256:d' });
    const failed = (code: string, digest = 'sha256:d') =>
      event('update_gate_failed', {
        ...{
          gate: 'pull' as const,
          class: 'world' as const,
          spec: 'x',
          error: '',
          code,
          image_digest: digest,
        },
      });
    const ours = ['docker.io/liminalcommons/github@sha256:d'];
    expect(server([pulling]).pulled).toEqual(ours);
    expect(server([pulling, failed('registry_denied')])).toMatchObject({ pulled: [], pulledAt: {} });
    expect(server([pulling, failed('registry_denied', 'sha256:e')]).pulled).toEqual(ours);
    // Nobody knows what became of it: the engine may have ended it without us.
    expect(server([pulling, failed('engine_unreachable')]).pulled).toEqual(ours);
  });

  it('images that we brought are ours to remove even when their server is gone', () => {
    const ref = 'docker.io/liminalcommons/github@sha256:d';
    const pulled = event('image_pulled', { image: v1.image, image_digest: 'sha256:d', seconds: 1 });
    const gone = event('server_removed', { version: null });
    const byOther = event('image_removed', { image: ref }, { server: 'coda' });
    expect(fold([pulled, gone])).toMatchObject({ servers: {}, orphans: { [ref]: NOW } });
    expect(fold([pulled, gone, byOther]).orphans).toEqual({});
    expect(fold([pulled, gone, pulled])).toMatchObject({
      servers: { github: { pulled: [ref] } },
      orphans: {},
    });
  });

  it('what a tag stood for is kept with its entry', () => {
    expect(server([resolved({ asked: 'j', asked_digest: 'c' })]).resolved).toEqual({
      ...{ entry: 'e', image: 'i', imageDigest: 'd', version: null, asked: 'j', askedDigest: 'c' },
    });
  });

  it('what a tag stood for in a line of an older program, which has fewer fields', () => {
    const absent = { asked: undefined, asked_digest: undefined, size_bytes: undefined, why: undefined };
    const older = JSON.parse(JSON.stringify({ ...resolved(), ...absent })) as Event;
    expect(server([older]).resolved).toEqual({
      ...{ entry: 'e', image: 'i', imageDigest: 'd', version: null, asked: 'i' },
    });
  });
});

describe('ends and stops', () => {
  it('whose doing an exit was is kept; a stop by hand is not sure until it is said again', () => {
    expect(server([exited()]).exits['a']).toEqual({ at: NOW - SECOND, by: 'itself', code: 1, sure: true });
    expect(server([exited({ by: 'person' })]).exits['a']).toMatchObject({ sure: false });
    const sure = event('server_stopped', { ...one, by: 'person', exit_code: 143 });
    expect(server([exited({ by: 'person' }), sure]).exits['a']).toMatchObject({
      by: 'person',
      sure: true,
      at: NOW - SECOND,
    });
    expect(server([sure]).exits['a']).toEqual({ at: NOW, by: 'person', code: 143, sure: true });
  });

  it('our own stop is marked by its intent; only the outcome of a start clears it', () => {
    const stopping = event('server_stopping', one);
    const starting = event('server_starting', {
      instance: 'i',
      spec: v1.digest,
      revision: 'r',
      version: null,
      image_digest: 'd',
      container_id: 'a',
    });
    expect(server([stopping, exited(), starting])).toMatchObject({
      stopped: { a: NOW },
      exits: { a: { code: 1 } },
    });
    expect(server([stopping, exited(), event('server_started', one)])).toMatchObject({
      stopped: {},
      exits: {},
    });
    expect(server([event('server_stopped', { ...one, by: 'us' })]).stopped).toEqual({ a: NOW });
    expect(server([event('instance_removing', one)]).stopped).toEqual({ a: NOW });
    expect(server([stopping]).ending).toEqual({ a: NOW });
    for (const begun of [
      attempt(1),
      event('server_started', { ...one, revision: 'r1' }),
      event('instance_removed', one),
    ])
      expect(server([stopping, begun]).ending, begun.event_type).toEqual({});
  });

  it('with an instance everything about it is forgotten', () => {
    const drift = event('drift_detected', { ...one, drift: ['x', 'y'] });
    expect(server([drift]).driftNoted).toEqual({ a: 'x; y' });
    const gone = server([exited(), drift, attempt(3, 'recreate'), event('instance_removed', one)]);
    expect(gone).toMatchObject({
      exits: {},
      driftNoted: {},
      condemned: [],
      health: {},
      stopped: {},
      drains: {},
    });
  });
});

describe('health', () => {
  const turn = (
    type: 'server_healthy' | 'server_degraded' | 'server_down',
    from: 'unknown' | 'healthy' | 'degraded',
    time = NOW,
  ) =>
    event(
      type,
      {
        ...one,
        from,
        to: type === 'server_healthy' ? 'healthy' : type === 'server_down' ? 'unhealthy' : 'degraded',
        reason: 'x',
        incident_id: 'inc-1',
      } as never,
      { time },
    );

  it('is kept with whether it was ever well since its start', () => {
    expect(
      server([turn('server_healthy', 'unknown'), turn('server_degraded', 'healthy')]).health['a'],
    ).toEqual({ state: 'degraded', at: NOW, was: true });
    expect(
      server([turn('server_healthy', 'unknown'), turn('server_down', 'unknown', NOW + 5)]).health['a'],
    ).toEqual({ state: 'unhealthy', at: NOW + 5, was: false });
  });

  it('an incident begins with a fall of what answers, and ends with its health', () => {
    expect(server([turn('server_down', 'degraded')]).incident).toEqual({ id: 'inc-1', downAt: NOW });
    expect(server([turn('server_down', 'degraded'), turn('server_healthy', 'degraded')]).incident).toBeNull();
  });

  it('the fall of a candidate is no incident', () => {
    const live = event('server_ready', {
      ...one,
      container_id: 'b',
      spec: 'another',
      url: null,
      image_digest: 'd',
    });
    expect(server([live, turn('server_down', 'unknown')]).incident).toBeNull();
    const down = event('server_down', {
      ...one,
      spec: 'another',
      from: 'healthy',
      to: 'unhealthy',
      reason: 'x',
      incident_id: 'i',
    });
    expect(server([live, down, turn('server_healthy', 'unknown')]).incident).not.toBeNull();
  });

  it('single checks change it only where they tell of a change, and do not move the place in this log', () => {
    const check = (to: object) =>
      event('health_check_completed', { ...one, status: 'ok', response_time_ms: 1, ...to }, { seq: 99 });
    expect(fold([check({})])).toEqual(emptyMemory);
    const changed = fold([check({ from: 'unknown', to: 'healthy' })]);
    expect(changed.servers['github']?.health['a']?.state).toBe('healthy');
    expect(changed.seq).toBe(0);
  });
});

describe('recovery', () => {
  it('an attempt counts from its intent, and marks the stop it makes', () => {
    expect(server([attempt(2)])).toMatchObject({
      recovery: { attempts: 2, lastAt: NOW, open: NOW, judged: 1 },
      stopped: { a: NOW },
      condemned: [],
    });
    expect(server([attempt(3, 'recreate'), attempt(3, 'recreate')])).toMatchObject({
      condemned: ['a'],
      stopped: {},
    });
  });

  it('is no longer in flight after a fall, a failure, success or the last attempt', () => {
    expect(server([attempt(1), exited()]).recovery.open).toBeNull();
    expect(
      server([attempt(1), event('recovery_failed', { ...one, attempt: 1, error: '' })]).recovery,
    ).toMatchObject({ open: null, judged: 1 });
    const success = event('recovery_successful', {
      ...one,
      attempts: 1,
      recovery_successful: true,
      seconds_down: 3,
    });
    expect(server([exited({ incident_id: 'i' }), attempt(1), success])).toMatchObject({
      recovery: { open: null, recoveredAt: NOW, judged: 1 },
      incident: null,
    });
    const worn = event('recovery_exhausted', { ...one, attempts: 3, requires_manual: true, reason: 'x' });
    expect(server([attempt(3), worn]).recovery).toMatchObject({ exhausted: true, judged: 3 });
    expect(server([attempt(3), worn, success]).recovery.exhausted).toBe(false);
    expect(server([attempt(3), worn, success, attempt(4)]).recovery).toMatchObject({ exhausted: true });
    expect(server([attempt(3), worn, success, attempt(1)]).recovery).toMatchObject({
      ...{ exhausted: false, told: false },
    });
  });
});

describe('the log', () => {
  it('a checkpoint stands for all before it, and fills in what older programs did not know', () => {
    const old = {
      revision: 'r9',
      servers: { github: { stable: 'x', recovery: { attempts: 2 } } },
    } as unknown as Memory;
    const memory = fold([quarantine, event('memory_checkpoint', { memory: old }, { server: null, seq: 40 })]);
    expect(memory).toMatchObject({ revision: 'r9', seq: 40, settled: null });
    expect(memory.servers['github']).toMatchObject({
      stable: 'x',
      quarantined: [],
      recovery: { attempts: 2, judged: 0 },
    });
    expect(fold([event('memory_checkpoint', { memory: {} as Memory }, { server: null })]).servers).toEqual(
      {},
    );
  });

  it('events nobody knows change nothing but the place in it', () => {
    const unknown = {
      ...event('server_removed', { version: null }),
      event_type: 'server_sang',
    } as unknown as Event;
    expect(fold([unknown])).toEqual({ ...emptyMemory, seq: 1 });
  });

  it('lines of older programs that lack fields are read all the same', () => {
    const bare = (type: string): Event =>
      ({
        event_type: type,
        seq: 1,
        time_ms: NOW,
        server_name: 'github',
        container_id: 'a',
        spec: 's',
      }) as unknown as Event;
    const types = [
      'manifest_synced',
      'server_down',
      'server_degraded',
      'server_healthy',
      'drift_detected',
      'version_quarantined',
      'version_resolved',
      'update_started',
      'server_ready',
      'server_stopped',
      'request_accepted',
    ];
    expect(() => fold(types.map(bare))).not.toThrow();
  });

  it('the doubt of our own view is remembered, and its end', () => {
    const doubted = event('view_suspected', { silent: [], of: 3 }, { server: null });
    expect(fold([doubted]).viewSuspectSince).toBe(NOW);
    expect(fold([doubted, event('view_cleared', { seconds: 1 }, { server: null })])).toMatchObject({
      viewSuspectSince: null,
      viewClearedAt: NOW,
    });
  });

  it('what was told once is remembered as told', () => {
    const said = { reason: 'untrusted_image', error: '', suggested_action: '' };
    expect(server([event('server_refused', said)]).refusalNoted).toBe('untrusted_image');
    expect(server([event('server_held', { ...said, reason: 'foreign_container' })]).refusalNoted).toBe(
      'foreign_container',
    );
    expect(
      server([event('update_available', { image: 'i', image_digest: 'd', version: null, current: null })])
        .updateNoted,
    ).toBe('d');
    const written = event('version_written_back', {
      ...{ image: 'i:1.1.0', from_version: '1.0.0', mode: 'branch', branch: 'b', version: '1.1.0' },
      ...{ revision: 'r2', why: '' },
    });
    expect(server([written]).writtenBack).toBe('i:1.1.0');
    expect(server([written, synced({ github: 'changed' })]).writtenBack).toBeNull();
  });

  it('what was told and is there no more is forgotten, with its age; what was told before stands again', () => {
    const told = (digest: string) =>
      event('update_available', { image: 'i', image_digest: digest, version: null, current: null });
    const gone = (still: string | null) =>
      event('update_withdrawn', { image_digest: 'b', version: null, still });
    expect(server([told('a'), told('b'), gone('a')])).toMatchObject({
      updateNoted: 'a',
      found: { a: { at: NOW } },
    });
    expect(server([told('b'), gone(null)])).toMatchObject({ updateNoted: null, found: {} });
  });

  it('of very many new versions the oldest are remembered, until they are left behind', () => {
    const versions = Array.from({ length: 80 }, (_one, n) => `1.${n + 1}.0`);
    const told = versions.map((version, n) =>
      event(
        'update_available',
        { image: 'i', image_digest: `d${version}`, version, current: null },
        { time: NOW + n },
      ),
    );
    const kept = server(told).found;
    expect(Object.keys(kept)).toHaveLength(50);
    expect(kept).toMatchObject({ 'd1.1.0': { at: NOW }, 'd1.80.0': { at: NOW + 79 } });
    const after = server([...told, resolved({ image_digest: 'd1.2.0', version: '1.2.0' })]).found;
    expect(Object.keys(after)).toEqual(Object.keys(kept).slice(2));
  });
});

describe('whatever a server is called, and whatever a container, a version or an image', () => {
  const evening = (server: string): Memory => {
    const told = sampleEvents.map((one) => JSON.stringify(one).replaceAll('mcp-server-github', server));
    return fold(told.map((line) => JSON.parse(line) as Event));
  };

  it.each(objectWords)('a log of %s is remembered as any other', (word) => {
    const known = evening(word);
    const like = evening('github');
    expect(Object.keys(known.servers)).toEqual([word]);
    expect(Object.values(known.servers)).toEqual(Object.values(like.servers));
    const line = toLine(event('memory_checkpoint', { memory: known }, { server: null }));
    expect(Object.entries(fold([fromLine(line) as Event]).servers)).toEqual(Object.entries(known.servers));
  });

  it.each(objectWords)(
    'a spec, a container and a digest that are called %s have no past that nobody wrote',
    (word) => {
      const about = { ...one, spec: word, container_id: word };
      const failed = event('update_gate_failed', {
        ...{ gate: 'create', class: 'world', spec: word, error: 'no', image_digest: word, version: null },
      });
      const told = event('update_available', {
        image: 'i',
        image_digest: word,
        version: '2.0.0',
        current: null,
      });
      const known = server([failed, told, exited(about)]);
      expect(Object.entries(known.postponed)).toMatchObject([[word, { count: 1 }]]);
      expect(Object.entries(known.found)).toEqual([[word, { at: NOW, version: '2.0.0', image: 'i' }]]);
      expect(Object.entries(known.health)).toEqual([
        [word, { state: 'unhealthy', at: NOW - SECOND, was: false }],
      ]);
    },
  );
});
