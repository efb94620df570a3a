import { describe, expect, it } from 'vitest';
import { Board } from '../../src/status/board.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { event } from '../journal/sample.ts';
import { coda, github, record, view } from './view.ts';

const BOOT = 1_795_176_000_000;

function opened() {
  const clock = fakeClock(BOOT);
  const board = new Board({ clock, bootId: 'b1', programVersion: '0.1.0' });
  const indexes = (): Record<string, number> =>
    Object.fromEntries((board.shown().view?.servers ?? []).map((each) => [each.name, each.index]));
  return { clock, board, indexes };
}

describe('the index', () => {
  it('starts at the time of boot and moves by one for each changed record', () => {
    const { board, indexes } = opened();
    expect(board.shown().index).toBe(BOOT);
    expect(board.shown().view).toBeNull();
    board.publish(view([github, coda]));
    expect(indexes()).toEqual({ 'mcp-server-github': BOOT + 1, 'mcp-server-coda': BOOT + 2 });
    board.publish(view([github, { ...coda, phase: 'draining' }]));
    expect(indexes()).toEqual({ 'mcp-server-github': BOOT + 1, 'mcp-server-coda': BOOT + 3 });
    expect(board.shown().index).toBe(BOOT + 3);
  });

  it('does not move for what only grows older', async () => {
    const { board, clock } = opened();
    board.publish(view([github]));
    const before = board.shown().index;
    board.publish(
      view(
        [
          {
            ...github,
            last_check: '2026-11-20T13:00:00Z',
            response_time_ms: 9,
            uptime_seconds: 1000,
            index: 7,
          },
        ],
        {
          source: { ...view([]).source, last_successful_sync_at: '2026-11-20T13:00:00Z' },
        },
      ),
    );
    await clock.advance(1_000);
    expect(board.shown().index).toBe(before);
    expect(board.shown().view?.servers[0]).toMatchObject({ response_time_ms: 9, index: before });
  });

  it('moves when a server goes, when the source changes and when our view is doubted', () => {
    const { board, indexes } = opened();
    board.publish(view([github, coda]));
    board.publish(view([github]));
    expect(board.shown().index).toBe(BOOT + 3);
    board.publish(view([github], { view: 'suspect' }));
    board.publish(view([github], { view: 'suspect', source: { ...view([]).source, state: 'refused' } }));
    expect(board.shown().index).toBe(BOOT + 5);
    expect(indexes()).toEqual({ 'mcp-server-github': BOOT + 1 });
    board.publish(
      view([github, coda], { view: 'suspect', source: { ...view([]).source, state: 'refused' } }),
    );
    expect(indexes()['mcp-server-coda']).toBe(BOOT + 6);
  });

  it('moves with the first look even when nothing is there', () => {
    const { board } = opened();
    board.publish(view([]));
    expect(board.shown().index).toBe(BOOT + 1);
  });
});

describe('what is shown', () => {
  it('is the same value for a second, and then a second older', async () => {
    const { board, clock } = opened();
    board.publish(view([github, record('never-started', { uptime_seconds: null })]));
    const first = board.shown();
    await clock.advance(999);
    expect(board.shown()).toBe(first);
    await clock.advance(1001);
    expect(board.shown().view?.servers.map((each) => each.uptime_seconds)).toEqual([814, null]);
    expect(board.shown().uptimeSeconds).toBe(2);
  });

  it('stays the same value while what is published and said is the same', () => {
    const { board } = opened();
    const self = { manifest: 'ok', engine: 'ok', journal: 'ok' } as const;
    board.publish(view([github, coda]));
    board.self(self);
    const first = board.shown();
    board.publish(structuredClone(view([{ ...github, last_check: '2026-11-20T13:00:00Z' }, coda])));
    board.self({ ...self });
    board.note(event(1, { event_type: 'health_check_completed' }));
    expect(board.shown()).toBe(first);
    board.publish(view([{ ...github, tools: [{ name: 'other', description: null }] }, coda]));
    expect(board.shown()).not.toBe(first);
  });

  it('follows what is said about ourselves at once', () => {
    const { board } = opened();
    expect(board.shown().self).toEqual({ manifest: 'degraded', engine: 'degraded', journal: 'degraded' });
    board.self({ manifest: 'ok', engine: 'down', journal: 'ok' });
    expect(board.shown().self.engine).toBe('down');
  });

  it('has the last 500 events about the health of a server, newest first, until it is gone', () => {
    const { board } = opened();
    const name = github.name;
    board.publish(view([github]));
    for (let seq = 1; seq <= 510; seq += 1) board.note(event(seq, { event_type: 'server_down' }));
    board.note(event(600));
    board.note(event(601, { event_type: 'server_down', server_name: undefined }));
    const events = board.shown().healthEvents(name);
    expect([events.length, events[0]?.seq, events.at(-1)?.seq]).toEqual([500, 510, 11]);
    expect(board.shown().healthEvents('other')).toEqual([]);
    board.publish(view([]));
    expect(board.shown().healthEvents(name)).toEqual([]);
  });
});

describe('what became of revisions', () => {
  it('is told newest first, the last 60, and moves the index', () => {
    const { board } = opened();
    for (let seq = 1; seq <= 70; seq += 1)
      board.note(event(seq, { event_type: 'revision_settled', outcome: 'applied', seconds: 1 }));
    expect(board.shown().revisions.map((each) => each.seq)).toEqual(
      Array.from({ length: 60 }, (_, n) => 70 - n),
    );
    expect(board.shown().index).toBe(BOOT + 70);
  });
});

describe('what happened before our start', () => {
  it('is shown, and neither counted nor told as a change', async () => {
    const { board } = opened();
    const told: unknown[] = [];
    board.watch((change) => told.push(change.event_type));
    for (const event_type of ['revision_settled', 'recovery_started', 'rollback_started', 'server_down'])
      board.recall(event(1, { event_type, outcome: 'applied', seconds: 1, strategy: 'restart' }));
    expect([board.shown().index, told]).toEqual([BOOT, []]);
    const shown = board.shown();
    expect(shown.timeline.latest()).toHaveLength(4);
    expect([shown.revisions.length, shown.healthEvents(github.name).length]).toEqual([1, 2]);
    const counts = (await shown.metrics())
      .split('\n')
      .filter((line) => /^mcpo_.*(_total|_count)\b/.test(line));
    expect(counts.filter((line) => !line.endsWith(' 0'))).toEqual([]);
    board.publish(view([github]));
    expect(told).toEqual(['status_changed']);
  });
});

describe('waiting for a change', () => {
  it('ends with the next change or when it is called off', async () => {
    const { board } = opened();
    const never = new AbortController().signal;
    const first = board.changed(never);
    board.publish(view([github]));
    await first;
    const called = new AbortController();
    const second = board.changed(called.signal);
    board.publish(view([github]));
    called.abort();
    await second;
    await board.changed(called.signal);
  });
});
