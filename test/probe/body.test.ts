import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHealthBody } from '../../src/probe/body.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const read = (body: unknown) => readHealthBody(typeof body === 'string' ? body : JSON.stringify(body), now);
const proper = { status: 'ok', timestamp: '2026-11-20T11:59:59Z', uptime_seconds: 5 };
const departures = (body: object) => read({ ...proper, ...body }).departures;

describe('a health body', () => {
  it('is conformant in the form that says ok and gives a timestamp', () => {
    const body = read({ ...proper, version: '1.2.3', checks: { database: 'ok', cache: 'degraded' } });
    expect(body).toMatchObject({ status: 'ok', stale: false, version: '1.2.3', departures: [] });
    expect(body.checks).toEqual({ database: 'ok', cache: 'degraded' });
  });

  it('is conformant in the form that says healthy and gives a version', () => {
    const body = read({ status: 'healthy', version: '0.1.0', uptime_seconds: 12, tools_available: 4 });
    expect(body).toMatchObject({ status: 'ok', stale: false, departures: [] });
  });

  it.each([
    ['ok', 'ok'],
    ['healthy', 'ok'],
    ['degraded', 'degraded'],
    ['down', 'down'],
    ['unhealthy', 'down'],
    [' OK ', 'ok'],
    ['Healthy', 'ok'],
    ['starting', null],
    ['constructor', null],
    [7, null],
  ])('reads the status word %s as %s', (word, status) => {
    expect(read({ ...proper, status: word }).status).toBe(status);
  });

  it.each([
    ['2026-11-20T11:59:00Z', false],
    ['2026-11-20T11:58:59Z', true],
    ['2026-11-20T12:58:59+01:00', true],
    ['2026-11-20T11:58:59.999999', true],
    ['2026-11-20T11:59:30.123456', false],
    ['2026-11-20 11:59:30', false],
    ['2036-01-01T00:00:00Z', false],
    ['yesterday', false],
    ['2026-99-99T00:00:00Z', false],
    [12, false],
  ])('with the timestamp %s is stale: %s', (timestamp, stale) => {
    expect(read({ ...proper, timestamp }).stale).toBe(stale);
  });

  it('says in words how it departs from the specification', () => {
    expect(read({ status: 'healthy' }).departures).toEqual([
      'timestamp is missing',
      'uptime_seconds is missing',
    ]);
    expect(departures({ status: undefined })).toEqual(['status is missing']);
    expect(departures({ status: 'up' })[0]).toContain('none of ok');
    expect(departures({ status: 'OK' })).toEqual(['status is not written in lower case']);
    expect(departures({ timestamp: 'x' })).toEqual(['timestamp is not an ISO 8601 time']);
    expect(departures({ timestamp: '2026-11-20T12:00:00' })[0]).toContain('no time zone');
    expect(departures({ timestamp: '2026-11-20T13:00:00Z' })).toEqual(['timestamp lies in the future']);
    expect(departures({ uptime_seconds: 1.5 })[0]).toContain('uptime_seconds');
    expect(departures({ version: 1.1 })).toEqual(['version is not a string']);
    expect(departures({ checks: { 'Data Base': 'ok' } })[0]).toContain('checks');
    expect(departures({ checks: { database: 'up' } })[0]).toContain('checks');
    expect(read('[]').departures).toEqual(['the body is not a JSON object']);
  });

  it('takes components in every form that servers write', () => {
    expect(read({ ...proper, checks: { db: { status: 'ok' }, odd: 3 } }).checks).toEqual({ db: 'ok' });
    const list = [{ name: 'db', status: 'healthy' }, { name: 'x' }, 'y'];
    expect(read({ ...proper, dependencies: list }).checks).toEqual({ db: 'ok' });
  });

  it('takes no words of a component but how it is', () => {
    const checks = { db: 'password=hunter2', 'a sentence with hunter2': 'ok', cache: { status: 'hunter2' } };
    expect(read({ ...proper, checks }).checks).toEqual({ db: 'other', cache: 'other' });
  });

  it('takes counts of work in hand only as whole numbers', () => {
    const counts = (metrics: unknown) => {
      const { activeSessions, activeRequests } = read({ ...proper, metrics });
      return [activeSessions, activeRequests];
    };
    expect(counts({ active_sessions: 2, active_requests: 0 })).toEqual([2, 0]);
    expect(counts({ active_sessions: '0', active_requests: -1 })).toEqual([null, null]);
    expect(counts(null)).toEqual([null, null]);
  });

  it('never grows beyond its limits', () => {
    const checks = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`c${n}`, 'x'.repeat(500)]));
    const body = read({ ...proper, checks, version: 'v'.repeat(5000) });
    expect(Object.keys(body.checks)).toHaveLength(64);
    expect(body.checks['c0']).toBe('other');
    expect(body.version).toHaveLength(64);
  });

  it('is harmless whatever it is', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void readHealthBody(text, now)));
    fc.assert(fc.property(fc.json(), (text) => void readHealthBody(text, now)));
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom('ok', 'down', '2026-11-20T12:00:00Z'));
    const names = ['status', 'timestamp', 'version', 'checks', 'dependencies', 'metrics', '__proto__'];
    const body = fc.dictionary(fc.constantFrom(...names), field);
    fc.assert(fc.property(body, (value) => void readHealthBody(JSON.stringify(value), now)));
    expect(read(`${'['.repeat(32_000)}${']'.repeat(32_000)}`).status).toBeNull();
    expect(read(`${'{"status":'.repeat(6000)}1${'}'.repeat(6000)}`).status).toBeNull();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
