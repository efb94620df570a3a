import { describe, expect, it } from 'vitest';
import { History } from '../../src/status/history.ts';
import { Timeline } from '../../src/status/timeline.ts';
import { event } from '../journal/sample.ts';
import { coda, github } from './view.ts';

const AT = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;

describe('availability over time', () => {
  it('is the share of the time, where health is known, in which requests could be answered', () => {
    const history = new History();
    history.note([{ ...github, health: 'unknown' }], AT);
    history.note([github], AT + HOUR);
    history.note([github], AT + 2 * HOUR);
    history.note([{ ...github, health: 'unhealthy' }], AT + 4 * HOUR);
    const [past] = history.until(AT + 5 * HOUR);
    expect(past).toEqual({
      name: github.name,
      availability: 0.75,
      spans: [
        { from: '2026-11-20T12:00:00Z', to: '2026-11-20T13:00:00Z', health: 'unknown' },
        { from: '2026-11-20T13:00:00Z', to: '2026-11-20T16:00:00Z', health: 'healthy' },
        { from: '2026-11-20T16:00:00Z', to: '2026-11-20T17:00:00Z', health: 'unhealthy' },
      ],
    });
  });

  it('is not known before anybody was asked, goes back a day, and forgets who is gone', () => {
    const history = new History();
    history.note([{ ...github, health: 'unknown' }, coda], AT);
    expect(history.until(AT)[0]?.availability).toBeNull();
    history.note([coda], AT + HOUR);
    const [past, ...others] = history.until(AT + 30 * HOUR);
    expect([past?.name, past?.spans[0]?.from, others]).toEqual([coda.name, '2026-11-20T18:00:00Z', []]);
  });
});

describe('the last events', () => {
  it('are kept of everybody, of each server and of each trace', () => {
    const timeline = new Timeline();
    for (let seq = 1; seq <= 150; seq += 1) timeline.note(event(seq, { trace_id: `t${seq % 2}` }));
    timeline.note(event(151, { server_name: undefined }));
    timeline.note(event(152, { event_type: 'memory_checkpoint' }));
    expect(timeline.latest()[0]?.seq).toBe(151);
    expect(timeline.ofServer(github.name)).toHaveLength(100);
    expect(timeline.ofTrace('t1')).toHaveLength(75);
    expect(timeline.ofServer('nobody')).toEqual([]);
  });

  it('say nothing of what a server wrote or answered', () => {
    const timeline = new Timeline();
    timeline.note(
      event(1, {
        event_type: 'version_quarantined',
        evidence: { reason: 'exit', log: ['hunter2'], answers: ['hunter2'] },
      }),
    );
    expect(JSON.stringify(timeline.latest())).toContain('"evidence":{"reason":"exit"}');
  });

  it('do not grow with servers that come and go', () => {
    const timeline = new Timeline();
    for (let n = 0; n <= 2_000; n += 1) timeline.note(event(n, { server_name: `server-${n}` }));
    expect([timeline.ofServer('server-0'), timeline.ofServer('server-2000').length]).toEqual([[], 1]);
  });
});
