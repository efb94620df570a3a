import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../model/failure.ts';
import type { Clock } from '../lib/clock.ts';
import type { GitSettings } from './git-command.ts';

export interface Access {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A file with a token, or with `user:password`; read at each use, so that a rotated one is taken up. */
  readonly tokenFile: string | null;
  readonly sshKey: string | null;
  /** Where host keys seen for the first time are kept. */
  readonly knownHosts: string;
  readonly clock: Clock;
}

/** The settings to speak to a remote with. Rejects with `source_denied` when the token cannot be read. */
export async function settingsFor(url: string, login: string | null, access: Access): Promise<GitSettings> {
  return {
    ...{ environment: access.environment, clock: access.clock },
    protocols: 'https:http:ssh:git',
    sshCommand: sshCommand(access),
    header: await headerFor(url, login, access.tokenFile),
  };
}

/** Reading what is on this machine: no protocol at all, so nothing can make git call out. */
export const settingsForReading = ({
  environment,
  clock,
}: Pick<Access, 'environment' | 'clock'>): GitSettings => ({
  ...{ environment, clock },
  protocols: 'none',
  sshCommand: null,
  header: null,
});

async function headerFor(
  url: string,
  login: string | null,
  file: string | null,
): Promise<GitSettings['header']> {
  if (!/^https?:/.test(url)) return null;
  const token = file === null ? login : await readToken(file);
  if (token === null) return null;
  const { origin, protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !isLoopback(hostname)) throw inTheClear(origin);
  return { origin, value: `Authorization: Basic ${Buffer.from(asLogin(token)).toString('base64')}` };
}

/** GitHub asks for this user name; GitLab, Gitea and others take any. */
const asLogin = (token: string): string => (token.includes(':') ? token : `x-access-token:${token}`);

const isLoopback = (host: string): boolean => /^(localhost|127\.[\d.]+|\[::1\])$/.test(host);

async function readToken(file: string): Promise<string> {
  const token = await readFile(file, 'utf8').catch((error: unknown) => {
    throw badToken(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  });
  if (!/^[\x21-\x7e]+$/.test(token.trim())) throw badToken('does not hold one token');
  return token.trim();
}

const badToken = (what: string): Failure =>
  new Failure('source_denied', `the file of --git-token-file ${what}`, {
    suggestedAction: 'Put the token alone into that file and let the orchestrator read it.',
  });

const inTheClear = (origin: string): Failure =>
  new Failure('source_denied', `a token is not sent in the clear to ${origin}`, {
    suggestedAction: 'Use https in --manifest.',
  });

/**
 * Host keys: one seen for the first time is kept (`accept-new`), a changed one is refused. Our own list comes first
 * because it is written to; the person's own is believed too.
 */
function sshCommand(access: Access): string {
  const home = access.environment['HOME'];
  const known = [access.knownHosts, ...(home === undefined ? [] : [join(home, '.ssh', 'known_hosts')])];
  const options = [
    'BatchMode=yes',
    'ConnectTimeout=10',
    'ServerAliveInterval=5',
    'ServerAliveCountMax=2',
    'StrictHostKeyChecking=accept-new',
    `UserKnownHostsFile=${known.map((file) => `"${file}"`).join(' ')}`,
  ];
  const key = access.sshKey === null ? [] : ['-i', access.sshKey, '-o', 'IdentitiesOnly=yes'];
  return ['ssh', ...options.flatMap((option) => ['-o', option]), ...key].map(quoted).join(' ');
}

const quoted = (word: string): string =>
  /^[\w=./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
