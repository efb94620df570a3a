import { ownValue } from '../../lib/own-value.ts';
/** A flag of `docker run` by its long name, and what it was given. */
export interface DockerFlag {
  readonly name: string;
  readonly value: string;
}

export interface DockerRun {
  readonly flags: readonly DockerFlag[];
  /** The image and its arguments. */
  readonly rest: readonly string[];
  /** A flag that may take the next word or not: nobody here knows. Nothing behind it was read. */
  readonly unknown: string | null;
}

/** Reads what stands behind `docker run`, as Docker does: flags come before the image, and all that follows is the image's. */
export function readDockerRun(words: readonly string[]): DockerRun {
  const flags: DockerFlag[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') return { flags, rest: words.slice(at + 1), unknown: null };
    if (!word.startsWith('-') || word === '-') return { flags, rest: words.slice(at), unknown: null };
    const read = word.startsWith('--') ? longFlag(word) : shortFlags(word);
    if (read === null) return { flags, rest: [], unknown: word.split('=')[0] ?? word };
    flags.push(...read.flags);
    if (read.wants !== null) flags.push({ name: read.wants, value: words[(at += 1)] ?? '' });
  }
  return { flags, rest: [], unknown: null };
}

interface Read {
  readonly flags: readonly DockerFlag[];
  /** The flag whose value is the next word. */
  readonly wants: string | null;
}

function longFlag(word: string): Read | null {
  const [name = '', value] = word.slice(2).split(/=(.*)/s);
  if (alone.has(name)) return { flags: [{ name, value: value ?? 'true' }], wants: null };
  if (!valued.has(name)) return null;
  return value === undefined ? { flags: [], wants: name } : { flags: [{ name, value }], wants: null };
}

/** `-it`, `-dp8080:80`, `-e KEY`: letters that stand alone, and at most one with a value, which ends the word. */
function shortFlags(word: string): Read | null {
  const flags: DockerFlag[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const name = ownValue(letters, word[at] ?? '');
    if (name === undefined) return null;
    const rest = word.slice(at + 1).replace(/^=/, '');
    if (!alone.has(name))
      return rest === '' ? { flags, wants: name } : { flags: [...flags, { name, value: rest }], wants: null };
    flags.push({ name, value: 'true' });
  }
  return { flags, wants: null };
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const alone: ReadonlySet<string> = new Set(
  words(`detach disable-content-trust help init interactive no-healthcheck oom-kill-disable privileged
    publish-all quiet read-only rm sig-proxy tty use-api-socket`),
);

const valued: ReadonlySet<string> = new Set(
  words(`add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns
    cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus
    cpuset-mems detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps
    device-write-iops dns dns-opt dns-option dns-search domainname entrypoint env env-file expose gpus group-add
    health-cmd health-interval health-retries health-start-interval health-start-period health-timeout hostname
    io-maxbandwidth io-maxiops ip ip6 ipc isolation kernel-memory label label-file link link-local-ip log-driver
    log-opt mac-address memory memory-reservation memory-swap memory-swappiness mount name net net-alias network
    network-alias oom-score-adj pid pids-limit platform publish pull restart runtime security-opt shm-size
    stop-signal stop-timeout storage-opt sysctl tmpfs ulimit user userns uts volume volume-driver volumes-from
    workdir`),
);

const letters: Readonly<Record<string, string>> = {
  ...{ a: 'attach', c: 'cpu-shares', d: 'detach', e: 'env', h: 'hostname', i: 'interactive', l: 'label' },
  ...{ m: 'memory', P: 'publish-all', p: 'publish', q: 'quiet', t: 'tty', u: 'user', v: 'volume' },
  w: 'workdir',
};
