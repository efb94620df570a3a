import type { StatusView } from '../../src/model/status.ts';
import { record, view } from '../status/view.ts';

/** An ecosystem in which one of each thing is wrong. */
export function sampleStatus(): StatusView {
  return view([
    record('mcp-server-github', {
      reason: 'version_quarantined',
      suggested_action: 'commit a version that works, or run: mcp-orchestration retry mcp-server-github',
      update: {
        strategy: 'pinned',
        available: null,
        state: 'none',
        reason: null,
        at: null,
        passed_over: [],
        quarantined: [
          {
            version: '1.5.0',
            image_digest: 'sha256:9f86',
            gate: 'health',
            reason: 'status_500',
            at: '2026-11-20T20:17:06Z',
          },
        ],
      },
    }),
    record('mcp-server-coda', {
      ...{
        phase: 'refused',
        health: 'unknown',
        status: 'down',
        routable: false,
        url: null,
        version: null,
      },
      ...{ reason: 'untrusted_image', suggested_action: "Start with --trust 'ghcr.io/acme/*'" },
    }),
    record('mcp-server-n8n', {
      ...{ phase: 'failed', health: 'unhealthy', status: 'down', routable: false, consecutive_failures: 12 },
      ...{
        reason: 'requires_manual',
        suggested_action: 'look at its logs, then run: mcp-orchestration retry mcp-server-n8n',
      },
      recovery: {
        attempts: 3,
        max_attempts: 3,
        next_attempt_at: '2026-11-20T21:10:00Z',
        requires_manual: true,
      },
    }),
    record('mcp-server-lightrag'),
  ]);
}
