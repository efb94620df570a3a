import type { Instance } from '../model/observed.ts';
import type { ProbeTarget } from '../probe/probe.ts';

/** How probes and readers reach an instance. */
export interface Reaching {
  /** `container` when we run in a container on `mcp-network` ourselves. */
  readonly reach: 'host' | 'container';
  /** The host in endpoint URLs; null: where the port is published. */
  readonly advertise: string | null;
}

/** The host base URL of an instance, as in the status; null while it publishes nothing. */
export function urlOf(instance: Instance, { advertise }: Reaching): string | null {
  const { hostAddress } = instance;
  return hostAddress === null ? null : `http://${advertise ?? hostAddress.host}:${hostAddress.port}`;
}

export function targetOf(instance: Instance, { reach }: Reaching): ProbeTarget {
  return {
    container: instance.id,
    server: instance.server,
    address: reach === 'container' ? instance.containerAddress : instance.hostAddress,
    engineHealth: instance.engineHealth,
    healthcheckFailure: instance.healthcheckFailure,
    inside: insideOf(instance),
    version: instance.spec?.settings.version ?? null,
  };
}

const insideOf = ({ pid, spec }: Instance): NonNullable<ProbeTarget['inside']> | null =>
  pid === null || spec === null ? null : { pid, port: spec.port };
