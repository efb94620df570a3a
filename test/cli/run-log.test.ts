import { describe, expect, it } from 'vitest';
import { humanLog } from '../../src/cli/run-log.ts';
import type { Event } from '../../src/model/event.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { terminal } from './terminal.ts';

const event = {
  event_type: 'server_ready',
  trace_id: 't',
  timestamp: '2026-11-21T08:00:00Z',
  repo: 'mcp-orchestration',
  seq: 1,
  time_ms: 1,
  server_name: 'mcp-server-a',
  instance: 'i-1',
  version: '1.0.0',
} as Event;

describe('what run says at a terminal', () => {
  it('is a line an event, and a sentence with its facts for all else', () => {
    const io = terminal({ clock: fakeClock() });
    const log = humanLog(io, 'info', (text) => text.replace('hunter2', '***'));
    log.info(event, 'ignored');
    log.warn({ code: 'disk_full', until: 5, none: null, list: ['a'] }, 'no room for hunter2');
    log.error({ err: new Error('broken') }, 'our own mistake');
    log.debug({}, 'nobody wants to know');
    const lines = io.stderr.text.split('\n');
    expect(lines[0]).toContain('2026-11-21T08:00:00Z  mcp-server-a');
    expect(lines[1]).toBe('2026-11-21T08:00:00Z  no room for ***  code=disk_full until=5 list=["a"]');
    expect(lines[2]).toContain('our own mistake  err=Error: broken');
    expect(io.stderr.text).not.toContain('nobody');
  });

  it('is nothing where nothing shall be said', () => {
    const io = terminal({ clock: fakeClock() });
    humanLog(io, 'silent', (text) => text).error({}, 'x');
    expect(io.stderr.text).toBe('');
  });
});
