import { ownValue } from '../lib/own-value.ts';
import { Readable } from 'node:stream';
import { simpleGit, type SimpleGit, type SimpleGitOptions } from 'simple-git';
import type { Clock } from '../lib/clock.ts';
import { orAborted, whileHeard } from './deadline.ts';
import { explainGit, gitTookTooLong, gitWentSilent } from './git-failures.ts';
import { endLeftovers, endWithUs, MARK, nextMark } from './leftovers.ts';

/** Everything a git process is given besides its arguments. Nothing of it comes from a manifest. */
export interface GitSettings {
  /** The program's own environment; only a short list of names is passed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Protocols git may speak, separated by `:`; `none` for reading what is on this machine. */
  readonly protocols: string;
  readonly sshCommand: string | null;
  /** Sent to this origin alone. It travels in the environment, where `ps` does not show it. */
  readonly header: { readonly origin: string; readonly value: string } | null;
  /** Only for making commits: the file that git keeps its index in. */
  readonly index?: string;
  /** Calls out, on behalf of whoever owns this folder: none of them outlives us. */
  readonly outsideFor?: string;
  readonly clock: Clock;
}

/**
 * One git process a call. Both reject with a `Failure` (`source_*`, `disk_full`) once git was silent for a minute, at the
 * latest when `signal` aborts. Whatever git writes is a sign of life: with `--progress` that is bytes that arrive.
 */
export interface Git {
  text(args: readonly string[], signal: AbortSignal): Promise<string>;
  /** At most `limit` bytes of what git writes; git is ended when it has more to say. */
  bytes(args: readonly string[], limit: number, signal: AbortSignal): Promise<Buffer>;
}

const INHERITED = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'SSH_AUTH_SOCK', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'],
  ...['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY', 'no_proxy', 'NO_PROXY'],
];

/** simple-git drops every `GIT_*` that is not named here (dependencies 2.2). */
const OURS = [
  ...['GIT_TERMINAL_PROMPT', 'GIT_CONFIG_NOSYSTEM', 'GIT_CONFIG_GLOBAL', 'GIT_ALLOW_PROTOCOL'],
  ...['GIT_LITERAL_PATHSPECS', 'GIT_NO_REPLACE_OBJECTS', 'GIT_NO_LAZY_FETCH', 'GIT_OPTIONAL_LOCKS'],
  ...['GIT_CEILING_DIRECTORIES', 'GIT_INDEX_FILE', 'GIT_SSH_COMMAND', 'GIT_SSH_VARIANT'],
  ...['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'],
  ...['GIT_CONFIG_COUNT', 'GIT_CONFIG_KEY_0', 'GIT_CONFIG_VALUE_0', 'GIT_CONFIG_KEY_1', 'GIT_CONFIG_VALUE_1'],
];

/** Safe only because each of these strings is written in this file. */
const UNSAFE = {
  allowUnsafeConfigPaths: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeSshCommand: true,
  allowUnsafeHooksPath: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeProtocolOverride: true,
};

const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.symlinks=false',
  'protocol.ext.allow=never',
  'submodule.recurse=false',
  // What somebody wrote badly years ago is in many histories. Nothing is checked out here, git names all it takes by its
  // hash, and the one file that we read is checked by us.
  'transfer.fsckObjects=false',
  'fetch.fsckObjects=false',
  // A repository mounted into a container belongs to somebody else; nothing that its configuration names is run.
  'safe.directory=*',
  // Whose commits are ours.
  'user.name=mcp-orchestration',
  'user.email=mcp-orchestration@localhost',
  // Nothing of ours may outlive its call.
  'gc.autoDetach=false',
  'maintenance.autoDetach=false',
  // git dies at our deadline, its http helper does not: this ends it where we cannot (dependencies, finding 6).
  'http.lowSpeedLimit=1',
  'http.lowSpeedTime=75',
];

/** Servers that count a long history say nothing for a while; longer than this is no server at work. */
const SILENT_MS = 60_000;

/** git in a folder, hardened: no prompts, hooks, global configuration, helpers or protocols but the named ones. */
export function gitIn(folder: string, settings: GitSettings): Git {
  return {
    text: async (args, signal) => (await run(folder, settings, signal)((git) => git.raw([...args]))) ?? '',
    async bytes(args, limit, signal) {
      const [command, ...rest] = args;
      if (command !== 'cat-file') throw new Error(`bytes are read by cat-file, not by ${String(command)}`);
      const cut = cutAfter(limit);
      const read = (git: SimpleGit): Promise<Buffer> => git.binaryCatFile(rest) as Promise<Buffer>;
      return (await run(folder, { ...settings, cut }, signal)(read)).subarray(0, limit);
    },
  };
}

type Call = GitSettings & { readonly cut?: Cut };

function run(folder: string, settings: Call, signal: AbortSignal) {
  return async <T>(task: (git: SimpleGit) => PromiseLike<T>): Promise<T> => {
    if (signal.aborted) throw gitTookTooLong();
    const mark = nextMark(settings.outsideFor);
    const why = (): Error => (signal.aborted ? gitTookTooLong() : gitWentSilent(SILENT_MS));
    const heard = whileHeard(SILENT_MS, settings.clock, signal);
    const release = settings.outsideFor === undefined ? undefined : endWithUs(mark, settings.environment);
    try {
      const git = hardened(folder, { ...settings, mark, hear: heard.hear }, heard.signal);
      // simple-git waits for pipes that a helper may hold open after git is gone; we do not.
      return await orAborted(task(git), heard.signal, why);
    } catch (error) {
      if (!heard.signal.aborted) throw explainGit(error, settings.header?.value ?? null);
      await endLeftovers(mark);
      throw why();
    } finally {
      heard.end();
      release?.();
    }
  };
}

/** One instance a call: an aborted one refuses all further work. */
function hardened(
  folder: string,
  call: Call & { readonly mark: string; readonly hear: () => void },
  abort: AbortSignal,
): SimpleGit {
  const errors: SimpleGitOptions['errors'] = (error, { stdErr, exitCode }) => {
    if (call.cut?.isCut() === true) return undefined;
    // Here a silent end may be an answer; of a remote it never is, and no answer must not look like an empty one.
    const isUnsaid = error === undefined && exitCode !== 0 && call.outsideFor !== undefined;
    if (isUnsaid && !abort.aborted) return new Error(`git ended with code ${exitCode} and did not say why`);
    // Standard output would be the manifest itself.
    return error !== undefined && stdErr.length > 0 && !abort.aborted ? Buffer.concat(stdErr) : error;
  };
  const guarded = { config: CONFIG, allowEnvironment: OURS, unsafe: UNSAFE };
  return simpleGit({ baseDir: folder, abort, errors, ...guarded })
    .env({ ...environmentOf(folder, call), [MARK]: call.mark })
    .outputHandler((_command, stdout, stderr) => {
      for (const output of [stdout, stderr]) output.on('data', call.hear);
      call.cut?.onOutput(stdout);
    });
}

function environmentOf(folder: string, settings: GitSettings): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    const value = ownValue(settings.environment, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...authoritiesOf(settings.environment),
    ...Object.fromEntries(inherited),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ALLOW_PROTOCOL: settings.protocols,
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    // What a delta was made from may be missing in a partial clone, and is fetched then; while reading, nothing is.
    GIT_NO_LAZY_FETCH: settings.outsideFor === undefined ? '1' : '0',
    GIT_OPTIONAL_LOCKS: '0',
    // The folder itself or nothing: never a repository around it.
    GIT_CEILING_DIRECTORIES: `${folder}/..`,
    ...(settings.index === undefined ? {} : { GIT_INDEX_FILE: settings.index }),
    ...(settings.sshCommand === null ? {} : { GIT_SSH_COMMAND: settings.sshCommand, GIT_SSH_VARIANT: 'ssh' }),
    ...(settings.header === null ? {} : configured(settings.header)),
  };
}

/** What names authorities for everybody else is not heard by git, which has names of its own. */
const authoritiesOf = ({ SSL_CERT_FILE: file, SSL_CERT_DIR: folder }: GitSettings['environment']) => ({
  ...(file === undefined ? {} : { GIT_SSL_CAINFO: file }),
  ...(folder === undefined ? {} : { GIT_SSL_CAPATH: folder }),
});

/** Whoever is shown a token must be the one it was given for: with one, redirections are not followed. */
const configured = (header: { readonly origin: string; readonly value: string }): Record<string, string> => ({
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: `http.${header.origin}/.extraHeader`,
  GIT_CONFIG_VALUE_0: header.value,
  GIT_CONFIG_KEY_1: 'http.followRedirects',
  GIT_CONFIG_VALUE_1: 'false',
});

interface Cut {
  readonly onOutput: (stdout: NodeJS.ReadableStream) => void;
  readonly isCut: () => boolean;
}

/** Hangs up once git wrote more than `limit` bytes; its complaint about that is no error. */
function cutAfter(limit: number): Cut {
  let seen = 0;
  const onOutput = (stdout: NodeJS.ReadableStream): void => {
    stdout.on('data', (chunk: Buffer) => {
      seen += chunk.length;
      if (seen > limit && stdout instanceof Readable) stdout.destroy();
    });
  };
  return { onOutput, isCut: () => seen > limit };
}
