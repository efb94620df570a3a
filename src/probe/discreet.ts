import type { ProbeResult } from '../model/observed.ts';
import type { Probe } from './probe.ts';

/** A server may repeat in its answers what it was given: nothing of that goes any further. */
export function discreet(probe: Probe, scrub: (text: string) => string): Probe {
  return {
    async check(settings, target, timeoutMs, signal) {
      return withoutSecrets(await probe.check(settings, target, timeoutMs, signal), scrub);
    },
    forget: (container) => probe.forget?.(container),
  };
}

function withoutSecrets(result: ProbeResult, scrub: (text: string) => string): ProbeResult {
  const { checks, departures, reportedVersion: version } = result;
  return {
    ...result,
    checks: Object.fromEntries(Object.entries(checks).map(([name, state]) => [scrub(name), state])),
    departures: departures.map(scrub),
    reportedVersion: version && scrub(version).replaceAll(unlikeVersions, '_'),
  };
}

/** It is shown to people as a part of a reason. */
const unlikeVersions = /[^\w.+*-]/g;
