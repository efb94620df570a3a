import type { ProbeKind, ProbeResult, ProbeTarget } from './probe.ts';
import { failed, healthy, unknown } from './result.ts';

/** Believes the image's own HEALTHCHECK, as last seen at the engine. */
export function createDockerProbe(): ProbeKind<unknown> {
  return {
    check: async (_settings, { engineHealth, healthcheckFailure = null }) =>
      engineHealth === 'unhealthy' && healthcheckFailure !== null
        ? cannotRun(healthcheckFailure)
        : results[engineHealth ?? 'none'],
  };
}

/** That is no sickness of the server: nobody has asked it. */
const cannotRun = (why: string): ProbeResult => ({
  ...failed('healthcheck_not_run', false),
  departures: [`the HEALTHCHECK of the image could not be run: ${why}`],
});

/** An image without a HEALTHCHECK can never be well by this kind: the entry asks for what the image does not have. */
const results: Readonly<Record<NonNullable<ProbeTarget['engineHealth']> | 'none', ProbeResult>> = {
  unseen: unknown('engine_unseen'),
  starting: unknown('engine_starting'),
  healthy: healthy(),
  unhealthy: failed('engine_unhealthy', false),
  none: { ...failed('no_healthcheck', false), departures: ['the image has no HEALTHCHECK'] },
};
