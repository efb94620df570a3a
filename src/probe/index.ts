import type { Clock } from '../lib/clock.ts';
import { createDockerProbe } from './docker.ts';
import { HttpProbe } from './http.ts';
import type { Probe, ProbeKind } from './probe.ts';
export { discreet } from './discreet.ts';
import { told } from './listening.ts';
import { createTcpProbe } from './tcp.ts';

/** Every kind of probe in one. A new kind is a new line here. */
export function createProbe({ clock }: { readonly clock: Clock }): Probe {
  const kinds = new Map<string, ProbeKind<never>>([
    ['http', new HttpProbe(clock)],
    ['tcp', createTcpProbe(clock)],
    ['docker', createDockerProbe()],
  ]);
  return {
    async check(probe, target, timeoutMs, signal) {
      const [[name, settings] = ['', {}]] = Object.entries(probe);
      const kind = kinds.get(name);
      if (kind === undefined) throw new Error(`there is no probe kind "${name}"`);
      return told(await kind.check(settings as never, target, timeoutMs, signal), target);
    },
    forget: (container) => kinds.forEach((kind) => kind.forget?.(container)),
  };
}
