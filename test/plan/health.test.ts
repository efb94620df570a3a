import { describe, expect, it } from 'vitest';
import type { ProbeResult, Pulse } from '../../src/model/observed.ts';
import { feel, nextCheckAt, seedPulse } from '../../src/plan/health.ts';
import { NOW, SECOND, answer, instance, settings, spec } from '../support/world.ts';

const health = settings().health;
const startsWithinSeconds = 120;
const one = instance(spec('github'), 'a', { startedAt: NOW });
const bad = answer({ outcome: 'failed', reason: 'status_500' });
const mute = answer({ outcome: 'failed', reason: 'timeout', silent: true });
const blind = answer({ outcome: 'unknown', reason: 'probe_error' });
const degraded = answer({ outcome: 'degraded', reason: 'degraded' });

/** One answer a second from `from` on. */
function after(
  results: readonly ProbeResult[],
  from = NOW + 60 * SECOND,
  pulse: Pulse = seedPulse(one, null),
): Pulse {
  return results.reduce((last, result, index) => {
    const now = from + index * SECOND;
    return feel(last, result, { settings: health, startsWithinSeconds, now, askedAt: now - 10 });
  }, pulse);
}

describe('the state of an instance', () => {
  const ok = answer();
  it.each<[string, readonly ProbeResult[], string]>([
    ['is unknown before the first answer', [], 'unknown'],
    ['is healthy after the first success', [ok], 'healthy'],
    ['is degraded after one failure', [ok, bad], 'degraded'],
    ['is degraded when it says so', [ok, degraded], 'degraded'],
    ['is degraded from the first answer when it says so', [degraded], 'degraded'],
    ['is unhealthy at the third failure in a row', [ok, bad, bad, bad], 'unhealthy'],
    ['is not unhealthy when the failures are not in a row', [ok, bad, bad, ok, bad, bad], 'degraded'],
    ['is degraded after one success when it was unhealthy', [ok, bad, bad, bad, ok], 'degraded'],
    ['is healthy after two successes in a row when it was unhealthy', [ok, bad, bad, bad, ok, ok], 'healthy'],
    ['stays unhealthy while it fails', [ok, bad, bad, bad, bad], 'unhealthy'],
    ['leaves unhealthy when it says degraded', [ok, bad, bad, bad, degraded], 'degraded'],
    ['stays degraded while it says so, however often', [ok, degraded, degraded, degraded], 'degraded'],
    [
      'flaps between healthy and degraded without ever being unhealthy',
      [ok, bad, ok, ok, bad, ok, ok],
      'healthy',
    ],
    ['is not moved by a failure of our own', [ok, blind, blind, blind, blind], 'healthy'],
    ['is not judged by a number of failures before its first success', [bad, bad, bad, bad], 'unknown'],
  ])('%s', (_says, results, state) => {
    expect(after(results).state).toBe(state);
  });

  it('is unhealthy when its healthy deadline passed without a success, counted from when we could see it', () => {
    const starting = after([mute, mute, mute], NOW + SECOND);
    expect(after([bad], NOW + 120 * SECOND, starting).state).toBe('unknown');
    expect(after([bad], NOW + 121 * SECOND, starting).state).toBe('unhealthy');
    expect(after([bad], NOW + 500 * SECOND).state, 'we have only just come').toBe('unknown');
  });
});

describe('every transition', () => {
  const ok = answer();
  const ways: Record<string, readonly ProbeResult[]> = {
    unknown: [],
    healthy: [ok],
    'degraded by failing': [ok, bad],
    'degraded by its word': [ok, degraded],
    'degraded and getting better': [ok, bad, bad, bad, ok],
    'degraded and nearly down': [ok, bad, bad],
    unhealthy: [ok, bad, bad, bad],
  };

  it.each([
    ['unknown', 'healthy', 'degraded', 'unknown', 'unknown'],
    ['healthy', 'healthy', 'degraded', 'degraded', 'healthy'],
    ['degraded by failing', 'degraded', 'degraded', 'degraded', 'degraded'],
    ['degraded by its word', 'degraded', 'degraded', 'degraded', 'degraded'],
    ['degraded and getting better', 'healthy', 'degraded', 'degraded', 'degraded'],
    ['degraded and nearly down', 'degraded', 'degraded', 'unhealthy', 'degraded'],
    ['unhealthy', 'degraded', 'degraded', 'unhealthy', 'unhealthy'],
  ])('from %s: ok -> %s, degraded -> %s, failed -> %s, ours -> %s', (from, ...to) => {
    const before = ways[from] ?? [];
    const reached = [ok, degraded, bad, blind].map((last) => after([...before, last]).state);
    expect(reached).toEqual(to);
  });

  it('with a failure_threshold of 1 is from healthy to unhealthy at once', () => {
    const strict = { ...health, failureThreshold: 1 };
    const now = NOW + 60 * SECOND;
    const asked = { settings: strict, startsWithinSeconds, now, askedAt: now };
    expect(feel(after([ok]), bad, asked).state).toBe('unhealthy');
  });

  it('by a stale timestamp and by silence are the same', () => {
    const stale = answer({ outcome: 'failed', reason: 'stale' });
    expect(after([ok, stale, stale, stale])).toMatchObject({
      state: 'unhealthy',
      silent: false,
      reason: 'stale',
    });
    expect(after([ok, mute, mute, mute])).toMatchObject({ state: 'unhealthy', silent: true });
  });

  it('down and well in turns, at every length below the threshold, is never unhealthy', () => {
    for (const failures of [1, 2])
      for (const successes of [1, 2, 3]) {
        const turn = [
          ...Array.from({ length: failures }, () => bad),
          ...Array.from({ length: successes }, () => ok),
        ];
        const states = Array.from(
          { length: 20 },
          (_, n) => after([ok, ...turn, ...turn, ...turn].slice(0, n + 1)).state,
        );
        expect(states).not.toContain('unhealthy');
      }
  });
});

describe('when the clock was set back', () => {
  it('health that began in the future begins now, and a start in the future was long ago', () => {
    const before = after([answer({ activeSessions: 0, activeRequests: 0 })], NOW + 3_600 * SECOND);
    const now = NOW + 60 * SECOND;
    const asked = { settings: health, startsWithinSeconds, now, askedAt: now };
    const pulse = feel(before, answer({ activeSessions: 0, activeRequests: 0 }), asked);
    expect(pulse).toMatchObject({ healthySince: now, seenSince: now, quietSince: now, state: 'healthy' });
  });
});

describe('what is known of an instance', () => {
  it('healthy since, until it is not', () => {
    expect(after([answer(), answer()]).healthySince).toBe(NOW + 60 * SECOND);
    expect(after([answer(), bad]).healthySince).toBeNull();
  });

  it('a failure of our own ends our sight and says nothing of it', () => {
    const pulse = after([answer(), blind]);
    expect(pulse).toMatchObject({ fresh: false, seenSince: null, lastOk: true, failures: 0, silent: false });
    expect(after([answer(), blind, answer()]).seenSince).toBe(NOW + 62 * SECOND);
  });

  it('silence is told apart from a bad answer', () => {
    expect(after([answer(), mute]).silent).toBe(true);
    expect(after([answer(), bad]).silent).toBe(false);
  });

  it('who falls silent is told apart from who never answered since its start', () => {
    expect(after([mute, mute]).silentSince).toBeNull();
    expect(after([bad, mute]).silentSince).toBeNull();
    const first = NOW + 61 * SECOND - 10;
    expect(after([answer(), mute]).silentSince).toBe(first);
    expect(after([answer(), mute, blind, mute, mute, mute, mute]).silentSince).toBe(first);
    expect(after([answer(), mute, answer()]).silentSince).toBeNull();
    expect(after([answer(), mute, bad]).silentSince).toBeNull();
  });

  it('it is idle when two looks 5 s apart found nothing; not reported counts as busy', () => {
    const quiet = answer({ activeSessions: 0, activeRequests: 0 });
    expect(after([quiet, quiet]).idleSince).toBeNull();
    expect(after([quiet, quiet, quiet, quiet, quiet, quiet]).idleSince).toBe(NOW + 60 * SECOND);
    expect(
      after([quiet, quiet, quiet, quiet, quiet, quiet, answer({ activeSessions: 1, activeRequests: 0 })])
        .idleSince,
    ).toBeNull();
    expect(after(Array.from({ length: 9 }, () => answer())).idleSince).toBeNull();
  });

  it('the version it last reported is kept', () => {
    expect(after([answer({ reportedVersion: '1.0.0', versionOk: true }), bad])).toMatchObject({
      reportedVersion: '1.0.0',
      versionOk: null,
    });
  });
});

describe('after our own restart', () => {
  it('what was remembered stands, but is not fresh (T4)', () => {
    const seeded = seedPulse(one, { state: 'unhealthy', at: NOW + 5, was: true });
    expect(seeded).toMatchObject({ state: 'unhealthy', fresh: false, wasHealthy: true, startedAt: NOW });
  });

  it('who lay down before is not taken for one that falls silent now', () => {
    const seeded = seedPulse(one, { state: 'unhealthy', at: NOW + 5, was: true });
    expect(after([mute, mute], NOW + 60 * SECOND, seeded).silentSince).toBe(NOW + 5);
  });

  it('what was remembered of an earlier start is void', () => {
    expect(seedPulse(one, { state: 'unhealthy', at: NOW - 5, was: true })).toMatchObject({
      state: 'unknown',
      wasHealthy: false,
    });
  });
});

describe('the next question comes', () => {
  const at = (pulse: Pulse, change: Partial<Parameters<typeof nextCheckAt>[0]> = {}) =>
    nextCheckAt({
      ...{ pulse, settings: health, startsWithinSeconds, draining: false, askAt: null, spread: 0, now: NOW },
      ...change,
    });
  const asked = NOW + 60 * SECOND - 10;

  it('at once, a little spread, when it was never asked', () => {
    expect(at(seedPulse(one, null), { spread: 0.5 })).toBe(NOW + 500);
  });

  it('as soon as a soak is over that waits for it, and at its place again once it was asked since', () => {
    const well = after([answer()]);
    expect(at(well, { askAt: asked + 3 * SECOND })).toBe(asked + 3 * SECOND + 20);
    expect(at(well, { askAt: asked - SECOND })).toBe(at(well));
    expect(at(well, { askAt: asked + 90 * SECOND })).toBe(at(well));
  });

  it('every second while it starts, and less often when it did not start in time', () => {
    expect(at(after([mute]))).toBe(asked + SECOND);
    expect(at(after([degraded]))).toBe(asked + 5 * SECOND);
    expect(at(after([mute]), { now: NOW + 500 * SECOND })).toBe(asked + 5 * SECOND);
  });

  it('at its own place in the interval when it is well, a little before it is over, whenever it was asked in between', () => {
    const pace = 28.5 * SECOND;
    const places = [0, 0.25, 0.9].map((spread) => {
      const times = [1, 7, 22, 29].map((second) => {
        const pulse = { ...after([answer()]), lastCheckAt: NOW + second * SECOND };
        const next = at(pulse, { spread });
        expect(next - pulse.lastCheckAt).toBeGreaterThan(0);
        expect(next - pulse.lastCheckAt).toBeLessThanOrEqual(pace + 20);
        return next % pace;
      });
      return [...new Set(times)];
    });
    expect(places).toEqual([[0], [7_125], [25_650]]);
    const early = { ...after([answer()]), lastCheckAt: NOW - (NOW % pace) - 1 };
    expect(at(early), 'a timer that fired too early asks not twice').toBe(early.lastCheckAt + pace + 1);
  });

  it('so that a hang right after a check is seen within 45 s with the defaults, though each question begins and ends a fifth of a second late', () => {
    const [lag, pace] = [SECOND / 5, 28.5 * SECOND];
    const justAsked = { spread: (NOW % pace) / pace };
    let pulse: Pulse = { ...after([answer()]), lastCheckAt: NOW };
    let now = NOW;
    while (pulse.state !== 'unhealthy') {
      const askedAt = Math.max(at(pulse, { now, ...justAsked }), now) + lag;
      now = askedAt + health.timeoutSeconds * SECOND + lag;
      pulse = feel(pulse, mute, { settings: health, startsWithinSeconds, now, askedAt });
    }
    expect((now - NOW) / SECOND).toBeGreaterThan(44);
    expect((now - NOW) / SECOND).toBeLessThanOrEqual(45);
  });

  it('soon after a failure, and while its drain waits for idleness', () => {
    expect(at(after([answer(), bad]))).toBe(asked + SECOND + 5 * SECOND);
    expect(at(after([answer(), blind]))).toBe(asked + SECOND + 5 * SECOND);
    expect(at(after([answer()]), { draining: true })).toBe(asked + 5 * SECOND);
  });
});
