import { BlockList, isIP } from 'node:net';
import { ownValue } from '../lib/own-value.ts';
import { isLoopback } from './reference.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an address, as the Docker Engine chooses one (Go's rules): HTTPS_PROXY or HTTP_PROXY, in capitals before
 * small letters, NO_PROXY (names with all that ends in them, `.suffix`, `*.suffix`, addresses, CIDR ranges, ports, `*`),
 * and never for this machine. null: none. A proxy that is no address is an error of type TypeError.
 */
export function proxyFor(url: URL, env: Environment): URL | null {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = valueOf(env, name);
  if (proxy === '' || isLoopback(url.hostname)) return null;
  if (isExcluded(url, valueOf(env, 'NO_PROXY'))) return null;
  return new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`);
}

const valueOf = (env: Environment, name: string): string =>
  (ownValue(env, name) || ownValue(env, name.toLowerCase()) || '').trim();

function isExcluded(url: URL, list: string): boolean {
  const host = bare(url.hostname.toLowerCase()).replace(/\.$/, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const words = list
    .toLowerCase()
    .split(',')
    .map((word) => word.trim());
  return words.some((word) => word !== '' && (word === '*' || fits(word, { host, port })));
}

interface Target {
  readonly host: string;
  readonly port: string;
}

function fits(word: string, { host, port }: Target): boolean {
  if (word.includes('/')) return isInRange(host, word);
  const [, name = word, wantedPort = ''] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(word) ?? [];
  if (wantedPort !== '' && wantedPort !== port) return false;
  const wanted = bare(name);
  if (isIP(wanted) !== 0) return sameAddress(host, wanted);
  const suffix = wanted.replace(/^\*\./, '.');
  if (suffix === '' || suffix === '.') return false;
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

/** `10.0.0.0/8`, `fd00::/8`. */
export function isInRange(address: string, range: string): boolean {
  const [network = '', prefix = ''] = range.split('/');
  const [kind, other] = [isIP(bare(network)), isIP(bare(address))];
  const longest = kind === 4 ? 32 : 128;
  if (kind === 0 || kind !== other || !/^\d{1,3}$/.test(prefix) || Number(prefix) > longest) return false;
  const family = kind === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(bare(network), Number(prefix), family);
  return list.check(bare(address), family);
}

const sameAddress = (host: string, wanted: string): boolean =>
  isInRange(host, `${wanted}/${isIP(wanted) === 4 ? 32 : 128}`);

/** `[::1]` -> `::1`. */
const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');
