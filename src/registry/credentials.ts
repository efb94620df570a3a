import { ownValue } from '../lib/own-value.ts';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Failure } from '../model/failure.ts';

/** How to prove who we are; never logged, never in a message. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** To be changed for an access token at the token server. */
  | { readonly kind: 'identity'; readonly token: string };

/** The body of Docker's `X-Registry-Auth` header, before base64. */
export interface PullAuth {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
  readonly identitytoken?: string;
}

const HELPER_LIMIT_MS = 5000;
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** The parts that we use of Docker's config.json. Nothing in it can be trusted to be what it should. */
interface DockerConfig {
  readonly auths?: Readonly<Record<string, AuthEntry | null>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/** What was found, and what stood in the way: many images are for everybody, and need neither. */
export interface Login {
  /** null: ask as nobody. */
  readonly credentials: Credentials | null;
  /** `file` or the name of a helper's program; null where there are none. */
  readonly from: string | null;
  /** Why credentials that may be there cannot be had; told when the registry wants to know who asks. */
  readonly trouble: Failure | null;
}

/**
 * What `docker login` left for this registry host, in Docker's own order: its helper, the general helper, the file.
 * Read anew each time, so a fresh login is seen. Like Docker it asks as nobody where a helper or the file fails.
 */
export async function readCredentials(configPath: string | null, host: string): Promise<Login> {
  try {
    const config = configPath === null ? {} : await readConfig(configPath);
    return await loginIn(config, host);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { credentials: null, from: null, trouble: error };
  }
}

async function loginIn(config: DockerConfig, host: string): Promise<Login> {
  const helper = ownValue(config.credHelpers, host) ?? config.credsStore;
  const inFile = fromFile(config, host);
  const file = { credentials: inFile, from: inFile === null ? null : 'file', trouble: null };
  if (typeof helper !== 'string' || helper === '') return file;
  try {
    const credentials = await askHelper(helper, host);
    return credentials === null ? file : { credentials, from: `docker-credential-${helper}`, trouble: null };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...file, trouble: inFile === null ? error : null };
  }
}

export function toPullAuth(credentials: Credentials, host: string): PullAuth {
  const serveraddress = serverOf(host);
  return credentials.kind === 'identity'
    ? { username: '', password: '', identitytoken: credentials.token, serveraddress }
    : { username: credentials.username, password: credentials.password, serveraddress };
}

async function readConfig(path: string): Promise<DockerConfig> {
  try {
    return (JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/, '')) ?? {}) as DockerConfig;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    // The parser's own message quotes the text, and the text is secret.
    throw denied(
      `the Docker configuration ${path} cannot be read`,
      'check that it is JSON and that we may read it',
    );
  }
}

function fromFile({ auths }: DockerConfig, host: string): Credentials | null {
  const entry = Object.entries(auths ?? {}).find(([key]) => hostOf(key) === host)?.[1];
  if (typeof entry !== 'object' || entry === null) return null;
  if (entry.identitytoken) return { kind: 'identity', token: entry.identitytoken };
  const written = typeof entry.auth === 'string' ? entry.auth : '';
  const [username, ...password] = Buffer.from(written, 'base64').toString('utf8').split(':');
  if (username) return { kind: 'password', username, password: password.join(':') };
  if (!entry.username) return null;
  return { kind: 'password', username: entry.username, password: entry.password ?? '' };
}

/** `https://index.docker.io/v1/` -> `docker.io`; `https://ghcr.io/v2/` -> `ghcr.io`. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return /^(index|registry-1)\.docker\.io$/.test(host) ? 'docker.io' : host;
}

const serverOf = (host: string): string => (host === 'docker.io' ? DOCKER_HUB : host);

async function askHelper(helper: string, host: string): Promise<Credentials | null> {
  if (!/^[a-z0-9-]+$/.test(helper)) {
    throw denied(`"${helper}" is not a name of a credential helper`, 'correct credHelpers or credsStore');
  }
  const answer = await runHelper(`docker-credential-${helper}`, serverOf(host));
  if (answer === null) return null;
  const { Username, Secret } = answer;
  if (!Username || !Secret) throw denied(`docker-credential-${helper} gave no credentials for ${host}`);
  return Username === '<token>'
    ? { kind: 'identity', token: Secret }
    : { kind: 'password', username: Username, password: Secret };
}

interface HelperAnswer {
  readonly Username?: string;
  readonly Secret?: string;
}

/** The helper's protocol: the server's address on stdin, JSON on stdout; "not found" on stdout with exit code 1. */
function runHelper(program: string, server: string): Promise<HelperAnswer | null> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      ['get'],
      { timeout: HELPER_LIMIT_MS, killSignal: 'SIGKILL' },
      (error, stdout) => {
        if (error !== null && /credentials not found/i.test(stdout)) return resolve(null);
        const answer = error === null ? parseAnswer(stdout) : null;
        if (answer !== null) return resolve(answer);
        const why = whyOf(error);
        reject(denied(`${program} ${why}`, `run: echo ${server} | ${program} get`));
      },
    );
    // A helper that ended without reading is told by its exit code.
    child.stdin?.on('error', () => child.stdin?.destroy());
    child.stdin?.end(server);
  });
}

function whyOf(error: (Error & { code?: unknown; killed?: boolean }) | null): string {
  if (error?.killed === true) return 'did not answer within 5 s';
  return error?.code === 'ENOENT' ? 'is not installed' : 'failed';
}

function parseAnswer(stdout: string): HelperAnswer | null {
  try {
    return JSON.parse(stdout) as HelperAnswer;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const denied = (message: string, suggestedAction?: string): Failure =>
  new Failure('registry_denied', message, suggestedAction === undefined ? {} : { suggestedAction });
