import { describe, expect, it } from 'vitest';
import { concerns, judge, remind, type Incidents } from '../../src/notify/incident.ts';
import { event } from './events.ts';

/** What people hear of a run of events. */
function hear(...events: ReturnType<typeof event>[]) {
  let open: Incidents = {};
  const heard = events.flatMap((next) => {
    const judged = judge(open, next);
    open = judged.open;
    return judged.notice === null ? [] : [`${judged.notice.kind} ${judged.notice.event?.event_type}`];
  });
  return { heard, open };
}

describe('people are told', () => {
  it('once when a server falls, and once when it is back', () => {
    const { heard, open } = hear(
      event('server_down', { reason: 'timeout' }),
      event('server_down'),
      event('recovery_started'),
      event('server_healthy'),
      event('recovery_successful'),
    );
    expect(heard).toEqual(['opened server_down', 'resolved server_healthy']);
    expect(remind(open, Date.now() + 600_000, 3_600_000)).toEqual({ open: {}, notices: [] });
  });

  it('not of an engine that started again, but of who does not come back after it', () => {
    const ended = event('server_down', { by: 'engine' });
    expect(hear(ended, event('server_healthy')).heard).toEqual([]);
    expect(hear(ended, event('server_down'), event('server_healthy')).heard).toHaveLength(2);
  });

  it('once more when only a person can help', () => {
    const { heard } = hear(event('server_down'), event('recovery_exhausted'), event('server_removed'));
    expect(heard).toEqual(['opened server_down', 'escalated recovery_exhausted', 'resolved server_removed']);
    expect(hear(event('recovery_exhausted')).heard).toEqual(['opened recovery_exhausted']);
  });

  it('not of a version that a commit took back, which hides no later one', () => {
    const { heard } = hear(
      event('version_quarantined', { gate: 'reverted' }),
      event('version_quarantined', { gate: 'health' }),
    );
    expect(heard).toEqual(['opened version_quarantined']);
  });

  it('that what is stopped may stay so', () => {
    const { heard, open } = hear(event('server_down', { by: 'person' }), event('server_resting'));
    expect(heard).toEqual(['opened server_down', 'resolved server_resting']);
    expect(open).toEqual({});
  });

  it('once more when it falls again before its health lasted, and then only when it has', () => {
    const minute = 60_000;
    const loop = Array.from({ length: 30 }, (_, n) => [
      event('server_down', { time_ms: n * minute }),
      event('recovery_exhausted', { time_ms: n * minute + 1 }),
      event('server_healthy', { time_ms: n * minute + 30_000 }),
      event('recovery_successful', { time_ms: n * minute + 30_000 }),
    ]);
    const { heard, open } = hear(...loop.flat());
    expect(heard).toEqual([
      'opened server_down',
      'escalated recovery_exhausted',
      'resolved server_healthy',
      'opened server_down',
    ]);
    const wellAt = 29 * minute + 30_000;
    expect(remind(open, wellAt + 599_999, 3_600_000).notices).toEqual([]);
    const { open: after, notices } = remind(open, wellAt + 600_000, 3_600_000);
    expect(after).toEqual({});
    expect(notices).toMatchObject([{ kind: 'resolved', server: 'demo', event: null }]);
  });

  it('once of a bad version that undid itself', () => {
    const { heard } = hear(
      event('version_quarantined', { version: '1.1.0' }),
      event('rollback_started'),
      event('update_failed'),
      event('rollback_completed'),
    );
    expect(heard).toEqual(['opened version_quarantined', 'resolved rollback_completed']);
  });

  it('of each server by itself', () => {
    const other = { server_name: 'other' };
    const { heard, open } = hear(
      event('server_down', { time_ms: 0 }),
      event('server_down', other),
      event('server_healthy', other),
    );
    expect(heard).toEqual(['opened server_down', 'opened server_down', 'resolved server_healthy']);
    expect(remind(open, 601_000, 3_600_000).notices).toEqual([]);
    expect(open['server:demo']?.wellSince).toBeNull();
  });

  it('of what is only worth knowing, every time', () => {
    expect(hear(event('update_available'), event('update_available')).heard).toHaveLength(2);
  });

  it('of a manifest that cannot be read, which concerns no server', () => {
    const broken = { ...event('registry_read_failed'), server_name: undefined } as never;
    const { notice } = judge({}, broken);
    expect(notice).toMatchObject({
      server: null,
      text: expect.stringContaining('mcp-orchestration:') as string,
    });
  });

  it('not of what nobody needs to know', () => {
    expect(concerns(event('server_started'))).toBe(false);
    expect(judge({}, event('server_started'))).toEqual({ open: {}, notice: null });
    expect(hear(event('server_healthy')).heard).toEqual([]);
  });

  it('why, in one line of bounded length', () => {
    const { notice } = judge(
      {},
      event('server_down', { reason: 'timeout', error: 'x'.repeat(5000), version: '' }),
    );
    expect(notice?.text).toMatch(/^demo: the server does not answer or has exited \(timeout, x+$/);
    expect(notice?.text.length).toBe(1000);
  });
});

describe('a reminder', () => {
  const hour = 3600_000;
  const { open } = judge({}, event('server_down', { time_ms: 0 }));

  it('comes when a trouble lasts, and not before', () => {
    expect(remind(open, hour - 1, hour)).toEqual({ open, notices: [] });
    const { open: told, notices } = remind(open, hour, hour);
    expect(notices).toMatchObject([{ kind: 'reminder', server: 'demo', event: null }]);
    expect(notices[0]?.text).toContain('for 60 minutes');
    expect(remind(told, 2 * hour - 1, hour).notices).toEqual([]);
    expect(remind(told, 2 * hour, hour).notices).toHaveLength(1);
  });

  it('is not for a version that was set aside', () => {
    const { open: quarantined } = judge({}, event('version_quarantined', { time_ms: 0 }));
    expect(remind(quarantined, 5 * hour, hour).notices).toEqual([]);
  });

  it('ends after a week', () => {
    expect(remind(open, 8 * 24 * hour, hour)).toEqual({ open: {}, notices: [] });
  });

  it('never needs more than a thousand troubles', () => {
    const many = Array.from({ length: 1100 }, (_, n) => event('server_down', { server_name: `s${n}` }));
    expect(Object.keys(hear(...many).open)).toHaveLength(1000);
  });
});
