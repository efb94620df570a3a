import { access, constants, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run, searchPath } from './commands.ts';

/** Which Debian package brings which program. */
const packageOf: Readonly<Record<string, string>> = {
  dockerd: 'docker.io',
  'docker-registry': 'docker-registry',
  iptables: 'iptables', // the engine's own name server inside containers is set up with it
  ip: 'iproute2',
  'mkfs.ext4': 'e2fsprogs',
  ps: 'procps',
  'systemd-analyze': 'systemd',
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  unshare: 'util-linux',
};
const policyFile = '/usr/sbin/policy-rc.d';

/**
 * Makes sure that these programs are there: what is missing is installed as root on Debian, and `say` is told the command.
 * Anywhere else it throws with the command that a person would type.
 */
export async function bring(programs: readonly string[], say: (line: string) => void): Promise<void> {
  const absent = await missing(programs);
  if (absent.length === 0) return;
  if (await canInstall()) return install(absent, say);
  throw new Error(`${absent.join(', ')} not found; as root on Debian: ${installCommand(absent)}`);
}

/** The programs among `programs` that are not on this machine. */
async function missing(programs: readonly string[]): Promise<string[]> {
  const found = await Promise.all(programs.map(isInstalled));
  return programs.filter((_, position) => found[position] !== true);
}

/** True where packages can be installed without asking anybody: root on Debian or a descendant. */
async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await isInstalled('apt-get'));
}

const installCommand = (programs: readonly string[]): string =>
  `apt-get install --no-install-recommends ${programs.map(packageFor).join(' ')}`;

/** Throws when apt-get fails. */
async function install(programs: readonly string[], say: (line: string) => void): Promise<void> {
  const packages = programs.map(packageFor);
  await withoutServiceStarts(async () => {
    const args = ['install', '-y', '--no-install-recommends', ...packages];
    await apt(args, say).catch(async () => {
      await apt(['update'], say);
      await apt(args, say);
    });
  });
}

function packageFor(program: string): string {
  return packageOf[program] ?? program;
}

async function apt(args: readonly string[], say: (line: string) => void): Promise<void> {
  say(`apt-get ${args.join(' ')}`);
  // The lock timeout lets two runs on one machine wait for one another.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { deadlineMs: 300_000, env });
}

/** The packages would start a system-wide engine and registry; nobody asked for those, and without a service manager it fails. */
async function withoutServiceStarts(work: () => Promise<void>): Promise<void> {
  const ours = await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  try {
    await work();
  } finally {
    if (ours) await rm(policyFile, { force: true });
  }
}

async function isInstalled(program: string): Promise<boolean> {
  const looks = searchPath()
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => access(join(folder, program), constants.X_OK));
  return Promise.any(looks).then(
    () => true,
    () => false,
  );
}
