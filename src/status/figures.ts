import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Every figure there is, by its name; the dashboard in examples/ uses no other. */
export function figuresIn(registry: Registry) {
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ name: `mcpo_${name}`, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name: `mcpo_${name}`, help, labelNames, registers });
  const seconds = <L extends string>(name: string, help: string, ...labelNames: L[]): Histogram<L> =>
    new Histogram({ name: `mcpo_${name}`, help, labelNames, registers, buckets: bucketsOf(name) });
  return { ...aboutUs({ gauge, counter, seconds }), ...aboutServers({ gauge, counter, seconds }) };
}

export type Figures = ReturnType<typeof figuresIn>;

interface Kinds {
  readonly gauge: <L extends string>(name: string, help: string, ...labelNames: L[]) => Gauge<L>;
  readonly counter: <L extends string>(name: string, help: string, ...labelNames: L[]) => Counter<L>;
  readonly seconds: <L extends string>(name: string, help: string, ...labelNames: L[]) => Histogram<L>;
}

const aboutUs = ({ gauge, counter, seconds }: Kinds) => ({
  build: gauge('build_info', 'Version of the orchestrator.', 'version'),
  self: gauge('self_check', '1 where the orchestrator itself is well.', 'check'),
  leader: gauge('leader', '1 while this is the one writer.'),
  readers: gauge('stream_readers', 'Readers that follow the stream.'),
  cutOff: gauge('stream_readers_cut_off', 'Readers cut off since the start because they did not read.'),
  depth: gauge('workqueue_depth', 'Servers that something is under way for.'),
  revision: gauge('source_revision_info', 'The revision in force.', 'revision'),
  fetches: counter('source_fetch_total', 'Looks at the source.', 'result'),
  revisions: counter('source_revisions_total', 'New revisions of the manifest.', 'result'),
  passes: counter('reconcile_total', 'Passes: look, decide, do.', 'result'),
  passing: seconds('reconcile_duration_seconds', 'One pass.'),
  settled: counter('revisions_settled_total', 'Revisions settled.', 'result'),
  settling: seconds('revision_settling_seconds', 'From a revision to its being settled.'),
  lastSettled: gauge(
    'last_successful_reconcile_timestamp_seconds',
    'When a revision was last applied in full.',
  ),
  requests: seconds('engine_request_duration_seconds', 'One question to the engine.', 'op', 'code'),
  gaps: counter('engine_event_gap_total', 'Times that the events of the engine broke off.'),
  logBytes: gauge('event_log_bytes', 'Size of the file that is written to.', 'log'),
  pulls: seconds('engine_pull_duration_seconds', 'Pulling an image.'),
});

const aboutServers = ({ gauge, counter, seconds }: Kinds) => ({
  servers: gauge('servers', 'Servers of the manifest.'),
  health: gauge('server_health', '1 for the state each server is in, 0 for the others.', 'server', 'state'),
  condition: gauge('reconcile_condition', '1 where it holds.', 'server', 'type', 'status'),
  suspended: gauge('suspend_status', '1 for a server whose deeds are held.', 'server'),
  rollout: gauge('rollout_info', '1 for a server with an update under way.', 'server', 'state'),
  checkFailed: gauge('update_check_failed', '1 where newer versions could not be looked for.', 'server'),
  quarantined: gauge('quarantined_versions', 'Versions set aside.', 'server'),
  probes: seconds('health_probe_duration_seconds', 'Time a server took to answer a health check.'),
  rollouts: seconds('rollout_duration_seconds', 'From the start of an update to its end.', 'status'),
  rollbacks: counter('rollback_total', 'Rollbacks begun, by the gate that failed.', 'reason'),
  recoveries: counter('recovery_attempts_total', 'Attempts to recover a server.', 'action', 'result'),
  drains: seconds('drain_seconds', 'From the start of a drain to its end.'),
  forcedDrains: counter('drain_forced_total', 'Drains ended by their deadline.'),
});

const bucketsOf = (name: string): number[] =>
  /^(health_probe|reconcile|engine_request)/.test(name)
    ? [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30]
    : [1, 5, 15, 30, 60, 120, 300, 600, 1800];
