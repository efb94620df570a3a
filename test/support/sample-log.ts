import { toLine } from '../../src/journal/line.ts';
import { isoSeconds } from '../../src/lib/time.ts';
import type { Event, EventDraft, EventFields, EventType, Of } from '../../src/model/event.ts';

/** What one evening wrote: a good release, a bad one, a crash, and a manifest that nobody could read. */
export const sampleLog = (): string =>
  `${sampleEvents.map((event, position) => toLine({ ...event, seq: position + 1 })).join('\n')}\n`;

const START = Date.UTC(2026, 10, 20, 20, 0, 0);
const GITHUB = 'mcp-server-github';
const FIRST = '9f2c1d4e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d';
const SECOND = '1b7d0e9f8a6c5b4d3e2f1a0b9c8d7e6f5a4b3c2d';

const of = (version: string, instance: string): Of => ({
  instance,
  container_id: `${instance.slice(2)}c0ffee`,
  spec: `sha256:5bec${version.replaceAll('.', '')}`,
  version,
});
const old = of('1.0.0', 'i-7c11');
const next = of('1.1.0', 'i-7f3a');
const digest = 'sha256:9f86d081884c7d65';
const rollout = { rollout_id: 'r-51ab' };
const versions = { spec: next.spec, version: '1.1.0', image_digest: digest, ...rollout };

type Said<T extends EventType> = readonly [
  second: number,
  trace: string,
  server: string | null,
  type: T,
  fields: EventFields[T],
];

const said = <T extends EventType>(...one: Said<T>): Event => {
  const [second, traceId, server, event, fields] = one;
  return lineOf(second, { event, server, traceId, fields } as EventDraft);
};

export const sampleEvents: readonly Event[] = [
  said(0, 'orchestrator-4be1', null, 'orchestrator_started', {
    boot_id: '4be1',
    owner: 'default',
    program_version: '0.1.0',
  }),
  said(2, 'first-servers', null, 'manifest_synced', synced(FIRST, null, ['mcp-server-github'], [])),
  said(3, 'first-servers', GITHUB, 'server_starting', { ...old, revision: FIRST, image_digest: digest }),
  said(14, 'first-servers', GITHUB, 'server_ready', {
    ...old,
    url: 'http://127.0.0.1:49155',
    image_digest: digest,
  }),
  said(15, 'first-servers', null, 'revision_settled', settled(FIRST, 'applied', 13, [])),
  said(620, 'first-servers', GITHUB, 'update_completed', { ...old, seconds: 617, image_digest: digest }),
  said(900, 'github-1.1', null, 'manifest_synced', synced(SECOND, FIRST, [], ['mcp-server-github'])),
  said(901, 'github-1.1', GITHUB, 'update_started', {
    ...versions,
    image: 'docker.io/liminalcommons/mcp-server-github:1.1.0',
    from_version: '1.0.0',
    order: 'start-first',
  }),
  said(905, 'github-1.1', GITHUB, 'server_started', { ...next, ...rollout }),
  said(1026, 'github-1.1', GITHUB, 'update_gate_failed', {
    ...versions,
    gate: 'health',
    class: 'version',
    error: 'it did not become healthy within 120 s',
  }),
  said(1026, 'github-1.1', GITHUB, 'version_quarantined', {
    ...versions,
    gate: 'health',
    evidence: { reason: 'status_500', log: ['Error: GITHUB_API_URL is not set'] },
  }),
  said(1027, 'github-1.1', GITHUB, 'update_failed', {
    ...versions,
    gate: 'health',
    error: 'it did not become healthy within 120 s',
  }),
  said(1028, 'github-1.1', null, 'revision_settled', settled(SECOND, 'partial', 128, [GITHUB])),
  said(3600, 'first-servers', GITHUB, 'server_down', {
    ...old,
    from: 'healthy',
    to: 'unhealthy',
    reason: 'exited_1',
    exit_code: 1,
    incident_id: 'n-22',
    seconds_to_detect: 0.4,
  }),
  said(3601, 'first-servers', GITHUB, 'recovery_started', {
    ...old,
    reason: 'container_exited',
    attempt: 1,
    strategy: 'restart',
    incident_id: 'n-22',
  }),
  said(3604, 'first-servers', GITHUB, 'recovery_successful', {
    ...old,
    attempts: 1,
    recovery_successful: true,
    seconds_down: 4,
    incident_id: 'n-22',
  }),
  said(7200, 'github-1.2', null, 'registry_read_failed', {
    revision: SECOND.replace('1b', '2c'),
    details: { error: 'ecosystem-manifest.yaml:7:12  servers[0].docker.port  must be a whole number' },
  }),
];

function synced(
  revision: string,
  previous: string | null,
  added: readonly string[],
  changed: readonly string[],
): EventFields['manifest_synced'] {
  const source = 'https://github.com/you/ecosystem-manifest#ecosystem-manifest.yaml';
  const entries = { [GITHUB]: 'sha256:e17c' };
  return { source, revision, previous, commits: [], entries, added, changed, removed: [], allow_removal: [] };
}

function settled(
  revision: string,
  outcome: 'applied' | 'partial',
  seconds: number,
  failed: readonly string[],
): EventFields['revision_settled'] {
  return { revision, outcome, seconds, servers_failed: failed };
}

function lineOf(second: number, { event, server, traceId, fields }: EventDraft): Event {
  const at = START + second * 1_000;
  const stamped = {
    event_type: event,
    trace_id: traceId,
    timestamp: isoSeconds(at),
    repo: 'mcp-orchestration',
    seq: 1,
    time_ms: at,
  };
  return { ...stamped, ...(server === null ? {} : { server_name: server }), ...fields } as Event;
}
