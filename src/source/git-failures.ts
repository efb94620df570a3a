import { Scrubber } from '../lib/scrub.ts';
import { Failure, type FailureCode } from '../model/failure.ts';
import { maskLogins } from './login.ts';

interface Explanation {
  readonly pattern: RegExp;
  readonly code: FailureCode;
  readonly advice: string;
  /** Only where a token was shown. */
  readonly withToken?: true;
}

/** What git says when things fail (LC_ALL=C), the first that fits. */
const explanations: readonly Explanation[] = [
  {
    pattern: /no space left on device|disk quota exceeded/i,
    code: 'disk_full',
    advice: 'Free space where --state lies.',
  },
  {
    pattern: /\(fetch first\)|non-fast-forward|but expected [0-9a-f]+|reference already exists/i,
    code: 'source_moved',
    advice: 'It is tried again by itself, from the newer commit.',
  },
  {
    pattern: /hook declined|protected branch|GH0\d\d|not allowed to push/i,
    code: 'source_denied',
    advice:
      'Allow the orchestrator to push to that branch, or let it make branches of its own (--write-back branch).',
  },
  {
    pattern: /marked as read.?only|write access|deploy key does not have write/i,
    code: 'source_denied',
    advice: 'Give the deploy key or token write access, or start without --write-back.',
  },
  {
    pattern: /remote rejected|insufficient permission|read-only file system/i,
    code: 'source_denied',
    advice: 'Let the orchestrator write to the repository, or choose another --write-back.',
  },
  {
    pattern: /remote host identification has changed/i,
    code: 'source_denied',
    advice:
      "The host shows another ssh key than the one known for it: ask whoever runs it, then remove its line from known_hosts in the state folder's source, or in ~/.ssh.",
  },
  {
    pattern: /host key verification failed|no \S+ host key is known/i,
    code: 'source_denied',
    advice:
      'The ssh key of the host is not known here: compare it with what its owner publishes, and put it into ~/.ssh/known_hosts.',
  },
  {
    pattern: /permission denied \(|no such identity|bad permissions|load key/i,
    code: 'source_denied',
    advice: 'Give --ssh-key a key that may read the repository (with --write-back, write to it).',
  },
  {
    pattern: /authentication failed|could not read (username|password)|error: 401/i,
    code: 'source_denied',
    withToken: true,
    advice:
      'The remote refuses the token: it is wrong, has expired or was withdrawn. Put a new one into the file of --git-token-file; it is read at each use.',
  },
  {
    pattern:
      /authentication failed|could not read (username|password)|error: 40[137]|access denied|not exported/i,
    code: 'source_denied',
    advice:
      'Give --git-token-file a token that may read the repository (with --write-back, write to it), and check the address.',
  },
  {
    pattern: /repository .*not found|error: 404|does not appear to be a git repository|does not exist/i,
    code: 'source_missing',
    advice: 'Check --manifest; a private repository looks missing without --git-token-file or --ssh-key.',
  },
  {
    pattern: /dubious ownership/i,
    code: 'source_denied',
    advice: 'Let the repository belong to the user that runs the orchestrator.',
  },
  {
    pattern: /url base from redirection|error: 30\d/i,
    code: 'source_unreachable',
    advice:
      'The server points to another address: give --manifest the new one (a token never follows by itself).',
  },
  {
    pattern: /certificate (has )?expired|expired certificate/i,
    code: 'source_unreachable',
    advice: "Let whoever runs the server renew its certificate; check this machine's clock too.",
  },
  {
    pattern: /certificate|ssl|tls/i,
    code: 'source_unreachable',
    advice:
      "Make the server's certificate authority known to this machine: SSL_CERT_FILE or GIT_SSL_CAINFO names a file with it.",
  },
  {
    pattern:
      /resolve host|name or service|connect|connection|timed out|unreachable|unable to access|hung up|early eof|too slow|rpc failed|read from remote|no route/i,
    code: 'source_unreachable',
    advice: 'Check the network and the address; it is tried again by itself.',
  },
  {
    pattern: /enoent|spawn git/i,
    code: 'source_unusable',
    advice: 'Install git and let PATH name it.',
  },
];

/** A git error as a `Failure`; `source_unusable` when it fits nothing known. No credential survives in it. */
export function explainGit(error: unknown, header: string | null): Failure {
  if (error instanceof Failure) return error;
  const text = error instanceof Error ? error.message : String(error);
  const fits = explanations.filter(({ withToken }) => withToken === undefined || header !== null);
  const found = fits.find(({ pattern }) => pattern.test(text));
  // Scrubbed before it is cut: half a secret would not be known for one.
  const message = `git: ${mainLine(scrubbed(text, header), found?.pattern)}`;
  if (found === undefined) return new Failure('source_unusable', message);
  return new Failure(found.code, message, { suggestedAction: found.advice });
}

/** The caller's deadline passed. */
export const gitTookTooLong = (): Failure =>
  new Failure('source_unreachable', 'git did not answer in time', {
    suggestedAction: 'Check the network and the address; it is tried again by itself.',
  });

/** Not a byte came for too long. */
export const gitWentSilent = (ms: number): Failure =>
  new Failure('source_unreachable', `git heard nothing of the repository for ${ms / 1000} s`, {
    suggestedAction: 'Check the network and the address; it is tried again by itself.',
  });

/** How far it came is no reason. */
const PROGRESS =
  /^(remote: *)?((Enumerating|Counting|Compressing|Receiving|Unpacking|Writing) objects|Resolving deltas|Total \d+|Updating files|Delta compression)\b|^remote: *$/;

/** The line that says why, with what the remote itself says of it; git puts hints before and advice after them. */
function mainLine(text: string, pattern = /^(fatal|error|ssh):/i): string {
  const lines = text
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll('\u001b[K', '').trim())
    .filter((line) => line !== '' && !PROGRESS.test(line));
  const first = lines.find((line) => /^(fatal|error|remote|ssh):/i.test(line)) ?? lines[0] ?? 'no message';
  const fitting = lines.filter((line) => pattern.test(line));
  const main = fitting.find((line) => !line.startsWith('remote:')) ?? fitting[0] ?? first;
  const own = lines.filter((line) => /^remote: \S/.test(line) && line !== main).slice(0, 2);
  return [main, ...own]
    .map((line) => line.replace(/^((fatal|error): |! |@+ *|[* ]+)+/i, ''))
    .join('; ')
    .slice(0, 400);
}

/** A remote may repeat what it was shown: as it was sent, and as a person knows it. */
function scrubbed(line: string, header: string | null): string {
  const scrubber = new Scrubber();
  const sent = header?.split(' ').at(-1) ?? '';
  const login = Buffer.from(sent, 'base64').toString();
  for (const secret of [sent, login, login.slice(login.indexOf(':') + 1)]) scrubber.add(secret);
  return maskLogins(scrubber.scrub(line));
}
