import { describe, expect, it } from 'vitest';
import type { Event, EventType } from '../../src/model/event.ts';
import { emptyMemory, emptyServerMemory } from '../../src/model/memory.ts';
import { emptyLedger, enter, reportOf, type Report } from '../../src/plan/report.ts';

const BEGIN = Date.UTC(2026, 10, 1);
const DAY = 86_400;

/** `at` in seconds since the beginning. */
function at(seconds: number, event_type: EventType, more: Record<string, unknown> = {}): Event {
  const time_ms = BEGIN + seconds * 1_000;
  return { event_type, time_ms, seq: 1, ...more } as unknown as Event;
}

/** Somebody watches all the time: a line every quarter of an hour. */
function watched(until: number, from = 0): Event[] {
  const count = Math.floor((until - from) / 900);
  return Array.from({ length: count }, (_, index) => at(from + (index + 1) * 900, 'orchestrator_watching'));
}

const started = at(0, 'orchestrator_started');
const ready = (seconds: number, server = 'a') =>
  at(seconds, 'server_ready', { server_name: server, container_id: `${server}1` });
const down = (seconds: number, more: object = {}, server = 'a') =>
  at(seconds, 'server_down', {
    server_name: server,
    incident_id: `inc-${seconds}`,
    container_id: `${server}1`,
    ...more,
  });
const back = (seconds: number, server = 'a') =>
  at(seconds, 'recovery_successful', { server_name: server, container_id: `${server}1` });

const resting = (seconds: number) => at(seconds, 'server_resting', { server_name: 'a' });

function told(events: readonly Event[], until: number, since = until): Report {
  const log = [...events].sort((a, b) => a.time_ms - b.time_ms).reduce(enter, emptyLedger);
  const to = BEGIN + until * 1_000;
  return reportOf(log, { from: to - since * 1_000, to });
}

describe('availability', () => {
  it('is the share of the time in which it should have answered and did', () => {
    const report = told([started, ...watched(10_000), ready(0), down(1_000), back(1_100)], 10_000);
    expect(report).toMatchObject({
      schema_version: '1.0',
      from: '2026-11-01T00:00:00Z',
      watched_seconds: 10_000,
      unwatched_seconds: 0,
      overall: { availability: 0.99, up_seconds: 9_900, down_seconds: 100, incidents: 1, open_incidents: 0 },
    });
    expect(report.servers).toMatchObject([{ server: 'a', availability: 0.99 }]);
  });

  it('counts from the fault, not from when it was seen', () => {
    const exited = down(1_000, { by: 'itself', at: BEGIN + 990_000, seconds_to_detect: 10 });
    expect(told([started, ...watched(2_000), ready(0), exited, back(1_010)], 2_000).overall).toMatchObject({
      down_seconds: 20,
      time_to_detect: { median: 10, p90: 10, max: 10 },
      time_to_recover: { median: 20, p90: 20, max: 20 },
    });
    const hung = down(1_000, { seconds_to_detect: 40 });
    expect(told([started, ...watched(2_000), ready(0), hung, back(1_010)], 2_000).overall).toMatchObject({
      down_seconds: 50,
    });
  });

  it('is never rounded up to perfect', () => {
    const log = [started, ...watched(30 * DAY), ready(0), down(1_000), back(1_001)];
    expect(told(log, 30 * DAY).overall.availability).toBeLessThan(1);
  });

  it('is not told where nothing should have answered', () => {
    const report = told([started, ...watched(1_000)], 1_000);
    expect(report.overall).toMatchObject({ availability: null, incidents: 0, time_to_recover: null });
    expect(report.overall.recovered_by_itself_within_2_minutes).toBeNull();
    expect(report.servers).toEqual([]);
  });

  it('begins when a server first answers, and ends with its removal', () => {
    const removed = at(1_500, 'server_removed', { server_name: 'a' });
    const log = [started, ...watched(3_000), ready(500), removed];
    expect(told(log, 3_000).servers).toMatchObject([{ up_seconds: 1_000, down_seconds: 0 }]);
    expect(told(log, 3_000, 1_000).servers, 'it was gone before the window').toEqual([]);
  });

  it('leaves out a stop that was asked for', () => {
    const stopped = at(1_000, 'server_stopped', { server_name: 'a', container_id: 'a1', by: 'us' });
    const spare = at(1_200, 'server_stopped', { server_name: 'a', container_id: 'a0', by: 'us' });
    const log = [started, ...watched(3_000), ready(0), stopped, resting(1_001), spare, ready(2_000)];
    expect(told(log, 3_000).servers).toMatchObject([
      { availability: 1, up_seconds: 2_000, stopped_seconds: 1_000 },
    ]);
  });

  it('counts an update that stops the old one first as down until something answers', () => {
    const stopped = at(1_000, 'server_stopped', { server_name: 'a', container_id: 'a1', by: 'us' });
    const log = [started, ...watched(3_000), ready(0), stopped, ready(1_030)];
    expect(told(log, 3_000).servers).toMatchObject([{ down_seconds: 30, stopped_seconds: 0, incidents: 0 }]);
  });

  it('takes a stop within an incident for a part of it', () => {
    const stopped = at(1_010, 'server_stopped', { server_name: 'a', container_id: 'a1', by: 'us' });
    const log = [started, ...watched(3_000), ready(0), down(1_000), stopped, ready(1_050)];
    expect(told(log, 3_000).servers).toMatchObject([{ down_seconds: 50, stopped_seconds: 0 }]);
  });
});

describe('what may stay stopped', () => {
  it('is no trouble where it ended so: a person, or an end with code 0', () => {
    for (const end of [{ by: 'person' }, { by: 'itself', exit_code: 0 }]) {
      const log = [started, ...watched(3_000), ready(0), down(1_000, end), resting(1_015)];
      expect(told(log, 3_000).overall).toMatchObject({
        ...{ incidents: 0, open_incidents: 0, availability: 1, stopped_seconds: 2_000 },
      });
    }
  });

  it('was in trouble until then where it was down before', () => {
    const log = [started, ...watched(3_000), ready(0), down(1_000), resting(1_500)];
    expect(told(log, 3_000).overall).toMatchObject({
      ...{ incidents: 1, open_incidents: 0, down_seconds: 500, stopped_seconds: 1_500 },
    });
  });
});

describe('an incident', () => {
  it('goes on where it falls again before its health lasted', () => {
    const loop = Array.from({ length: 10 }, (_, index) => [
      down(1_000 + index * 60),
      back(1_010 + index * 60),
    ]);
    const report = told([started, ...watched(9_000), ready(0), ...loop.flat()], 9_000);
    expect(report.overall).toMatchObject({
      ...{ incidents: 1, down_seconds: 100, recovered_by_itself_within_2_minutes: 0 },
      time_to_recover: { max: 550 },
    });
  });

  it('that could be written down only later began when it did', () => {
    const late = down(1_500, { at: BEGIN + 1_000_000, seconds_to_detect: 40 });
    expect(told([started, ...watched(3_000), ready(0), late, back(1_600)], 3_000).overall).toMatchObject({
      down_seconds: 640,
    });
  });

  it('is counted once, however often it falls', () => {
    const log = [
      started,
      ...watched(2_000),
      ready(0),
      down(100),
      down(110, { incident_id: 'inc-100' }),
      back(120),
    ];
    expect(told(log, 2_000).overall).toMatchObject({ incidents: 1, down_seconds: 20 });
  });

  it('that lasts is open, and counts as down until now', () => {
    const report = told([started, ...watched(2_000), ready(0), down(1_000)], 2_000);
    expect(report.overall).toMatchObject({
      ...{ incidents: 1, open_incidents: 1, down_seconds: 1_000, time_to_recover: null },
      recovered_by_itself_within_2_minutes: 0,
    });
  });

  it('that is young and open is not judged yet', () => {
    const report = told([started, ...watched(2_000), ready(0), down(1_950)], 2_000);
    expect(report.overall.recovered_by_itself_within_2_minutes).toBeNull();
  });

  it('is no business of a candidate', () => {
    const fallen = at(100, 'server_down', { server_name: 'a', container_id: 'a2' });
    const well = at(110, 'server_healthy', { server_name: 'a', container_id: 'a2' });
    expect(told([started, ...watched(2_000), ready(0), fallen, well], 2_000).overall).toMatchObject({
      incidents: 0,
    });
  });

  it('before it was ever ready is an incident, but nothing was missed', () => {
    const log = [started, ...watched(2_000), down(100), ready(150)];
    expect(told(log, 2_000).overall).toMatchObject({ incidents: 1, down_seconds: 0, up_seconds: 1_850 });
  });

  it('ends when it answers well by its own', () => {
    const well = at(130, 'server_healthy', { server_name: 'a', incident_id: 'inc-100', container_id: 'a1' });
    expect(told([started, ...watched(2_000), ready(0), down(100), well], 2_000).overall).toMatchObject({
      ...{ incidents: 1, open_incidents: 0, down_seconds: 30 },
      recovered_by_itself_within_2_minutes: 1,
    });
  });
});

describe('the share that came back by itself within two minutes', () => {
  const four = (end: number, more: readonly Event[] = []) => [
    ...[started, ...watched(9_000), ready(0), down(1_000), back(1_010), down(2_000), back(2_020)],
    ...[down(3_000), back(3_030), down(4_000), back(end), ...more],
  ];

  it('is of all that ended', () => {
    expect(told(four(4_119), 9_000).overall.recovered_by_itself_within_2_minutes).toBe(1);
    expect(told(four(4_121), 9_000).overall.recovered_by_itself_within_2_minutes).toBe(0.75);
  });

  it('is without those that a person helped', () => {
    const retried = at(4_005, 'request_accepted', { server_name: 'a', request: 'retry' });
    expect(told(four(4_010, [retried]), 9_000).overall.recovered_by_itself_within_2_minutes).toBe(0.75);
    const all = at(4_005, 'request_accepted', { request: 'retry' });
    expect(told(four(4_010, [all]), 9_000).overall.recovered_by_itself_within_2_minutes).toBe(0.75);
    const changed = at(4_005, 'manifest_synced', { changed: ['a', 'b'] });
    expect(told(four(4_010, [changed]), 9_000).overall.recovered_by_itself_within_2_minutes).toBe(0.75);
    const paused = at(4_005, 'request_accepted', { request: 'pause' });
    expect(told(four(4_010, [paused]), 9_000).overall.recovered_by_itself_within_2_minutes).toBe(1);
  });

  it('has median, 90 % and longest beside it, each one that was measured', () => {
    expect(told(four(4_119), 9_000).overall.time_to_recover).toEqual({ median: 20, p90: 119, max: 119 });
  });
});

describe('time that nobody watched', () => {
  const stop = (seconds: number) => at(seconds, 'orchestrator_stopped');
  const start = (seconds: number) => at(seconds, 'orchestrator_started');

  it('is no uptime: an orderly end', () => {
    const log = [started, ready(0), ...watched(1_000), stop(1_000), start(5_000), ...watched(6_000, 5_000)];
    expect(told(log, 6_000)).toMatchObject({
      ...{ watched_seconds: 2_000, unwatched_seconds: 4_000 },
      overall: { up_seconds: 2_000, availability: 1 },
    });
  });

  it('is no uptime: a death, from the last line on', () => {
    const log = [started, ready(0), ...watched(1_000), start(5_000), ...watched(6_000, 5_000)];
    expect(told(log, 6_000)).toMatchObject({ watched_seconds: 1_900, unwatched_seconds: 4_100 });
  });

  it('is no uptime: a machine that slept', () => {
    const log = [started, ready(0), ...watched(1_000), ...watched(20_000, 9_100)];
    expect(told(log, 20_000).unwatched_seconds).toBe(9_100);
  });

  it('is no downtime either', () => {
    const log = [
      started,
      ready(0),
      down(900),
      stop(1_000),
      start(5_000),
      back(5_100),
      ...watched(6_000, 5_000),
    ];
    expect(told(log, 6_000)).toMatchObject({
      overall: { down_seconds: 200, time_to_recover: { max: 4_200 } },
    });
  });

  it('is no uptime of a server that could not be asked, and others were watched all the same', () => {
    const unseen = at(1_060, 'server_unseen', {
      server_name: 'a',
      container_id: 'a1',
      at: BEGIN + 1_000_000,
    });
    const seen = at(1_500, 'server_seen', { server_name: 'a', container_id: 'a1' });
    const log = [started, ...watched(3_000), ready(0), ready(0, 'b'), unseen];
    const of = (report: Report) => report.servers.map(({ up_seconds: up }) => up);
    expect(of(told([...log, seen], 3_000))).toEqual([2_500, 3_000]);
    expect(of(told(log, 3_000)), 'it lasts').toEqual([1_000, 3_000]);
    expect(of(told([...log, down(2_000)], 3_000)), 'it was seen to be down').toEqual([1_000, 3_000]);
  });

  it('may last until now', () => {
    expect(told([started, ready(0), stop(1_000)], 5_000).unwatched_seconds).toBe(4_000);
    expect(told([started, ready(0)], 5_000).unwatched_seconds, 'it died, or the log is of another').toBe(
      5_000,
    );
    expect(told([started, ready(0)], 600).unwatched_seconds).toBe(0);
  });
});

describe('the window', () => {
  it('knows what was so before it began', () => {
    const log = [started, ...watched(10_000), ready(0), down(100), back(200), down(8_900), back(9_100)];
    expect(told(log, 10_000, 1_000)).toMatchObject({
      watched_seconds: 1_000,
      overall: { incidents: 1, up_seconds: 900, down_seconds: 100 },
    });
  });

  it('does not begin before the first event', () => {
    expect(told([started, ...watched(1_000)], 1_000, 30 * DAY).watched_seconds).toBe(1_000);
    expect(told([], 1_000).watched_seconds).toBe(0);
  });

  it('is as long as it was where the clock was set back: what came after counts in full', () => {
    const log = [
      ...[started, ready(5), at(600, 'orchestrator_watching'), at(1_200, 'orchestrator_watching')],
      ...[at(-2_400, 'orchestrator_watching')],
      down(-2_000, { at: BEGIN - 2_000_400, seconds_to_detect: 0.4, by: 'itself' }),
      ...[back(-1_970), at(-1_500, 'orchestrator_watching')],
    ].reduce(enter, emptyLedger);
    const to = BEGIN - 1_000_000;
    expect(reportOf(log, { from: to - DAY * 1_000, to })).toMatchObject({
      ...{ watched_seconds: 2_600, unwatched_seconds: 0, to: '2026-10-31T23:43:20Z' },
      overall: { incidents: 1, down_seconds: 30.4, time_to_recover: { max: 30.4 } },
    });
  });

  it('begins with what the oldest file remembers where older ones are gone', () => {
    const server = (more: object) => ({ ...emptyServerMemory, ...more });
    const promoted = { container: 'a1', spec: 's', version: null, at: 0 };
    const servers = {
      a: server({ promoted }),
      b: server({ promoted, incident: { id: 'inc', downAt: BEGIN - 60_000 } }),
      c: server({ promoted, resting: true }),
      d: server({}),
    };
    const checkpoint = at(0, 'memory_checkpoint', { memory: { ...emptyMemory, servers } });
    const report = told([checkpoint, ...watched(2_000), back(500, 'b'), checkpoint], 2_000);
    expect(report.servers).toMatchObject([
      { server: 'a', up_seconds: 2_000, incidents: 0 },
      { server: 'b', up_seconds: 1_500, down_seconds: 500, incidents: 1, time_to_recover: { max: 560 } },
    ]);
  });

  it('survives a clock that was set back', () => {
    const log = [started, ready(0), down(3_600), back(100), at(3_700, 'orchestrator_watching')];
    const ledger = log.reduce(enter, emptyLedger);
    const to = BEGIN + 4_000_000;
    expect(reportOf(ledger, { from: BEGIN, to }).overall).toMatchObject({ incidents: 1, open_incidents: 0 });
  });

  it('adds up over servers', () => {
    const log = [started, ...watched(1_000), ready(0), ready(0, 'b'), down(500, {}, 'b'), back(600, 'b')];
    const report = told(log, 1_000);
    expect(report.overall).toMatchObject({ up_seconds: 1_900, down_seconds: 100, availability: 0.95 });
    expect(report.servers.map(({ server, incidents }) => [server, incidents])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });
});
