import { describe, expect, it } from 'vitest';
import type { DesiredServer, DesiredState } from '../../src/model/desired.ts';
import { diffDesired } from '../../src/plan/diff.ts';
import { describeChanges, describePlan, hasWork } from '../../src/plan/markdown.ts';
import { makePlan } from '../../src/plan/plan.ts';
import {
  NOW,
  blueprint,
  candidateOf,
  entry,
  instance,
  provenMemory,
  settings,
  spec,
  unwell,
  world,
} from '../support/world.ts';

describe('a plan for people', () => {
  it('has a line a server, aligned', () => {
    const plan = makePlan(
      world({
        github: {},
        'mcp-server-coda': {
          instances: [],
          memory: { ...provenMemory(spec('x'), 'x'), stable: null, promoted: null },
        },
      }),
    );
    expect(describePlan(plan)).toBe(
      [
        'server           next          why',
        'github           -             as desired',
        'mcp-server-coda  create 1.0.0  it is wanted and not there',
      ].join('\n'),
    );
    expect(hasWork(plan)).toBe(true);
    expect(hasWork(makePlan(world()))).toBe(false);
  });

  it('as markdown nothing of a manifest becomes markup', () => {
    const plan = makePlan(world());
    const hostile = { ...plan, decisions: [{ ...plan.decisions[0]!, why: '<b>a | b\\\n' }] };
    expect(describePlan(hostile, 'markdown').split('\n').at(-1)).toBe(
      '| github | -    | &lt;b>a \\| b\\\\  |',
    );
  });

  it('names deeds, records, held steps and a suspect view', () => {
    const one = instance(spec('github'), 'a');
    const cand = candidateOf(spec('github', '2.0.0'), 'b');
    const restart = describePlan(
      makePlan(
        world({
          github: { instances: [one], pulses: { a: unwell(one) }, memory: provenMemory(spec('github'), 'a') },
        }),
      ),
    );
    expect(restart).toContain('restart i-a');
    expect(describePlan(makePlan(world({ github: { entry: null } })))).toContain('held (removal_held)');
    const drain = { wanted: spec('github', '2.0.0'), instances: [one, { ...cand, joined: true }] };
    expect(
      describePlan(makePlan(world({ github: { ...drain, memory: provenMemory(spec('github'), 'b') } }))),
    ).toContain('record drain_started');
    const old = provenMemory(spec('github'), 'github-1', { pulled: ['x/y@sha256:1'] });
    expect(
      describePlan(makePlan(world({ github: { memory: old } }, { sighting: { images: ['x/y@sha256:1'] } }))),
    ).toContain('remove image x/y@sha256:1');
    expect(describePlan({ ...makePlan(world()), view: 'suspect' })).toContain('The view is suspect');
    expect(NOW).toBeGreaterThan(0);
  });
});

describe('what a pull request changes', () => {
  const state = (servers: readonly DesiredServer[]): DesiredState => ({
    revision: 'r',
    source: 's',
    traceId: 't',
    paused: false,
    servers,
  });
  const base = entry('github', { blueprint: blueprint('github', { env: { LOG: 'info', OLD: '1' } }) });
  const change = (head: Partial<DesiredServer>, from: DesiredServer = base) =>
    diffDesired(state([from]), state([{ ...from, ...head }]))[0];

  it('nothing, when nothing changes', () => {
    expect(diffDesired(state([base]), state([base]))).toEqual([]);
    expect(describeChanges([])).toBe('Nothing changes.');
  });

  it('servers that are added and removed', () => {
    const fixed = entry('coda', { blueprint: blueprint('coda', { hostPort: 9000 }), version: null });
    expect(diffDesired(state([base]), state([fixed]))).toEqual([
      { server: 'coda', kind: 'added', what: ['added', 'on port 9000'], effect: 'it is started' },
      { server: 'github', kind: 'removed', what: ['removed'], effect: 'it is drained, stopped and removed' },
    ]);
    expect(
      diffDesired(state([]), state([entry('a', { desiredState: 'stopped', blueprint: null })]))[0],
    ).toMatchObject({ what: ['added, version 1.0.0'], effect: 'it stays stopped' });
    expect(diffDesired(state([entry('a', { prune: false })]), state([]))[0]?.effect).toContain(
      'prune: false',
    );
  });

  it('a version, and that nobody notices its replacement', () => {
    const made = blueprint('github', {
      image: 'docker.io/liminalcommons/github:1.1.0',
      env: base.blueprint!.env,
    });
    const next = change({ version: '1.1.0', blueprint: made });
    expect(next).toMatchObject({
      kind: 'replaced',
      what: [
        'version 1.0.0 -> 1.1.0',
        'image docker.io/liminalcommons/github:1.0.0 -> docker.io/liminalcommons/github:1.1.0',
      ],
    });
    expect(next?.effect).toContain('without a break');
  });

  it('names of the environment and of secrets, never a value', () => {
    const made = {
      ...base.blueprint!,
      env: { LOG: 'hunter2', NEW: 'hunter3' },
      secrets: [{ name: 'TOKEN', required: true }],
    };
    const next = change({ blueprint: made });
    expect(next?.what).toEqual(['env LOG changed', 'env NEW added', 'env OLD removed', 'secret TOKEN added']);
    expect(JSON.stringify(next)).not.toContain('hunter');
  });

  it('why it does not answer in between', () => {
    const made = {
      ...base.blueprint!,
      hostPort: 9000,
      order: 'stop-first' as const,
      exclusiveBecause: 'fixed host port',
    };
    expect(change({ blueprint: made })).toMatchObject({
      what: ['host_port changed', 'order changed'],
      effect: expect.stringContaining('(fixed host port)') as string,
    });
    const written = { ...made, exclusiveBecause: null };
    expect(change({ blueprint: written })?.effect).toContain('(order: stop-first)');
  });

  it('settings and metadata restart nothing', () => {
    const next = change({
      metadata: { ...base.metadata, description: 'x' },
      settings: settings({ health: { intervalSeconds: 5 } }),
      restartPolicy: 'on-failure',
      entry: 'other',
    });
    expect(next).toEqual({
      server: 'github',
      kind: 'settings',
      what: ['restart_policy changed', 'description changed', 'health_check changed'],
      effect: 'nothing restarts',
    });
  });

  it('stops, starts and refusals', () => {
    const stopped = { ...base, desiredState: 'stopped' as const };
    expect(change({ desiredState: 'stopped' })).toMatchObject({
      kind: 'stopped',
      what: ['desired_state running -> stopped'],
    });
    expect(change({ desiredState: 'running' }, stopped)).toMatchObject({ kind: 'started' });
    expect(change({ blueprint: { ...base.blueprint!, user: '1' } }, stopped)?.effect).toBe(
      'nothing restarts',
    );
    const refusal = {
      phase: 'refused' as const,
      reason: 'untrusted_image',
      message: 'not trusted',
      suggestedAction: '',
    };
    expect(change({ refusal })).toMatchObject({ kind: 'refused', what: ['not trusted'] });
    expect(change({}, { ...base, refusal })).toBeUndefined();
  });

  it('a docker block that comes or goes, a version that is no longer named', () => {
    expect(change({ blueprint: null, version: null })?.what).toEqual(['version 1.0.0 -> none', 'docker']);
    expect(
      change({ version: '1.0.0', blueprint: null }, { ...base, blueprint: null, version: null })?.what,
    ).toEqual(['version none -> 1.0.0']);
  });

  it('as a table', () => {
    const table = describeChanges(diffDesired(state([base]), state([])), 'markdown');
    expect(table.split('\n')[2]).toContain('| github | removed      | it is drained, stopped and removed |');
  });
});
