import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromLine, readLine, toLine } from '../../src/journal/line.ts';
import { event, foreign } from './sample.ts';

describe('a line of the log', () => {
  it('is greppable: the first keys in order, a space behind each colon and comma, the common ones last', () => {
    const line = toLine(
      event(7, {
        event_type: 'recovery_started',
        why: 'it "fell"',
        attempt: 1,
        version: '1.0.0',
        reason: '3_consecutive_failures',
        checks: { db: 'ok', cache: 'down' },
        list: [1, 2],
        none: {},
        absent: undefined,
      }),
    );
    expect(line).toBe(
      '{"event_type": "recovery_started", "trace_id": "ecosystem-w3", "timestamp": "2026-11-20T12:00:07Z", ' +
        '"repo": "mcp-orchestration", "seq": 7, "time_ms": 1795176007000, "server_name": "mcp-server-github", ' +
        '"reason": "3_consecutive_failures", "checks": {"db": "ok", "cache": "down"}, "list": [1, 2], "none": {}, ' +
        '"version": "1.0.0", "attempt": 1, "why": "it \\"fell\\""}',
    );
  });

  it('comes back as the very event, whatever is in its texts, and is always one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.json(), (text, json) => {
        const original = event(3, {
          error: `a,\n  b: "${text}"\u2028`,
          details: JSON.parse(json) as unknown,
        });
        const line = toLine(original);
        expect(line).not.toContain('\n');
        expect(fromLine(line)).toEqual(JSON.parse(JSON.stringify(original)));
      }),
      { numRuns: 300 },
    );
  });

  it('is read in any spacing and order, with a byte order mark and with CRLF', () => {
    const { event_type, ...others } = event(1);
    expect(fromLine(`\uFEFF  ${JSON.stringify({ ...others, event_type })}\r`)).toEqual(event(1));
  });

  it.each(foreign)("of somebody else is nobody's fault: %s", (line) => {
    expect(readLine(line)).toEqual({ kind: 'other' });
    expect(fromLine(line)).toBeNull();
  });

  it.each([
    'nonsense',
    '[1]',
    'null',
    toLine(event(1)).slice(0, -10),
    JSON.stringify({ ...event(1), event_type: 'invented_later' }),
    JSON.stringify({ ...event(1), event_type: 'toString' }),
    JSON.stringify({ ...event(1), event_type: 'manifest_synced', changed: 'mcp-server-github' }),
    JSON.stringify({ ...event(1), event_type: 'manifest_synced', entries: null }),
    JSON.stringify({ ...event(1), event_type: 'memory_checkpoint' }),
    JSON.stringify({ ...event(1), event_type: 5 }),
    JSON.stringify({ ...event(1), seq: 0 }),
    JSON.stringify({ ...event(1), seq: 'x' }),
    JSON.stringify({ ...event(1), time_ms: 1.5 }),
    JSON.stringify({ ...event(1), trace_id: null }),
    JSON.stringify({ ...event(1), timestamp: null }),
    JSON.stringify({ ...event(1), server_name: 1 }),
  ])('that cannot be read is said to be so: %s', (line) => {
    expect(readLine(line)).toEqual({ kind: 'unreadable' });
  });
});
