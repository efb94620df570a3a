import { readFile } from 'node:fs/promises';
import { run } from './commands.ts';
import { askEngine } from './engine-call.ts';
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

/**
 * What dockerd must be told to stay inside its lease. It leaves firewall and forwarding of the machine alone. `again`: it
 * ran before, and knows its networks.
 */
export async function networkArguments(lease: NetworkLease, again: boolean): Promise<string[]> {
  const pool = ['--default-address-pool', `base=${lease.prefix}.128.0/17,size=24`];
  return [
    // Told of a pool, a dockerd that starts again deletes `docker0`, whose ever that is: networks made from then on have
    // other addresses, and are told by the engine.
    ...['--bridge', lease.bridge, ...(again && (await hasDocker0()) ? [] : pool)],
    // Firewall chains have fixed names: a second engine would flush those of the first, and both leave them behind.
    // Published ports go through docker-proxy, and containers meet on their bridge, without any rule.
    ...['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
    // So nothing answers outside: a name that no container has fails after a second instead of half a minute.
    ...['--dns-opt', 'timeout:1', '--dns-opt', 'attempts:1'],
  ];
}

/**
 * Where bridged traffic is filtered, as on any machine on which a Docker has run, containers of one bridge cannot meet if
 * forwarding is denied: what stays inside the lease is let through. Throws with one sentence where that cannot be done.
 */
export async function letContainersMeet(lease: NetworkLease): Promise<void> {
  const filters = await readFile('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').catch(() => '0');
  if (filters.trim() !== '1') return;
  for (const program of await firewalls()) {
    if (await succeeds(program, ['--check', ...ruleOf(lease)])) continue;
    await run(program, ['--wait', '10', '--insert', ...ruleOf(lease)]).catch((error: unknown) => {
      throw new Error(
        `bridged traffic is filtered here (bridge-nf-call-iptables=1), and ${program} takes no rule of ours: ` +
          `set that to 0, or allow forwarding; ${String(error)}`,
      );
    });
  }
}

/** Links of the networks that an engine made, which need not have an address of its lease. None when it does not answer. */
export async function linksOfNetworks(socket: string): Promise<string[]> {
  const { text } = await askEngine(socket, '/networks', { deadlineMs: 3_000 });
  const networks = JSON.parse(text) as readonly {
    readonly Id: string;
    readonly Name: string;
    readonly Driver: string;
  }[];
  const made = networks.filter(({ Driver, Name }) => Driver === 'bridge' && Name !== 'bridge');
  return made.map(({ Id }) => `br-${Id.slice(0, 12)}`);
}

/** Deletes every link with an address of the lease, the networks that the engine was asked to make included, and `more`. */
export async function releaseNetwork(lease: NetworkLease, more: readonly string[]): Promise<void> {
  for (const program of await firewalls())
    await succeeds(program, ['--wait', '10', '--delete', ...ruleOf(lease)]);
  const links = JSON.parse(await run('ip', ['-j', '-4', 'addr', 'show'])) as IpLink[];
  const ours = links.filter((link) =>
    link.addr_info.some(({ local }) => local?.startsWith(`${lease.prefix}.`)),
  );
  const names = new Set([...ours.map(({ ifname }) => ifname), ...more, lease.bridge]);
  for (const name of names) await run('ip', ['link', 'delete', name]).catch(() => undefined);
}

interface IpLink {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local?: string }[];
}

/** Seen where this process is, which `/sys` does not always show. */
const hasDocker0 = async (): Promise<boolean> =>
  (await readFile('/proc/net/dev', 'utf8')).includes('docker0:');

const ruleOf = ({ prefix }: NetworkLease): string[] => [
  'FORWARD',
  ...['--source', `${prefix}.0.0/16`, '--destination', `${prefix}.0.0/16`, '--jump', 'ACCEPT'],
];

/** A packet has to pass the tables of either kind; the older ones are asked only where they are in use. */
async function firewalls(): Promise<string[]> {
  const older = await readFile('/proc/net/ip_tables_names', 'utf8').catch(() => '');
  const both = older.includes('filter') && (await succeeds('iptables-legacy', ['--version']));
  return both ? ['iptables', 'iptables-legacy'] : ['iptables'];
}

const succeeds = (program: string, args: readonly string[]): Promise<boolean> =>
  run(program, args).then(
    () => true,
    () => false,
  );

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
