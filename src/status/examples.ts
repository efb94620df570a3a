import type { ServerRecord, SourceStatus } from '../model/status.ts';

/** One value of each shape, shown in `/openapi.json` and in the reference, and checked against the schemas. */

export const exampleRecord: ServerRecord = {
  id: 'mcp-server-github',
  name: 'mcp-server-github',
  namespace: 'github',
  description: 'GitHub tools',
  repository: 'https://github.com/liminalcommons/mcp-server-github',
  maintainers: ['liminalcommons'],
  tags: ['integration'],
  capabilities: ['tools'],
  quality_tier: 'gold',
  version: '1.4.2',
  desired_version: '1.4.2',
  image: 'docker.io/liminalcommons/mcp-server-github:1.4.2',
  image_digest: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  desired_state: 'running',
  phase: 'ready',
  health: 'healthy',
  status: 'ok',
  routable: true,
  reason: null,
  suggested_action: null,
  since: '2026-11-20T12:00:00Z',
  last_check: '2026-11-20T12:13:32Z',
  response_time_ms: 3,
  consecutive_failures: 0,
  uptime_seconds: 812,
  conformant: true,
  departures: [],
  transport: 'http',
  url: 'http://127.0.0.1:49155',
  mcp_url: 'http://127.0.0.1:49155/mcp',
  health_url: 'http://127.0.0.1:49155/health',
  endpoints: [
    {
      instance: 'i-7f3a',
      role: 'active',
      transport: 'http',
      url: 'http://127.0.0.1:49155',
      mcp_url: 'http://127.0.0.1:49155/mcp',
      health_url: 'http://127.0.0.1:49155/health',
      container_url: 'http://mcp-server-github-i-7f3a:8080',
      container_mcp_url: 'http://mcp-server-github-i-7f3a:8080/mcp',
    },
    {
      instance: 'i-7c11',
      role: 'draining',
      transport: 'http',
      url: 'http://127.0.0.1:49153',
      mcp_url: 'http://127.0.0.1:49153/mcp',
      health_url: 'http://127.0.0.1:49153/health',
      container_url: 'http://mcp-server-github-i-7c11:8080',
      container_mcp_url: 'http://mcp-server-github-i-7c11:8080/mcp',
      drain_deadline: '2026-11-20T12:18:32Z',
    },
  ],
  recovery: { attempts: 0, max_attempts: 3, next_attempt_at: null, requires_manual: false },
  update: {
    strategy: 'semantic',
    available: null,
    state: 'draining',
    reason: null,
    at: null,
    passed_over: [
      {
        image: 'docker.io/liminalcommons/mcp-server-github:1.5.0',
        reason: 'it is no image but application/vnd.cncf.helm.config.v1+json',
      },
    ],
    quarantined: [
      {
        version: '1.4.1',
        image_digest: 'sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
        gate: 'health',
        reason: 'did not become healthy in time',
        at: '2026-11-19T09:00:00Z',
      },
    ],
  },
  why: 'as desired; the old instance is draining',
  tools: [{ name: 'create_issue', description: 'Creates an issue' }],
  revision: '9f2c4e8a7b1d4c5f8e9a0b1c2d3e4f5a6b7c8d9e',
  trace_id: 'ecosystem-w3-health-monitoring',
  index: 1795176012182,
};

export const exampleSource: SourceStatus = {
  url: 'https://github.com/liminalcommons/ecosystem-manifest',
  branch: 'main',
  attempted_revision: '9f2c4e8a7b1d4c5f8e9a0b1c2d3e4f5a6b7c8d9e',
  applied_revision: '9f2c4e8a7b1d4c5f8e9a0b1c2d3e4f5a6b7c8d9e',
  state: 'synced',
  last_successful_sync_at: '2026-11-20T12:13:30Z',
  error: null,
};

export const exampleEvent = {
  event_type: 'server_healthy',
  trace_id: 'ecosystem-w3-health-monitoring',
  timestamp: '2026-11-20T12:00:00Z',
  repo: 'mcp-orchestration',
  seq: 4182,
  time_ms: 1795176000000,
  server_name: 'mcp-server-github',
  instance: 'i-7f3a',
  container_id: '3f1d',
  spec: 'sha256:1b2c',
  from: 'degraded',
  to: 'healthy',
  version: '1.4.2',
};

export const exampleSettled = {
  event_type: 'revision_settled',
  trace_id: 'ecosystem-w3-health-monitoring',
  timestamp: '2026-11-20T12:00:40Z',
  repo: 'mcp-orchestration',
  seq: 4190,
  time_ms: 1795176040000,
  outcome: 'applied',
  seconds: 40,
  servers_failed: [],
  revision: '9f2c4e8a7b1d4c5f8e9a0b1c2d3e4f5a6b7c8d9e',
};

export const exampleStream = `id: ${exampleRecord.index}
data: ${JSON.stringify({
  index: exampleRecord.index,
  event_type: 'server_healthy',
  server: exampleRecord.name,
  status: 'ok',
  timestamp: '2026-11-20T12:00:00Z',
  trace_id: exampleRecord.trace_id,
  record: exampleRecord,
})}

event: heartbeat
data: ${JSON.stringify({ event_type: 'heartbeat', index: exampleRecord.index, timestamp: '2026-11-20T12:00:15Z' })}

`;
