import { isoSeconds } from '../../lib/time.ts';
import type { Instance } from '../../model/observed.ts';
import type { EndpointRecord } from '../../model/status.ts';
import { drainLimits } from '../decide/drain.ts';
import { drainBegan, type Case, type Seen } from '../decide/words.ts';

/** The live one while it runs and does not drain: new sessions go there. */
export function activeOf(c: Case): Seen | null {
  return c.live?.running && !isDraining(c, c.live) ? c.live : null;
}

/** A promotion calls a drain off as soon as it is meant: nobody is without an address until it is done. */
function isDraining(c: Case, seen: Seen): boolean {
  const began = drainBegan(c, seen);
  const { promoted } = c.view.memory;
  return began !== null && !(promoted?.container === seen.instance.id && promoted.at > began);
}

/** Where new sessions go from the host. */
export function urlsOf(c: Case, advertise: string | null) {
  const active = activeOf(c);
  const url = active === null ? null : hostUrl(active.instance, advertise);
  return { url, ...pathsOf(url, active?.instance ?? null) };
}

/** Every running copy that answers, may still answer, or is about to. The active one first. */
export function endpointsOf(c: Case, advertise: string | null): EndpointRecord[] {
  const running = c.seen.filter((seen) => seen.running && (seen.joined || seen === c.cand));
  const activeFirst = [...running].sort((a, b) => Number(b === c.live) - Number(a === c.live));
  return activeFirst.map((seen) => endpointOf(c, seen, advertise));
}

function endpointOf(c: Case, seen: Seen, advertise: string | null): EndpointRecord {
  const { instance } = seen;
  const url = hostUrl(instance, advertise);
  const inside = containerUrl(instance);
  const began = drainBegan(c, seen);
  const role = seen === activeOf(c) ? 'active' : seen.joined ? 'draining' : 'candidate';
  return {
    instance: instance.instance,
    role,
    transport: instance.spec?.settings.transport ?? c.settings.transport,
    url,
    ...pathsOf(url, instance),
    container_url: inside,
    container_mcp_url: pathsOf(inside, instance).mcp_url,
    ...(began === null || role === 'active' ? {} : { drain_deadline: deadlineOf(c, began) }),
  };
}

const deadlineOf = (c: Case, began: number): string =>
  isoSeconds(drainLimits(c, Math.max(began, c.view.bootAt)).most);

function pathsOf(url: string | null, instance: Instance | null) {
  const settings = instance?.spec?.settings;
  if (url === null || settings === undefined) return { mcp_url: null, health_url: null };
  const { probe } = settings.health;
  return {
    mcp_url: settings.transport === 'stdio' ? null : url + settings.path,
    health_url: 'http' in probe ? url + probe.http.endpoint : null,
  };
}

function hostUrl({ hostAddress }: Instance, advertise: string | null): string | null {
  if (hostAddress === null) return null;
  const published = ['0.0.0.0', '::', ''].includes(hostAddress.host) ? '127.0.0.1' : hostAddress.host;
  return `http://${bracketed(advertise ?? published)}:${hostAddress.port}`;
}

/** Reached by its alias, whatever somebody renamed the container to. */
const containerUrl = ({ server, instance, spec }: Instance): string | null =>
  spec === null ? null : `http://${server}-${instance}:${spec.port}`;

const bracketed = (host: string): string =>
  host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
