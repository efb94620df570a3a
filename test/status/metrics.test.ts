import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { figuresIn } from '../../src/status/figures.ts';
import { Metrics } from '../../src/status/metrics.ts';
import { event } from '../journal/sample.ts';
import { coda, github, view } from './view.ts';

const name = github.name;

async function lines(metrics: Metrics): Promise<readonly string[]> {
  return (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the figures', () => {
  it('tell how every server is', async () => {
    const metrics = new Metrics('0.1.0');
    const unknown = { ...coda.update, state: 'check_failed', reason: 'registry_busy', at: coda.since };
    const ill = {
      ...coda,
      health: 'unhealthy',
      phase: 'failed',
      routable: false,
      reason: 'paused',
      update: unknown,
    } as const;
    metrics.publish(view([github, ill]));
    metrics.self({ manifest: 'ok', engine: 'down', journal: 'ok' });
    const told = await lines(metrics);
    for (const line of [
      `mcpo_server_health{server="${name}",state="healthy"} 1`,
      `mcpo_server_health{server="${name}",state="unhealthy"} 0`,
      `mcpo_server_health{server="${coda.name}",state="unhealthy"} 1`,
      `mcpo_reconcile_condition{server="${coda.name}",type="Stalled",status="True"} 1`,
      `mcpo_suspend_status{server="${coda.name}"} 1`,
      `mcpo_quarantined_versions{server="${name}"} 1`,
      `mcpo_rollout_info{server="${name}",state="draining"} 1`,
      `mcpo_update_check_failed{server="${name}"} 0`,
      `mcpo_update_check_failed{server="${coda.name}"} 1`,
      'mcpo_servers 2',
      'mcpo_self_check{check="engine"} 0',
      'mcpo_build_info{version="0.1.0"} 1',
    ])
      expect(told).toContain(line);
    expect(told.join()).not.toContain('state="check_failed"');
  });

  it('forget a server that is gone, and count one check once', async () => {
    const metrics = new Metrics('0.1.0');
    metrics.publish(view([github, coda]));
    metrics.publish(view([github]));
    const told = await lines(metrics);
    expect(told.filter((line) => line.includes(coda.name))).toEqual([]);
    expect(told).toContain('mcpo_health_probe_duration_seconds_count 2');
    expect(told.filter((line) => line.startsWith('mcpo_source_revision_info'))).toHaveLength(1);
    metrics.publish(
      view([{ ...github, update: { ...github.update, state: 'none' }, response_time_ms: null }], {
        source: { ...view([]).source, applied_revision: null },
      }),
    );
    expect((await lines(metrics)).join()).not.toMatch(/rollout_info|revision_info/);
  });

  it('count what happens', async () => {
    const metrics = new Metrics('0.1.0');
    const of = { instance: 'i-1' };
    for (const [at, more] of Object.entries<Record<string, unknown>>({
      0: { event_type: 'manifest_synced' },
      1: { event_type: 'registry_read_failed' },
      2: { event_type: 'revision_settled', outcome: 'applied', seconds: 7 },
      3: { event_type: 'revision_settled', outcome: 'partial', seconds: 7 },
      4: { event_type: 'image_pulled', seconds: 3 },
      5: { event_type: 'rollback_started' },
      6: { event_type: 'update_started' },
      16: { event_type: 'update_completed' },
      17: { event_type: 'update_started' },
      20: { event_type: 'update_failed', gate: 'version' },
      21: { event_type: 'rollback_started' },
      22: { event_type: 'recovery_failed' },
      23: { event_type: 'recovery_started', strategy: 'recreate' },
      24: { event_type: 'recovery_successful' },
      30: { event_type: 'drain_started', ...of },
      40: { event_type: 'drain_completed', ...of, outcome: 'forced' },
      41: { event_type: 'drain_completed', ...of, outcome: 'ended' },
      42: { event_type: 'server_removed', server_name: undefined },
      43: { event_type: 'update_started', server_name: undefined },
    }))
      metrics.note(event(Number(at), more));
    const told = await lines(metrics);
    for (const line of [
      'mcpo_source_revisions_total{result="accepted"} 1',
      'mcpo_source_revisions_total{result="refused"} 1',
      'mcpo_revisions_settled_total{result="applied"} 1',
      'mcpo_revision_settling_seconds_sum 14',
      'mcpo_engine_pull_duration_seconds_sum 3',
      'mcpo_rollout_duration_seconds_sum{status="completed"} 10',
      'mcpo_rollout_duration_seconds_sum{status="failed"} 3',
      'mcpo_rollback_total{reason="health"} 1',
      'mcpo_rollback_total{reason="version"} 1',
      'mcpo_recovery_attempts_total{action="restart",result="failed"} 1',
      'mcpo_recovery_attempts_total{action="recreate",result="started"} 1',
      'mcpo_recovery_attempts_total{action="recreate",result="successful"} 1',
      'mcpo_drain_seconds_sum 10',
      'mcpo_drain_seconds_count 1',
      'mcpo_drain_forced_total 1',
    ])
      expect(told).toContain(line);
  });
});

describe('what is no event', () => {
  it('is counted: passes, questions to the engine, looks at the source, the size of the log', async () => {
    const metrics = new Metrics('0.1.0');
    metrics.passed('ok', 0.2);
    metrics.passed('failed', 30);
    metrics.engineAsked('create', 'port_taken', 0.4);
    metrics.engineEventsBroke();
    metrics.sourceAsked('unreachable');
    metrics.measureLogs(() => ({ events: 1_024, health: 0 }));
    const told = await lines(metrics);
    for (const line of [
      'mcpo_reconcile_total{result="ok"} 1',
      'mcpo_reconcile_total{result="failed"} 1',
      'mcpo_reconcile_duration_seconds_sum 30.2',
      'mcpo_engine_request_duration_seconds_count{op="create",code="port_taken"} 1',
      'mcpo_engine_event_gap_total 1',
      'mcpo_source_fetch_total{result="unreachable"} 1',
      'mcpo_source_fetch_total{result="changed"} 0',
      'mcpo_event_log_bytes{log="events"} 1024',
    ])
      expect(told).toContain(line);
  });
});

describe('after a restart', () => {
  it('counters begin at zero, and what began before is measured to its end', async () => {
    const metrics = new Metrics('0.1.0');
    metrics.recall(event(1, { event_type: 'revision_settled', outcome: 'applied', seconds: 7 }));
    metrics.recall(event(2, { event_type: 'update_started' }));
    metrics.recall(event(3, { event_type: 'rollback_started' }));
    metrics.note(event(12, { event_type: 'update_completed' }));
    const told = await lines(metrics);
    expect(told).toContain('mcpo_rollout_duration_seconds_sum{status="completed"} 10');
    expect(told).toContain(`mcpo_last_successful_reconcile_timestamp_seconds ${event(1).time_ms / 1_000}`);
    expect(told).toContain('mcpo_revision_settling_seconds_count 0');
    expect(told.filter((line) => /^mcpo_(rollback|revisions_settled)_total/.test(line))).toEqual([]);
  });
});

describe('the dashboard', () => {
  interface Panel {
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }
  const text = readFileSync(new URL('../../examples/grafana/dashboard.json', import.meta.url), 'utf8');
  const dashboard = JSON.parse(text) as { readonly panels: readonly Panel[] };
  const queries = dashboard.panels.flatMap(({ targets }) => targets);

  interface Figure {
    readonly name: string;
    readonly labelNames: readonly string[];
    readonly type: string;
  }
  const registry = new Registry();
  figuresIn(registry);
  const figures = registry.getMetricsAsArray() as unknown as readonly Figure[];
  const labelsOf = new Map(
    figures.flatMap(({ name: figure, type, labelNames }) =>
      type === 'histogram'
        ? [
            [`${figure}_bucket`, ['le', ...labelNames]],
            [`${figure}_count`, labelNames],
          ]
        : [[figure, labelNames]],
    ) as readonly (readonly [string, readonly string[]])[],
  );

  it.each(queries)('asks for what there is, by labels that it has: $expr', ({ expr, legendFormat }) => {
    const used = [...expr.matchAll(/mcpo_\w+/g)].map(([figure]) => figure);
    expect(used).toHaveLength(1);
    const there = labelsOf.get(used[0] ?? '');
    expect(there, used[0]).toBeDefined();
    const filtered = [...expr.matchAll(/(\w+)!?=~?"/g)].map(([, label]) => label);
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
    const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    for (const label of [...filtered, ...grouped, ...named]) expect(there).toContain(label);
    if (grouped.length > 0) for (const label of named) expect(grouped).toContain(label);
  });

  it('shows most of the figures', () => {
    expect(queries.length).toBeGreaterThan(20);
    expect(dashboard).toMatchObject({ title: 'mcp-orchestration', schemaVersion: 39 });
  });
});
