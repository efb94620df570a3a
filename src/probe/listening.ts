import { readFile } from 'node:fs/promises';
import type { ProbeResult, ProbeTarget } from './probe.ts';

/**
 * Says of a server that could not be reached whether it listens inside its container, where nobody else reaches it: it is
 * the commonest mistake of all, and looks like a server that is not there. Seen from the kernel's own list of sockets, where
 * the engine runs on this machine; elsewhere the result stays as it is.
 */
export async function told(result: ProbeResult, target: ProbeTarget): Promise<ProbeResult> {
  const { inside = null, container } = target;
  if (inside === null || !result.silent || !unreached.has(result.reason)) return result;
  const places = await listeningAt(inside, container);
  if (places.length === 0 || !places.every(isLoopback)) return result;
  return {
    ...result,
    reason: 'listens_on_loopback',
    departures: [`it listens on 127.0.0.1:${inside.port} inside its container, where nobody else reaches it`],
  };
}

/** The engine's proxy takes each connection and hangs up where nobody listens behind it; without a proxy it is refused. */
const unreached: ReadonlySet<string> = new Set(['closed', 'refused']);

/** The addresses on which something listens on the port, as the kernel writes them; none where it cannot be seen. */
async function listeningAt(
  { pid, port }: { readonly pid: number; readonly port: number },
  container: string,
): Promise<readonly string[]> {
  // In a container ourselves, or with an engine elsewhere, the number is that of another process.
  const groups = await readOr(`/proc/${pid}/cgroup`);
  if (container === '' || !groups.includes(container)) return [];
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readOr(`/proc/${pid}/net/${table}`)));
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return tables
    .flatMap((table) => table.split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === LISTENS && local.endsWith(suffix))
    .map(([, local = '']) => local.slice(0, -suffix.length));
}

const LISTENS = '0A';

/** 127.0.0.0/8, ::1, and the first written as the second, in the byte order of most machines. */
const isLoopback = (address: string): boolean =>
  /^(0000000000000000FFFF0000)?[0-9A-F]{6}7F$/.test(address) || address === `${'0'.repeat(24)}01000000`;

/** It may be gone by now, or be nothing that we may see: then there is nothing to tell. */
const readOr = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');
