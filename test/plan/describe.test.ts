import { describe, expect, it } from 'vitest';
import type { ServerRecord } from '../../src/model/status.ts';
import { toStatus, type Surroundings } from '../../src/plan/describe.ts';
import { makePlan } from '../../src/plan/plan.ts';
import {
  MINUTE,
  NOW,
  SECOND,
  candidateOf,
  entry,
  instance,
  provenMemory,
  pulse,
  settings,
  spec,
  stoppedCopy,
  unseen,
  unwell,
  world,
  type Scene,
  type WorldChange,
} from '../support/world.ts';

const around: Surroundings = {
  source: {
    url: 'u',
    branch: 'main',
    attempted_revision: 'r',
    applied_revision: 'r',
    state: 'synced',
    last_successful_sync_at: null,
    error: null,
  },
  inHand: {},
  advertise: null,
  progress: {},
};
const v1 = spec('github');
const v2 = spec('github', '2.0.0');
const one = instance(v1, 'github-1');

function record(
  scene: Scene = {},
  change: WorldChange = {},
  surroundings: Partial<Surroundings> = {},
): ServerRecord {
  const all = world({ github: scene }, change);
  return toStatus(all, makePlan(all), { ...around, ...surroundings }).servers[0]!;
}
const said = ({ phase, health, reason }: ServerRecord): unknown => [phase, health, reason];
const noWayIn = { routable: false, url: null, mcp_url: null, health_url: null };
const bare = { stable: null, promoted: null };

describe('the record of a server', () => {
  it('that is well says where it is reached', () => {
    expect(record()).toMatchObject({
      id: 'github',
      version: '1.0.0',
      desired_version: '1.0.0',
      desired_state: 'running',
      phase: 'ready',
      health: 'healthy',
      status: 'ok',
      routable: true,
      reason: null,
      suggested_action: null,
      url: 'http://127.0.0.1:49155',
      mcp_url: 'http://127.0.0.1:49155/mcp',
      health_url: 'http://127.0.0.1:49155/health',
      uptime_seconds: 3600,
      conformant: true,
      index: 0,
      why: 'as desired',
      revision: 'rev1',
      trace_id: 'trace1',
      endpoints: [
        {
          instance: 'i-github-1',
          role: 'active',
          container_url: 'http://github-i-github-1:8080',
          container_mcp_url: 'http://github-i-github-1:8080/mcp',
        },
      ],
      recovery: { attempts: 0, max_attempts: 3, next_attempt_at: null, requires_manual: false },
      update: { strategy: 'pinned', available: null, state: 'none', quarantined: [] },
    });
  });

  it('tells times without fractions', () => {
    expect(record().last_check).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it('uses the advertised host, and loopback for what is published everywhere', () => {
    expect(record({}, {}, { advertise: 'fd00::1' }).url).toBe('http://[fd00::1]:49155');
    const everywhere = { ...one, hostAddress: { host: '0.0.0.0', port: 5 } };
    expect(record({ instances: [everywhere] }).url).toBe('http://127.0.0.1:5');
    expect(record({ instances: [{ ...one, hostAddress: null }] }).url).toBeNull();
  });

  it('knows probes without an address, and stdio without a path', () => {
    const tcp = {
      ...v1,
      settings: settings({ transport: 'stdio', health: { probe: { tcp: {} } } }),
    };
    expect(record({ instances: [instance(tcp, 'github-1')] })).toMatchObject({
      mcp_url: null,
      health_url: null,
    });
  });

  it('that waits for its image says so, with progress', () => {
    const scene: Scene = { wanted: v2, instances: [], memory: { ...provenMemory(v1, 'x'), ...bare } };
    const pulling = record(
      scene,
      { sighting: { images: [] } },
      { progress: { github: { done: 1, total: 4 } } },
    );
    expect(said(pulling)).toEqual(['pulling', 'unknown', null]);
    expect(pulling).toMatchObject({
      why: 'its image is not here yet: 25 % pulled',
      update: { state: 'pulling' },
      routable: false,
      version: null,
    });
  });

  it('that is on its way is starting; while its registry is asked it is pending', () => {
    expect(record({ instances: [], memory: { ...provenMemory(v1, 'x'), ...bare } }).phase).toBe('starting');
    const blocked = {
      github: {
        phase: 'pending' as const,
        reason: 'resolving_image',
        message: 'asking',
        suggestedAction: null,
        until: null,
      },
    };
    expect(
      said(
        record({ wanted: null, instances: [], memory: { ...provenMemory(v1, 'x'), ...bare } }, { blocked }),
      ),
    ).toEqual(['pending', 'unknown', 'resolving_image']);
  });

  it('that cannot be resolved failed, with what helps', () => {
    const blocked = {
      github: {
        phase: 'failed' as const,
        reason: 'image_not_found',
        message: 'no',
        suggestedAction: null,
        until: NOW + 1,
      },
    };
    const failed = record(
      { wanted: null, instances: [], memory: { ...provenMemory(v1, 'x'), ...bare } },
      { blocked },
    );
    expect(said(failed)).toEqual(['failed', 'unknown', 'image_not_found']);
    expect(failed.suggested_action).toContain('image name');
  });

  it('that is refused or undeployable says why, and goes on answering', () => {
    const refusal = {
      phase: 'undeployable' as const,
      reason: 'stdio_not_bridged',
      message: 'm',
      suggestedAction: 'use http',
    };
    expect(record({ entry: entry('github', { refusal }) })).toMatchObject({
      phase: 'undeployable',
      reason: 'stdio_not_bridged',
      suggested_action: 'use http',
      routable: true,
    });
    const blocked = {
      github: {
        phase: 'refused' as const,
        reason: 'missing_secret',
        message: 'm',
        suggestedAction: 'write it',
        until: null,
      },
    };
    expect(record({ wanted: null }, { blocked })).toMatchObject({
      phase: 'refused',
      reason: 'missing_secret',
      suggested_action: 'write it',
    });
  });

  it('that is sick names its trouble and the next attempt', () => {
    const memory = provenMemory(v1, 'github-1', {
      health: { 'github-1': { state: 'unhealthy', at: NOW - 500, was: true } },
    });
    const sick = record({ instances: [one], pulses: { 'github-1': unwell(one) }, memory });
    expect(said(sick)).toEqual(['starting', 'unhealthy', 'status_500']);
    expect(sick).toMatchObject({
      routable: false,
      status: 'down',
      consecutive_failures: 3,
      recovery: { next_attempt_at: '2030-03-17T17:46:40Z' },
    });
  });

  it('that will never start well says what has to be mended, while it starts and when all was tried', () => {
    const first = candidateOf(v1, 'new');
    const departures = ['it listens on 127.0.0.1:8080 inside its container'];
    const shutIn = { ...unseen(first), reason: 'listens_on_loopback', departures };
    const scene = { instances: [first], pulses: { new: shutIn }, memory: provenMemory(v1, 'x', bare) };
    const starting = record(scene);
    expect(starting).toMatchObject({ reason: 'listens_on_loopback', departures });
    expect(starting.suggested_action).toMatch(/^make it listen on 0\.0\.0\.0/);
    const slow = record({ ...scene, pulses: { new: { ...shutIn, reason: 'refused', departures: [] } } });
    expect(slow.reason).toBeNull();
    const worn = {
      attempts: 3,
      lastAt: NOW - 1,
      open: null,
      exhausted: true,
      told: true,
      recoveredAt: null,
      judged: 3,
    };
    const memory = provenMemory(v1, 'github-1', { recovery: worn });
    const sick = { ...unwell(one), reason: 'listens_on_loopback' };
    const failed = record({ instances: [one], pulses: { 'github-1': sick }, memory });
    expect(failed.reason).toBe('requires_manual');
    expect(failed.suggested_action).toMatch(/^make it listen on 0\.0\.0\.0.*; then look at its logs/);
  });

  it('that is worn out, or may not be recovered, failed', () => {
    const worn = {
      attempts: 3,
      lastAt: NOW - 1,
      open: null,
      exhausted: true,
      told: true,
      recoveredAt: null,
      judged: 3,
    };
    const sick = { instances: [one], pulses: { 'github-1': unwell(one) } };
    expect(said(record({ ...sick, memory: provenMemory(v1, 'github-1', { recovery: worn }) }))).toEqual([
      'failed',
      'unhealthy',
      'requires_manual',
    ]);
    const off = entry('github', { settings: settings({ recovery: { enabled: false } }) });
    expect(said(record({ ...sick, entry: off }))).toEqual(['failed', 'unhealthy', 'recovery_disabled']);
  });

  it('that rests by its policy is stopped', () => {
    const ended = instance(v1, 'github-1', { state: 'exited', finishedAt: NOW - MINUTE, exitCode: 0 });
    const exits = (by: 'itself' | 'person') =>
      provenMemory(v1, 'github-1', { exits: { 'github-1': { at: NOW - MINUTE, by, code: 0, sure: true } } });
    expect(
      said(
        record({
          instances: [ended],
          entry: entry('github', { restartPolicy: 'on-failure' }),
          memory: exits('itself'),
        }),
      ),
    ).toEqual(['stopped', 'unhealthy', 'exited_0']);
    expect(
      said(
        record({
          instances: [ended],
          entry: entry('github', { restartPolicy: 'unless-stopped' }),
          memory: exits('person'),
        }),
      ),
    ).toEqual(['stopped', 'unhealthy', 'stopped_by_hand']);
    expect(said(record({ instances: [ended], memory: exits('itself') }))).toEqual([
      'starting',
      'unhealthy',
      'exited_0',
    ]);
  });

  it('that is not wanted any more goes through draining and stopping to stopped', () => {
    const stopped = entry('github', { desiredState: 'stopped' });
    expect(record({ entry: stopped }).phase).toBe('draining');
    expect(record({ entry: stopped, instances: [{ ...one, joined: false }] }).phase).toBe('stopping');
    expect(record({ entry: stopped, instances: [stoppedCopy(v1, 'github-1')] }).phase).toBe('stopped');
    expect(record({ entry: null })).toMatchObject({
      phase: 'held',
      reason: 'removal_held',
      desired_state: 'absent',
    });
  });

  it('that is stopped gently takes nobody new while its sessions end', () => {
    const drained = record({
      entry: entry('github', { desiredState: 'stopped' }),
      instances: [one],
      memory: provenMemory(v1, 'github-1', { drains: { 'github-1': NOW - 20 * SECOND } }),
    });
    expect(drained).toMatchObject({ ...noWayIn, phase: 'draining', health: 'healthy', status: 'ok' });
    expect(drained.endpoints).toMatchObject([{ role: 'draining', drain_deadline: '2030-03-17T17:51:20Z' }]);
  });

  it('that somebody wants stopped while all is paused is held, and goes on answering', () => {
    const stopped = entry('github', { desiredState: 'stopped' });
    expect(record({ entry: stopped }, { desired: { paused: true } })).toMatchObject({
      phase: 'held',
      reason: 'paused',
      routable: true,
    });
  });

  it('that a person paused is held', () => {
    expect(said(record({ instances: [] }, { desired: { paused: true } }))).toEqual([
      'held',
      'unknown',
      'paused',
    ]);
  });

  it('whose port somebody else holds is held', () => {
    const fixed = spec('github', '1.0.0', { hostPort: 9000 });
    const memory = { ...provenMemory(v1, 'x'), ...bare, refusalNoted: 'foreign_container' };
    const strangers = [{ name: 'nginx', server: null, hostPorts: [9000] }];
    expect(said(record({ wanted: fixed, instances: [], memory }, { sighting: { strangers } }))).toEqual([
      'held',
      'unknown',
      'port_taken',
    ]);
    const named = [{ name: 'github', server: 'github', hostPorts: [] }];
    expect(record({ wanted: fixed, instances: [], memory }, { sighting: { strangers: named } }).reason).toBe(
      'foreign_container',
    );
  });

  it('keeps its last routability while it is not known', () => {
    const memory = (was: boolean) =>
      provenMemory(v1, 'github-1', { health: { 'github-1': { state: 'healthy', at: NOW, was } } });
    expect(
      record({ instances: [one], pulses: { 'github-1': unseen(one) }, memory: memory(true) }),
    ).toMatchObject({ health: 'unknown', status: 'degraded', routable: true, conformant: null });
    const never = record({ instances: [one], pulses: { 'github-1': null } });
    expect(never).toMatchObject({ health: 'unknown', status: 'down', routable: false });
  });

  it('that is degraded says by what', () => {
    const degraded = pulse(one, { state: 'degraded', reason: 'timeout' });
    expect(record({ instances: [one], pulses: { 'github-1': degraded } })).toMatchObject({
      status: 'degraded',
      routable: true,
      reason: 'timeout',
    });
  });

  it('attempts are forgotten when it was well for a soak', () => {
    const tried = {
      attempts: 2,
      lastAt: NOW - 30 * MINUTE,
      open: null,
      exhausted: false,
      told: false,
      recoveredAt: NOW - 29 * MINUTE,
      judged: 2,
    };
    expect(record({ memory: provenMemory(v1, 'github-1', { recovery: tried }) }).recovery.attempts).toBe(0);
    expect(
      record({ memory: provenMemory(v1, 'github-1', { recovery: { ...tried, recoveredAt: NOW - MINUTE } }) })
        .recovery.attempts,
    ).toBe(2);
  });

  it('that the plan does not know yet is shown all the same', () => {
    const all = world();
    const view = toStatus(all, { decisions: [], notes: [], view: 'clear' }, around);
    expect(view.servers[0]).toMatchObject({ why: 'not looked at yet', phase: 'ready' });
  });
});

describe('during an update', () => {
  const cand = candidateOf(v2, 'new');
  const live = { ...cand, joined: true };
  const memory = provenMemory(v1, 'old', {
    promoted: { container: 'new', spec: v2.digest, version: '2.0.0', at: NOW - 20 * SECOND },
    drains: { old: NOW - 20 * SECOND },
  });
  const old = instance(v1, 'old');

  it('the old one is shown draining, with its deadline', () => {
    const { endpoints, update } = record({ wanted: v2, instances: [old, live], memory });
    expect(endpoints.map(({ role, drain_deadline }) => [role, drain_deadline])).toEqual([
      ['active', undefined],
      ['draining', '2030-03-17T17:51:20Z'],
    ]);
    expect(update.state).toBe('draining');
  });

  it('the old one takes everybody again as soon as it is to take over again', () => {
    const promoted = { container: 'old', spec: v1.digest, version: '1.0.0', at: NOW - SECOND };
    const back = record({ wanted: v2, instances: [old, live], memory: { ...memory, promoted } });
    expect(back.endpoints.map(({ role, drain_deadline }) => [role, drain_deadline])).toEqual([
      ['active', undefined],
      ['draining', undefined],
    ]);
    expect(back).toMatchObject({ routable: true, version: '1.0.0' });
  });

  it('the old one takes nobody new where the new one cannot run beside it', () => {
    const fixed = spec('github', '2.0.0', { hostPort: 9000 });
    const drained = record({
      wanted: fixed,
      instances: [old],
      memory: provenMemory(v1, 'old', { drains: { old: NOW - 20 * SECOND } }),
    });
    expect(drained).toMatchObject({ ...noWayIn, phase: 'draining', update: { state: 'draining' } });
    expect(drained.endpoints.map(({ role }) => role)).toEqual(['draining']);
  });

  it('the new one is ready while the old one drains', () => {
    const { phase, routable, mcp_url } = record({ wanted: v2, instances: [old, live], memory });
    expect([phase, routable, mcp_url]).toEqual(['ready', true, 'http://127.0.0.1:49155/mcp']);
  });

  it('the new one is a candidate until it is promoted, and then soaks', () => {
    const before = record({ wanted: v2, instances: [old, cand], memory: provenMemory(v1, 'old') });
    expect(before.endpoints.map(({ role }) => role)).toEqual(['active', 'candidate']);
    expect(before).toMatchObject({
      version: '1.0.0',
      desired_version: '2.0.0',
      update: { state: 'starting' },
    });
    expect(record({ wanted: v2, instances: [live], memory }).update.state).toBe('soaking');
  });

  it('a version that was set aside is shown with its evidence', () => {
    const quarantined = [
      {
        spec: v2.digest,
        imageDigest: 'sha256:2',
        version: '2.0.0',
        gate: 'soak' as const,
        reason: 'timeout',
        at: NOW,
      },
    ];
    const aside = (more: object) =>
      record({ wanted: v2, instances: [old], memory: provenMemory(v1, 'old', { quarantined, ...more }) });
    const shown = aside({ rollback: { from: v2.digest, to: v1.digest, at: NOW, open: true } });
    expect(shown).toMatchObject({
      phase: 'ready',
      reason: 'version_quarantined',
      update: {
        state: 'rolling_back',
        quarantined: [{ gate: 'soak', image_digest: 'sha256:2', at: '2030-03-17T17:46:40Z' }],
      },
    });
    expect(shown.suggested_action).toContain('mcp-orchestration retry github');
    const lost = record({
      wanted: v2,
      instances: [],
      memory: { ...provenMemory(v1, 'old', { quarantined }), ...bare },
    });
    expect(said(lost)).toEqual(['failed', 'unknown', 'quarantined_no_fallback']);
  });

  it('a version that is put off says by what', () => {
    const put = (code: string | null) => ({
      [v2.digest]: {
        until: NOW + 9,
        count: 1,
        error: 'e',
        code,
        gate: 'pull' as const,
        class: 'world' as const,
      },
    });
    const off = (code: string | null) =>
      record({ wanted: v2, instances: [old], memory: provenMemory(v1, 'old', { postponed: put(code) }) });
    expect(off('disk_full')).toMatchObject({
      phase: 'ready',
      reason: 'disk_full',
      update: { state: 'postponed' },
    });
    expect(off(null).reason).toBe('put_off');
  });

  it('a version that waits for its dependency, or reports another version, says so', () => {
    const needy = entry('github', { dependsOn: ['coda'] });
    expect(
      record({ entry: needy, wanted: v2, instances: [old], memory: provenMemory(v1, 'old') }).reason,
    ).toBe('waiting_for_dependency');
    const wrong = { new: pulse(cand, { versionOk: false }) };
    expect(
      record({ wanted: v2, instances: [cand], pulses: wrong, memory: { ...provenMemory(v1, 'x'), ...bare } })
        .reason,
    ).toBe('version_mismatch');
  });
});
