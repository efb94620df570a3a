import { run } from './commands.ts';
import type { NetworkLease } from './record.ts';

const firstBlock = 96;
const blocks = 64;

/**
 * Takes a bridge and a block of addresses that no other engine on this machine has. All engines of a machine share
 * its interfaces, so the default `docker0` would be taken from the first by the second; making the link is the lock.
 */
export async function leaseNetwork(): Promise<NetworkLease> {
  const routes = await run('ip', ['-4', 'route', 'show', 'table', 'all']);
  const start = Math.floor(Math.random() * blocks);
  for (let step = 0; step < blocks; step += 1) {
    const lease = leaseOf(firstBlock + ((start + step) % blocks));
    if (!routes.includes(`${lease.prefix}.`) && (await makeBridge(lease))) return lease;
  }
  throw new Error(
    'all address blocks for private engines are taken: remove links that `ip link` shows as mcpo-*',
  );
}

/** What dockerd must be told to stay inside its lease. It leaves firewall and forwarding of the machine alone. */
export function networkArguments(lease: NetworkLease): string[] {
  return [
    ...['--bridge', lease.bridge, '--default-address-pool', `base=${lease.prefix}.128.0/17,size=24`],
    // Firewall chains have fixed names: a second engine would flush those of the first, and both leave them behind.
    // Published ports go through docker-proxy, and containers meet on their bridge, without any rule.
    ...['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
    // So nothing answers outside: a name that no container has fails after a second instead of half a minute.
    ...['--dns-opt', 'timeout:1', '--dns-opt', 'attempts:1'],
  ];
}

/** Deletes every link with an address of the lease, the networks that the engine was asked to make included. */
export async function releaseNetwork(lease: NetworkLease): Promise<void> {
  const links = JSON.parse(await run('ip', ['-j', '-4', 'addr', 'show'])) as IpLink[];
  const ours = links.filter((link) =>
    link.addr_info.some(({ local }) => local?.startsWith(`${lease.prefix}.`)),
  );
  const names = new Set([...ours.map(({ ifname }) => ifname), lease.bridge]);
  for (const name of names) await run('ip', ['link', 'delete', name]).catch(() => undefined);
}

interface IpLink {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local?: string }[];
}

function leaseOf(block: number): NetworkLease {
  return { bridge: `mcpo-${block}`, prefix: `10.${block}` };
}

async function makeBridge({ bridge, prefix }: NetworkLease): Promise<boolean> {
  try {
    await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  } catch (error) {
    if (String(error).includes('File exists')) return false;
    throw error;
  }
  await run('ip', ['addr', 'add', `${prefix}.0.1/24`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
  return true;
}
